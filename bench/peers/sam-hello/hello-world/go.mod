module hello-world

go 1.16

require github.com/aws/aws-lambda-go v1.36.1

module example.com/cdk-slim

go 1.26

module example.com/cdk-eventbridge-slim

go 1.26

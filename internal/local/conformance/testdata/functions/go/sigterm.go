//go:build sigterm

package main

import "github.com/aws/aws-lambda-go/lambda"

func startWithSIGTERM(handler any, onSIGTERM func()) {
	lambda.StartWithOptions(handler, lambda.WithEnableSIGTERM(onSIGTERM))
}

//go:build streaming

package main

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

func stream() (*events.LambdaFunctionURLStreamingResponse, error) {
	return &events.LambdaFunctionURLStreamingResponse{Body: strings.NewReader("hello")}, nil
}

// Command hello-world greets the caller behind an API Gateway.
package main

import (
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(request events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		name := "world"
		if ip := request.RequestContext.Identity.SourceIP; ip != "" {
			name = ip
		}
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "Hello, " + name + "!\n"}, nil
	})
}

package main

import "github.com/aws/aws-lambda-go/events"

// These answer Cognito's pre token generation trigger with the types of aws-lambda-go, which encode most of what is absent as null.

func cognitoV1(event events.CognitoEventUserPoolsPreTokenGen) (events.CognitoEventUserPoolsPreTokenGen, error) {
	event.Response.ClaimsOverrideDetails.ClaimsToAddOrOverride = map[string]string{"team": "blue"}
	return event, nil
}

func cognitoV2(event events.CognitoEventUserPoolsPreTokenGenV2_0) (events.CognitoEventUserPoolsPreTokenGenV2_0, error) {
	event.Response.ClaimsAndScopeOverrideDetails.AccessTokenGeneration.ClaimsToAddOrOverride = map[string]any{"team": "blue"}
	return event, nil
}

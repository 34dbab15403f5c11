package main

import (
	"testing"

	"github.com/aws/jsii-runtime-go"
)

func TestExistingUserPool(t *testing.T) {
	template := synthesize(t, map[string]any{
		"existingUserPoolId": "eu-west-1_tokencustomizer",
	})
	for _, kind := range []string{"UserPool", "UserPoolClient"} {
		template.ResourceCountIs(jsii.String("AWS::Cognito::"+kind), jsii.Number(0))
	}
	template.HasResourceProperties(jsii.String("AWS::Lambda::Permission"), map[string]any{
		"FunctionName":  map[string]string{"Ref": "TokenCustomizer"},
		"Principal":     "cognito-idp.amazonaws.com",
		"SourceAccount": map[string]string{"Ref": "AWS::AccountId"},
		"SourceArn": map[string]any{"Fn::Join": []any{"", []any{
			"arn:",
			map[string]string{"Ref": "AWS::Partition"},
			":cognito-idp:",
			map[string]string{"Ref": "AWS::Region"},
			":",
			map[string]string{"Ref": "AWS::AccountId"},
			":userpool/eu-west-1_tokencustomizer",
		}}},
	})
	template.HasOutput(jsii.String("UserPoolId"), map[string]string{"Value": "eu-west-1_tokencustomizer"})
	template.HasOutput(jsii.String("AttachCommand"), map[string]any{
		"Value": map[string]any{"Fn::Join": []any{"", []any{
			"scripts/attach.sh attach eu-west-1_tokencustomizer ", map[string]any{"Fn::GetAtt": []string{"TokenCustomizer", "Arn"}},
		}}},
	})
}

func TestUserPoolTier(t *testing.T) {
	template := synthesize(t, map[string]any{
		"userPoolTier": "PLUS",
	})
	template.AllResourcesProperties(jsii.String("AWS::Cognito::UserPool"), map[string]string{"UserPoolTier": "PLUS"})
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// newUserPool lets the user pool call the function, and makes the pool unless it exists. An existing pool is attached afterwards, with
// scripts/attach.sh.
//
// The pool and the permission are written as CloudFormation has them: UserPool.AddTrigger takes version 1 of the trigger unless told
// otherwise, and its permission does not name the account.
func newUserPool(stack awscdk.Stack, chosen settings, customizer awslambda.Function) {
	if id := chosen.existingUserPoolID; id != "" {
		permit(stack, customizer, stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("cognito-idp"), Resource: jsii.String("userpool"), ResourceName: jsii.String(id),
		}))
		output(stack, "UserPoolId", "The user pool whose tokens are customized", jsii.String(id))
		output(stack, "AttachCommand", "Attaches the function to the existing user pool",
			jsii.Sprintf("scripts/attach.sh attach %s %s", id, *tokens.FunctionArn()))
		return
	}

	pool := awscognito.NewCfnUserPool(stack, jsii.String("UserPool"), &awscognito.CfnUserPoolProps{
		UserPoolName:           awscdk.Aws_STACK_NAME(),
		UserPoolTier:           jsii.String(chosen.userPoolTier),
		DeletionProtection:     jsii.String("ACTIVE"),
		UsernameAttributes:     jsii.Strings("email"),
		UsernameConfiguration:  &awscognito.CfnUserPool_UsernameConfigurationProperty{CaseSensitive: jsii.Bool(false)},
		AutoVerifiedAttributes: jsii.Strings("email"),
		UserAttributeUpdateSettings: &awscognito.CfnUserPool_UserAttributeUpdateSettingsProperty{
			AttributesRequireVerificationBeforeUpdate: jsii.Strings("email"),
		},
		AccountRecoverySetting: &awscognito.CfnUserPool_AccountRecoverySettingProperty{
			RecoveryMechanisms: []*awscognito.CfnUserPool_RecoveryOptionProperty{
				{Name: jsii.String("verified_email"), Priority: jsii.Number(1)},
			},
		},
		AdminCreateUserConfig: &awscognito.CfnUserPool_AdminCreateUserConfigProperty{AllowAdminCreateUserOnly: jsii.Bool(true)},
		Policies: &awscognito.CfnUserPool_PoliciesProperty{
			PasswordPolicy: &awscognito.CfnUserPool_PasswordPolicyProperty{
				MinimumLength:                 jsii.Number(12),
				RequireLowercase:              jsii.Bool(true),
				RequireUppercase:              jsii.Bool(true),
				RequireNumbers:                jsii.Bool(true),
				RequireSymbols:                jsii.Bool(true),
				TemporaryPasswordValidityDays: jsii.Number(3),
			},
		},
		MfaConfiguration: jsii.String("OPTIONAL"),
		EnabledMfas:      jsii.Strings("SOFTWARE_TOKEN_MFA"),
		// Attributes can be added later, but never changed or removed.
		Schema: []*awscognito.CfnUserPool_SchemaAttributeProperty{
			customAttribute("plan"),
			customAttribute("tenant_id"),
		},
		LambdaConfig: &awscognito.CfnUserPool_LambdaConfigProperty{
			PreTokenGenerationConfig: &awscognito.CfnUserPool_PreTokenGenerationConfigProperty{
				LambdaArn:     tokens.FunctionArn(),
				LambdaVersion: jsii.String("V2_0"),
			},
		},
	})
	pool.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	permit(stack, customizer, pool.AttrArn())

	client := awscognito.NewCfnUserPoolClient(stack, jsii.String("UserPoolClient"), &awscognito.CfnUserPoolClientProps{
		ClientName:                 jsii.String("app"),
		UserPoolId:                 pool.Ref(),
		GenerateSecret:             jsii.Bool(false),
		ExplicitAuthFlows:          jsii.Strings("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
		PreventUserExistenceErrors: jsii.String("ENABLED"),
		EnableTokenRevocation:      jsii.Bool(true),
		// What users may change about themselves. Never add an attribute that decides what they are allowed to do.
		WriteAttributes: jsii.Strings("email"),
	})
	output(stack, "UserPoolId", "The user pool whose tokens are customized", pool.Ref())
	output(stack, "UserPoolClientId", "The client that an app signs users in with", client.Ref())
}

// permit lets the user pool with the ARN call the function, on behalf of this account.
func permit(stack awscdk.Stack, customizer awslambda.Function, poolARN *string) {
	awslambda.NewCfnPermission(stack, jsii.String("TokenCustomizerPermission"), &awslambda.CfnPermissionProps{
		FunctionName:  tokens.FunctionName(),
		Action:        jsii.String("lambda:InvokeFunction"),
		Principal:     jsii.String("cognito-idp.amazonaws.com"),
		SourceAccount: awscdk.Aws_ACCOUNT_ID(),
		SourceArn:     poolARN,
	})
}

func customAttribute(name string) *awscognito.CfnUserPool_SchemaAttributeProperty {
	return &awscognito.CfnUserPool_SchemaAttributeProperty{
		Name:              jsii.String(name),
		AttributeDataType: jsii.String("String"),
		Mutable:           jsii.Bool(true),
		StringAttributeConstraints: &awscognito.CfnUserPool_StringAttributeConstraintsProperty{
			MinLength: jsii.String("0"),
			MaxLength: jsii.String("256"),
		},
	}
}

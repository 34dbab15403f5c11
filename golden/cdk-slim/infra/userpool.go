package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// userPoolProps is how the user pools of the stack differ.
type userPoolProps struct {
	// function is the name of the function that customizes the pool's tokens, and functionID its logical id.
	function, functionID string
	// prefix begins the logical ids of the pool and its parts.
	prefix string
	// existing is the id of a pool that exists already. If it is empty, newUserPool makes a pool with the properties below.
	existing string
	// tier is the pool's feature plan, and version that of its trigger.
	tier, version string
	// suffix ends the pool's name.
	suffix string
	// attributes are the pool's custom attributes. You can add attributes later, but you can't change or remove them.
	attributes []string
}

// newUserPool lets the user pool call the function, and makes the pool unless it exists. Attach an existing pool after the deployment, with
// scripts/attach.sh.
//
// The pool and the permission are resources of CloudFormation: UserPool.AddTrigger uses version 1 of the trigger by default, and its permission
// does not name the account.
func (d deployment) newUserPool(function awslambda.Function, props userPoolProps) {
	if id := props.existing; id != "" {
		d.permit(function, props, d.stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("cognito-idp"), Resource: jsii.String("userpool"), ResourceName: jsii.String(id),
		}))
		d.output(props.prefix+"UserPoolId", "User pool whose tokens "+props.function+" customizes", jsii.String(id))
		d.output(props.prefix+"AttachCommand", "Command that attaches "+props.function+" to the existing user pool",
			jsii.Sprintf("scripts/attach.sh attach %s %s", id, *function.FunctionArn()))
		return
	}

	pool := awscognito.NewCfnUserPool(d.stack, jsii.String(props.prefix+"UserPool"), &awscognito.CfnUserPoolProps{
		UserPoolName:           jsii.String(*awscdk.Aws_STACK_NAME() + props.suffix),
		UserPoolTier:           jsii.String(props.tier),
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
		LambdaConfig: &awscognito.CfnUserPool_LambdaConfigProperty{
			PreTokenGenerationConfig: &awscognito.CfnUserPool_PreTokenGenerationConfigProperty{
				LambdaArn:     function.FunctionArn(),
				LambdaVersion: jsii.String(props.version),
			},
		},
	})
	if len(props.attributes) > 0 {
		pool.SetSchema(customAttributes(props.attributes))
	}
	pool.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	d.permit(function, props, pool.AttrArn())

	client := awscognito.NewCfnUserPoolClient(d.stack, jsii.String(props.prefix+"UserPoolClient"), &awscognito.CfnUserPoolClientProps{
		ClientName:                 jsii.String("app"),
		UserPoolId:                 pool.Ref(),
		GenerateSecret:             jsii.Bool(false),
		ExplicitAuthFlows:          jsii.Strings("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
		PreventUserExistenceErrors: jsii.String("ENABLED"),
		EnableTokenRevocation:      jsii.Bool(true),
		// Users can change these attributes themselves. Never add one that decides what they are allowed to do.
		WriteAttributes: jsii.Strings("email"),
	})
	d.output(props.prefix+"UserPoolId", "User pool whose tokens "+props.function+" customizes", pool.Ref())
	d.output(props.prefix+"UserPoolClientId", "App client that signs users in to the pool of "+props.function, client.Ref())
}

// permit lets the user pool with the ARN call the function, on behalf of this account.
func (d deployment) permit(function awslambda.Function, props userPoolProps, poolARN *string) {
	awslambda.NewCfnPermission(d.stack, jsii.String(props.functionID+"Permission"), &awslambda.CfnPermissionProps{
		FunctionName:  function.FunctionName(),
		Action:        jsii.String("lambda:InvokeFunction"),
		Principal:     jsii.String("cognito-idp.amazonaws.com"),
		SourceAccount: awscdk.Aws_ACCOUNT_ID(),
		SourceArn:     poolARN,
	})
}

// customAttributes describes custom attributes of a pool.
func customAttributes(names []string) *[]any {
	var attributes []any
	for _, name := range names {
		attributes = append(attributes, &awscognito.CfnUserPool_SchemaAttributeProperty{
			Name:              jsii.String(name),
			AttributeDataType: jsii.String("String"),
			Mutable:           jsii.Bool(true),
			StringAttributeConstraints: &awscognito.CfnUserPool_StringAttributeConstraintsProperty{
				MinLength: jsii.String("0"),
				MaxLength: jsii.String("256"),
			},
		})
	}
	return &attributes
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newStack puts the stack into the app. The folder code holds the function's bootstrap.
func newStack(app constructs.Construct, chosen settings, code string) awscdk.Stack {
	stack := awscdk.NewStack(app, jsii.String("demo"), &awscdk.StackProps{
		StackName:   jsii.String(chosen.stackName),
		Description: jsii.String("demo, a Cognito token customizer (pre token generation trigger V2_0)"),
	})
	bus := newEventBus(stack, chosen)
	customizer := newFunction(stack, chosen, bus, code)
	newExampleConsumer(stack, bus)
	newUserPool(stack, chosen, customizer)
	newAlarms(stack, chosen, customizer)
	return stack
}

// newFunction makes the function, with a log group and a role of its own. Nothing that it needs may refer to the user pool: the pool
// refers to the function, and a circle cannot be deployed. The code learns the pool's id from each event.
func newFunction(stack awscdk.Stack, chosen settings, bus awsevents.IEventBus, code string) awslambda.Function {
	logs := awslogs.NewLogGroup(stack, jsii.String("TokenCustomizerLogGroup"), &awslogs.LogGroupProps{
		Retention:     chosen.logRetention,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	})
	environment := map[string]*string{
		"EVENT_BUS_NAME":              bus.EventBusName(),
		"OTEL_SERVICE_NAME":           awscdk.Aws_STACK_NAME(),
		"OTEL_EXPORTER_OTLP_ENDPOINT": jsii.String(chosen.otlpEndpoint),
		"OTLP_HEADERS_SECRET_ARN":     jsii.String(chosen.otlpHeadersSecretARN),
		// Left alone, Go reads the system's certificates twice, since two folders of Amazon Linux hold them.
		"SSL_CERT_FILE": jsii.String("/etc/pki/tls/certs/ca-bundle.crt"),
		"SSL_CERT_DIR":  jsii.String("/etc/pki/ca-trust/source/anchors"),
	}
	customizer := awslambda.NewFunction(stack, jsii.String("TokenCustomizer"), &awslambda.FunctionProps{
		Description:           jsii.String("Customizes the tokens of a Cognito user pool"),
		Runtime:               awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:          awslambda.Architecture_ARM_64(),
		Handler:               jsii.String("bootstrap"),
		Code:                  awslambda.Code_FromAsset(jsii.String(code), nil),
		MemorySize:            jsii.Number(256),
		Timeout:               awscdk.Duration_Seconds(jsii.Number(4)), // Cognito gives up after 5 s, without a trace in the function's logs
		Role:                  newRole(stack, chosen, bus, logs),
		Environment:           &environment,
		LogGroup:              logs,
		LoggingFormat:         awslambda.LoggingFormat_JSON,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO,
		SystemLogLevelV2:      awslambda.SystemLogLevel_INFO,
	})
	skipChecks(resource(logs), skip{
		"CKV_AWS_158", "CloudWatch Logs encrypts by itself, and the function logs neither tokens nor personal data.",
	})
	skipChecks(resource(customizer), skip{
		"CKV_AWS_115", "A reserved concurrency would refuse sign-ins in a burst; the throttles alarm watches the account's limit.",
	}, skip{
		"CKV_AWS_116", "Cognito calls the function synchronously; a dead letter queue only sees asynchronous calls.",
	}, skip{
		"CKV_AWS_117", "The function calls nothing inside a VPC, and joining one only adds ways to fail.",
	}, skip{
		"CKV_AWS_173", "No environment variable is a secret, and Lambda encrypts them by itself.",
	})
	name(logs)
	name(customizer)
	output(stack, "TokenCustomizerArn", "The function", tokens.FunctionArn())
	output(stack, "TokenCustomizerLogGroupName", "Where the function logs", logs.LogGroupName())
	return customizer
}

// newRole makes the function's role. What a lookup needs, add here.
func newRole(stack awscdk.Stack, chosen settings, bus awsevents.IEventBus, logs awslogs.LogGroup) awsiam.Role {
	policies := map[string]awsiam.PolicyDocument{
		"logs": allow(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("logs:CreateLogStream", "logs:PutLogEvents"),
			Resources: &[]*string{logs.LogGroupArn()},
		}),
		"events": allow(publishTo(bus)),
	}
	if secret := chosen.otlpHeadersSecretARN; secret != "" {
		policies["otlp-headers"] = allow(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("secretsmanager:GetSecretValue"),
			Resources: jsii.Strings(secret),
		})
	}
	role := awsiam.NewRole(stack, jsii.String("TokenCustomizerRole"), &awsiam.RoleProps{
		Description:    jsii.String("Lets the token customizer write logs and publish events"),
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &policies,
	})
	name(role)
	return role
}

func allow(statement *awsiam.PolicyStatementProps) awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
		Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(statement)},
	})
}

// name makes the construct's id its logical id too, where the CDK would append a hash.
func name(construct constructs.IConstruct) {
	resource(construct).OverrideLogicalId(construct.Node().Id())
}

// skip is a check of checkov that a resource fails, and why it may.
type skip struct{ id, comment string }

func skipChecks(resource awscdk.CfnResource, skips ...skip) {
	var list []map[string]string
	for _, s := range skips {
		list = append(list, map[string]string{"id": s.id, "comment": s.comment})
	}
	resource.AddMetadata(jsii.String("checkov"), map[string]any{"skip": list})
}

func resource(construct constructs.IConstruct) awscdk.CfnResource {
	return construct.Node().DefaultChild().(awscdk.CfnResource)
}

func output(stack awscdk.Stack, name, description string, value *string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Description: jsii.String(description), Value: value})
}

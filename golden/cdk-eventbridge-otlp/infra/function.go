package main

import (
	"maps"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// functionProps is how functions of the stack differ.
type functionProps struct {
	// id is the function's logical id, and name its folder below cmd and dist.
	id, name    string
	description string
	// memory is in MB, timeout in seconds.
	memory, timeout float64
	environment     map[string]*string
	// role describes the role. Policies are what it allows besides writing the function's log, by name.
	role     string
	policies map[string]awsiam.PolicyDocument
	// skips are checks of checkov that the function may fail, logSkips those of its log group, roleSkips those of its role.
	skips, logSkips, roleSkips []skip
}

// newFunction makes a function with a log group and a role of its own. None of the three may refer to what calls the function, because
// CloudFormation rejects circular references.
func (d deployment) newFunction(props functionProps) awslambda.Function {
	logs := awslogs.NewLogGroup(d.stack, jsii.String(props.id+"LogGroup"), &awslogs.LogGroupProps{
		Retention:     retentions[d.chosen.logRetentionInDays],
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	})
	function := awslambda.NewFunction(d.stack, jsii.String(props.id), &awslambda.FunctionProps{
		Description:           jsii.String(props.description),
		Runtime:               awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:          awslambda.Architecture_ARM_64(),
		Handler:               jsii.String("bootstrap"),
		Code:                  awslambda.Code_FromAsset(jsii.String(filepath.Join(d.dist, props.name)), nil),
		MemorySize:            jsii.Number(props.memory),
		Timeout:               awscdk.Duration_Seconds(jsii.Number(props.timeout)),
		Role:                  d.newRole(props, logs),
		Environment:           &props.environment,
		LogGroup:              logs,
		LoggingFormat:         awslambda.LoggingFormat_JSON,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO,
		SystemLogLevelV2:      awslambda.SystemLogLevel_INFO,
	})
	skipChecks(resource(function), props.skips...)
	skipChecks(resource(logs), props.logSkips...)
	name(logs)
	name(function)
	d.output(props.id+"Arn", "ARN of the function "+props.name, function.FunctionArn())
	d.output(props.id+"LogGroupName", "Log group of the function "+props.name, logs.LogGroupName())
	return function
}

// newRole makes the role of a function.
func (d deployment) newRole(props functionProps, logs awslogs.LogGroup) awsiam.Role {
	policies := map[string]awsiam.PolicyDocument{
		"logs": allow(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("logs:CreateLogStream", "logs:PutLogEvents"),
			Resources: &[]*string{logs.LogGroupArn()},
		}),
	}
	maps.Copy(policies, props.policies)
	role := awsiam.NewRole(d.stack, jsii.String(props.id+"Role"), &awsiam.RoleProps{
		Description:    jsii.String(props.role),
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &policies,
	})
	skipChecks(resource(role), props.roleSkips...)
	name(role)
	return role
}

func allow(statement *awsiam.PolicyStatementProps) awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
		Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(statement)},
	})
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// functions are the names of the project's functions.
var functions = []string{
	"token-customizer",
}

// deployment is what the parts of the stack share.
type deployment struct {
	stack  awscdk.Stack
	chosen settings
	// dist is the folder that make build fills.
	dist string
	// notify is what alarms do, or nil.
	notify awscloudwatch.IAlarmAction
	// bus is where functions publish events.
	bus awsevents.IEventBus
}

// newStack adds the stack to the app.
func newStack(app constructs.Construct, chosen settings, dist string) awscdk.Stack {
	stack := awscdk.NewStack(app, jsii.String("demo"), &awscdk.StackProps{
		StackName:   jsii.String(chosen.stackName),
		Description: jsii.String("demo, a Cognito token customizer (pre token generation trigger V2_0)"),
	})
	d := deployment{stack: stack, chosen: chosen, dist: dist}
	if chosen.alarmTopicARN != "" {
		topic := awssns.Topic_FromTopicArn(stack, jsii.String("AlarmTopic"), jsii.String(chosen.alarmTopicARN))
		d.notify = awscloudwatchactions.NewSnsAction(topic)
	}
	d.bus = d.newEventBus()
	d.addTokenCustomizer()
	d.newExampleConsumer()
	return stack
}

// output adds an output to the stack.
func (d deployment) output(name, description string, value *string) {
	awscdk.NewCfnOutput(d.stack, jsii.String(name), &awscdk.CfnOutputProps{Description: jsii.String(description), Value: value})
}

// name makes the construct's id its logical id too. The CDK would append a hash.
func name(construct constructs.IConstruct) {
	resource(construct).OverrideLogicalId(construct.Node().Id())
}

func resource(construct constructs.IConstruct) awscdk.CfnResource {
	return construct.Node().DefaultChild().(awscdk.CfnResource)
}

// skip is a check of checkov that a resource may fail, with the reason.
type skip struct{ id, comment string }

func skipChecks(resource awscdk.CfnResource, skips ...skip) {
	if len(skips) == 0 {
		return
	}
	var list []map[string]string
	for _, s := range skips {
		list = append(list, map[string]string{"id": s.id, "comment": s.comment})
	}
	resource.AddMetadata(jsii.String("checkov"), map[string]any{"skip": list})
}

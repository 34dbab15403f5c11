package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// eventSources and eventTypes are the sources and detail types of the published events.
var (
	eventSources = []string{"demo.token-customizer"}
	eventTypes   = []string{"TokensCustomized.v1"}
)

// newEventBus makes the bus that functions publish to, with an archive to replay events from. If the bus exists, it makes neither.
func (d deployment) newEventBus() awsevents.IEventBus {
	var bus awsevents.IEventBus
	if d.chosen.existingEventBusName != "" {
		bus = awsevents.EventBus_FromEventBusName(d.stack, jsii.String("EventBus"), jsii.String(d.chosen.existingEventBusName))
	} else {
		bus = awsevents.NewEventBus(d.stack, jsii.String("EventBus"), &awsevents.EventBusProps{EventBusName: awscdk.Aws_STACK_NAME()})
		name(bus)
		awsevents.NewCfnArchive(d.stack, jsii.String("EventArchive"), &awsevents.CfnArchiveProps{
			SourceArn:     bus.EventBusArn(),
			RetentionDays: jsii.Number(30),
			EventPattern:  map[string][]string{"source": eventSources},
		})
	}
	d.output("EventBusName", "Event bus with the published events", bus.EventBusName())
	return bus
}

// newExampleConsumer makes an example consumer: a queue that gets every event. Write rules like this one for your own consumers, then remove
// it.
//
// It uses resources of CloudFormation, because a target of the CDK would be allowed more than to send messages.
func (d deployment) newExampleConsumer() {
	queue := awssqs.NewCfnQueue(d.stack, jsii.String("ExampleQueue"), &awssqs.CfnQueueProps{
		SqsManagedSseEnabled:   jsii.Bool(true),
		MessageRetentionPeriod: jsii.Number(86400), // one day, because nothing reads it yet
	})
	skipChecks(queue, skip{
		"CKV_AWS_27", "SQS encrypts it with its own key. EventBridge cannot use the key that KMS manages for SQS.",
	})
	// Events that EventBridge could not deliver to the queue. The attributes of each message have the reason.
	undelivered := awssqs.NewCfnQueue(d.stack, jsii.String("ExampleDeadLetterQueue"), &awssqs.CfnQueueProps{
		SqsManagedSseEnabled:   jsii.Bool(true),
		MessageRetentionPeriod: jsii.Number(1209600),
	})
	skipChecks(undelivered, skip{"CKV_AWS_27", "The same reason as for the queue."})
	rule := awsevents.NewCfnRule(d.stack, jsii.String("ExampleRule"), &awsevents.CfnRuleProps{
		Description:  jsii.String("Sends every published event to an example queue"),
		EventBusName: d.bus.EventBusName(),
		EventPattern: map[string][]string{"source": eventSources, "detail-type": eventTypes},
		Targets: []*awsevents.CfnRule_TargetProperty{{
			Id:               jsii.String("example-queue"),
			Arn:              queue.AttrArn(),
			DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: undelivered.AttrArn()},
			RetryPolicy: &awsevents.CfnRule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(3600),
				MaximumRetryAttempts:     jsii.Number(24),
			},
		}},
	})
	awssqs.NewCfnQueuePolicy(d.stack, jsii.String("ExampleQueuePolicy"), &awssqs.CfnQueuePolicyProps{
		Queues: &[]*string{queue.Ref(), undelivered.Ref()},
		PolicyDocument: allow(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
			Actions:    jsii.Strings("sqs:SendMessage"),
			Resources:  &[]*string{queue.AttrArn(), undelivered.AttrArn()},
			Conditions: &map[string]any{"ArnEquals": map[string]*string{"aws:SourceArn": rule.AttrArn()}},
		}),
	})
	d.output("ExampleQueueUrl", "Example queue that gets every event", queue.Ref())
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// The function has the same values, and a test beside its main.go compares them.
const (
	eventSource     = "demo.token-customizer"
	eventDetailType = "TokensCustomized.v1"
	metricNamespace = "demo"
)

// newEventBus makes the bus that the function publishes to, with an archive that events can be replayed from, unless the bus exists.
func newEventBus(stack awscdk.Stack, chosen settings) awsevents.IEventBus {
	var bus awsevents.IEventBus
	if chosen.existingEventBusName != "" {
		bus = awsevents.EventBus_FromEventBusName(stack, jsii.String("EventBus"), jsii.String(chosen.existingEventBusName))
	} else {
		bus = awsevents.NewEventBus(stack, jsii.String("EventBus"), &awsevents.EventBusProps{EventBusName: awscdk.Aws_STACK_NAME()})
		name(bus)
		awsevents.NewCfnArchive(stack, jsii.String("EventArchive"), &awsevents.CfnArchiveProps{
			SourceArn:     bus.EventBusArn(),
			RetentionDays: jsii.Number(30),
			EventPattern:  map[string][]string{"source": {eventSource}},
		})
	}
	output(stack, "EventBusName", "The bus that events are published to", bus.EventBusName())
	return bus
}

// publishTo allows to put events of the function's own kind on the bus. ForAllValues alone would allow a request that has none.
func publishTo(bus awsevents.IEventBus) *awsiam.PolicyStatementProps {
	return &awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("events:PutEvents"),
		Resources: &[]*string{bus.EventBusArn()},
		Conditions: &map[string]any{
			"ForAllValues:StringEquals": map[string]string{"events:source": eventSource, "events:detail-type": eventDetailType},
			"Null":                      map[string]string{"events:source": "false", "events:detail-type": "false"},
		},
	}
}

// newExampleConsumer makes an example of a consumer: a queue that gets every event. Make rules like this one for your own, and remove it.
//
// It is written as CloudFormation has it, since a target of the CDK would be allowed more than to send messages.
func newExampleConsumer(stack awscdk.Stack, bus awsevents.IEventBus) {
	queue := awssqs.NewCfnQueue(stack, jsii.String("ExampleQueue"), &awssqs.CfnQueueProps{
		SqsManagedSseEnabled:   jsii.Bool(true),
		MessageRetentionPeriod: jsii.Number(86400), // a day: nobody reads it yet
	})
	skipChecks(queue, skip{
		"CKV_AWS_27", "SQS encrypts it with its own key. EventBridge may not use the key that KMS manages for SQS.",
	})
	// What EventBridge could not deliver to the queue, with the reason in the attributes of each message.
	undelivered := awssqs.NewCfnQueue(stack, jsii.String("ExampleDeadLetterQueue"), &awssqs.CfnQueueProps{
		SqsManagedSseEnabled:   jsii.Bool(true),
		MessageRetentionPeriod: jsii.Number(1209600),
	})
	skipChecks(undelivered, skip{"CKV_AWS_27", "As for the queue."})
	rule := awsevents.NewCfnRule(stack, jsii.String("ExampleRule"), &awsevents.CfnRuleProps{
		Description:  jsii.String("Sends every event of the token customizer to an example queue"),
		EventBusName: bus.EventBusName(),
		EventPattern: map[string][]string{"source": {eventSource}, "detail-type": {eventDetailType}},
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
	awssqs.NewCfnQueuePolicy(stack, jsii.String("ExampleQueuePolicy"), &awssqs.CfnQueuePolicyProps{
		Queues: &[]*string{queue.Ref(), undelivered.Ref()},
		PolicyDocument: allow(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
			Actions:    jsii.Strings("sqs:SendMessage"),
			Resources:  &[]*string{queue.AttrArn(), undelivered.AttrArn()},
			Conditions: &map[string]any{"ArnEquals": map[string]*string{"aws:SourceArn": rule.AttrArn()}},
		}),
	})
	output(stack, "ExampleQueueUrl", "The queue that gets every event, as an example", queue.Ref())
}

// lostEvents counts the events that were not published, by the metrics that the function writes into its log.
func lostEvents(customizer awslambda.Function) awscloudwatch.IMetric {
	minute := awscdk.Duration_Minutes(jsii.Number(1))
	count := func(metric string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace:     jsii.String(metricNamespace),
			MetricName:    jsii.String(metric),
			DimensionsMap: &map[string]*string{"FunctionName": tokens.FunctionName()},
			Statistic:     jsii.String("Sum"),
			Period:        minute,
		})
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression:   jsii.String("failed + dropped"),
		Label:        jsii.String("Events that were not published"),
		UsingMetrics: &map[string]awscloudwatch.IMetric{"failed": count("EventsFailed"), "dropped": count("EventsDropped")},
		Period:       minute,
	})
}

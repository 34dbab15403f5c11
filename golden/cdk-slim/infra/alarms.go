package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"
)

// newAlarms makes the alarms, and has them notify the topic if there is one.
func newAlarms(stack awscdk.Stack, chosen settings, customizer awslambda.Function) {
	minute := awscdk.Duration_Minutes(jsii.Number(1))
	count := &awscloudwatch.MetricOptions{Statistic: jsii.String("Sum"), Period: minute}
	alarms := []awscloudwatch.Alarm{
		// Cognito tries a failed call up to three times, then the sign-in or the token refresh fails: one error is worth knowing about.
		alarmAtOnce(stack, "ErrorsAlarm", tokens.MetricErrors(count),
			"The token customizer fails, so users cannot sign in. Read its logs; scripts/attach.sh detach is the way out."),
		alarmAtOnce(stack, "ThrottlesAlarm", tokens.MetricThrottles(count),
			"Lambda throttles the token customizer, so users cannot sign in. The account's concurrency limit is used up."),
		awscloudwatch.NewAlarm(stack, jsii.String("DurationAlarm"), &awscloudwatch.AlarmProps{
			AlarmDescription: jsii.String("The token customizer takes more than 3 s of the 4 s that it has."),
			Metric: tokens.MetricDuration(&awscloudwatch.MetricOptions{
				Statistic: jsii.String("p99"), Unit: awscloudwatch.Unit_MILLISECONDS, Period: minute,
			}),
			EvaluationPeriods:  jsii.Number(5),
			DatapointsToAlarm:  jsii.Number(3),
			Threshold:          jsii.Number(3000),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		}),
	}
	for _, alarm := range alarms {
		name(alarm)
	}
	if chosen.alarmTopicARN == "" {
		return
	}
	topic := awssns.Topic_FromTopicArn(stack, jsii.String("AlarmTopic"), jsii.String(chosen.alarmTopicARN))
	notify := awscloudwatchactions.NewSnsAction(topic)
	for _, alarm := range alarms {
		alarm.AddAlarmAction(notify)
		alarm.AddOkAction(notify)
	}
}

// alarmAtOnce makes an alarm that goes off when the metric counts something within a minute.
func alarmAtOnce(stack awscdk.Stack, id string, metric awscloudwatch.IMetric, description string) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(stack, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmDescription:   jsii.String(description),
		Metric:             metric,
		EvaluationPeriods:  jsii.Number(1),
		Threshold:          jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

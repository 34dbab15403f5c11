package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// alarmAtOnce makes an alarm that goes off when the metric counts something within a minute.
func (d deployment) alarmAtOnce(id string, metric awscloudwatch.IMetric, description string) {
	d.newAlarm(id, &awscloudwatch.AlarmProps{
		AlarmDescription:   jsii.String(description),
		Metric:             metric,
		EvaluationPeriods:  jsii.Number(1),
		Threshold:          jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
	})
}

// alarmIfSlow makes an alarm that goes off when one call in a hundred takes more than the milliseconds, in three minutes out of five.
func (d deployment) alarmIfSlow(id string, function awslambda.Function, milliseconds float64, description string) {
	d.newAlarm(id, &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(description),
		Metric: function.MetricDuration(&awscloudwatch.MetricOptions{
			Statistic: jsii.String("p99"), Unit: awscloudwatch.Unit_MILLISECONDS, Period: minute(),
		}),
		EvaluationPeriods:  jsii.Number(5),
		DatapointsToAlarm:  jsii.Number(3),
		Threshold:          jsii.Number(milliseconds),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
	})
}

// newAlarm makes an alarm that notifies the topic if there is one.
func (d deployment) newAlarm(id string, props *awscloudwatch.AlarmProps) {
	props.TreatMissingData = awscloudwatch.TreatMissingData_NOT_BREACHING
	alarm := awscloudwatch.NewAlarm(d.stack, jsii.String(id), props)
	name(alarm)
	if d.notify != nil {
		alarm.AddAlarmAction(d.notify)
		alarm.AddOkAction(d.notify)
	}
}

// count is a metric that counts something about the function in a minute.
func count(function awslambda.Function, namespace, metric string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     jsii.String(namespace),
		MetricName:    jsii.String(metric),
		DimensionsMap: &map[string]*string{"FunctionName": function.FunctionName()},
		Statistic:     jsii.String("Sum"),
		Period:        minute(),
	})
}

func minute() awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(1)) }

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// addTokenCustomizer adds the function token-customizer, what calls it, and its alarms.
func (d deployment) addTokenCustomizer() {
	policies := map[string]awsiam.PolicyDocument{
		// The function has the same source and type. ForAllValues alone would also allow a request without them, which Null refuses.
		"events": allow(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("events:PutEvents"),
			Resources: &[]*string{d.bus.EventBusArn()},
			Conditions: &map[string]any{
				"ForAllValues:StringEquals": map[string]string{"events:source": "demo.token-customizer", "events:detail-type": "TokensCustomized.v1"},
				"Null":                      map[string]string{"events:source": "false", "events:detail-type": "false"},
			},
		}),
	}
	if d.chosen.otlpHeadersSecretARN != "" {
		policies["otlp-headers"] = allow(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("secretsmanager:GetSecretValue"),
			Resources: &[]*string{jsii.String(d.chosen.otlpHeadersSecretARN)},
		})
	}
	function := d.newFunction(functionProps{
		id:          "TokenCustomizer",
		name:        "token-customizer",
		description: "Customizes the tokens of a Cognito user pool",
		role:        "Lets the token customizer write logs and publish events",
		policies:    policies,
		memory:      256,
		timeout:     4, // Cognito stops waiting after 5 s, and the function's log does not show it
		environment: map[string]*string{
			"EVENT_BUS_NAME":              d.bus.EventBusName(),
			"OTEL_SERVICE_NAME":           awscdk.Aws_STACK_NAME(),
			"OTEL_EXPORTER_OTLP_ENDPOINT": jsii.String(d.chosen.otlpEndpoint),
			"OTLP_HEADERS_SECRET_ARN":     jsii.String(d.chosen.otlpHeadersSecretARN),
			// By default, Go reads the certificates twice: two folders of Amazon Linux hold the same ones.
			"SSL_CERT_FILE": jsii.String("/etc/pki/tls/certs/ca-bundle.crt"),
			"SSL_CERT_DIR":  jsii.String("/etc/pki/ca-trust/source/anchors"),
		},
		skips: []skip{
			{"CKV_AWS_115", "A reserved concurrency would refuse sign-ins in a burst. The throttles alarm watches the account's limit."},
			{"CKV_AWS_116", "Cognito calls the function synchronously. A dead letter queue only gets asynchronous calls."},
			{"CKV_AWS_117", "The function calls nothing inside a VPC, and joining one only adds ways to fail."},
			{"CKV_AWS_173", "No environment variable is a secret, and Lambda encrypts them by default."},
		},
		logSkips: []skip{
			{"CKV_AWS_158", "CloudWatch Logs encrypts by default, and the function logs no secrets and no personal data."},
		},
	})
	d.newUserPool(function, userPoolProps{
		function:   "token-customizer",
		functionID: "TokenCustomizer",
		existing:   d.chosen.existingUserPoolID,
		tier:       d.chosen.userPoolTier,
		version:    "V2_0",
		attributes: []string{"plan", "tenant_id"},
	})
	// Cognito tries a call up to three times, and then the sign-in or the token refresh fails. So a single error matters.
	d.alarmAtOnce("ErrorsAlarm", count(function, "AWS/Lambda", "Errors"),
		"The token customizer fails, so users cannot sign in. Read its log. To get users in at once, run scripts/attach.sh detach.")
	d.alarmAtOnce("ThrottlesAlarm", count(function, "AWS/Lambda", "Throttles"),
		"Lambda throttles the token customizer, so users cannot sign in. The account has reached its concurrency limit.")
	// A lost event does not fail the call, so only this alarm shows it.
	d.alarmAtOnce("EventsAlarm", awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String("failed + dropped"),
		Label:      jsii.String("Events that were not published"),
		Period:     minute(),
		UsingMetrics: &map[string]awscloudwatch.IMetric{
			"failed":  count(function, "demo", "EventsFailed"),
			"dropped": count(function, "demo", "EventsDropped"),
		},
	}),
		`Events of the token customizer are not published. The lines "event not published" in its log have the reason.`)
	d.alarmIfSlow("DurationAlarm", function, 3000, "The token customizer takes more than 3 s of its 4 s.")
}

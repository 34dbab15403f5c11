package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// settings are what a deployment can choose, with --context on the command line or, to stay, in the context of cdk.json.
type settings struct {
	// stackName is the name of the stack, and of the user pool that it makes.
	stackName string
	// existingUserPoolID is the user pool to customize tokens for. Empty makes a new one.
	existingUserPoolID string
	// userPoolTier is the feature plan of the new user pool.
	userPoolTier string
	// existingEventBusName is the bus to publish to, in the same account and region. Empty makes a new one, with an archive.
	existingEventBusName string
	// otlpEndpoint is where traces go with OTLP over HTTP; /v1/traces is added. Empty sends none.
	otlpEndpoint string
	// otlpHeadersSecretARN is the secret in AWS Secrets Manager with the headers to send along, as name=value,name=value. Empty sends none.
	otlpHeadersSecretARN string
	// logRetention is how long logs are kept.
	logRetention awslogs.RetentionDays
	// alarmTopicARN is the SNS topic that the alarms notify. Empty makes alarms that notify nobody.
	alarmTopicARN string
}

// known are the keys of the settings.
const known = "stackName, existingUserPoolId, userPoolTier, existingEventBusName, otlpEndpoint, otlpHeadersSecretArn, " +
	"logRetentionInDays or alarmTopicArn"

var (
	stackNames = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]{0,127}$`)
	poolIDs    = regexp.MustCompile(`^$|^[a-z]{2,4}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+$`)
	busNames   = regexp.MustCompile(`^$|^[/\.\-_A-Za-z0-9]{1,256}$`)
	endpoints  = regexp.MustCompile(`^$|^https?://.+$`)
	secretARNs = regexp.MustCompile(`^$|^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}$`)
	topicARNs  = regexp.MustCompile(`^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$`)
)

// retentions are the days that CloudWatch Logs can keep logs for.
var retentions = map[string]awslogs.RetentionDays{
	"1": awslogs.RetentionDays_ONE_DAY, "3": awslogs.RetentionDays_THREE_DAYS, "5": awslogs.RetentionDays_FIVE_DAYS,
	"7": awslogs.RetentionDays_ONE_WEEK, "14": awslogs.RetentionDays_TWO_WEEKS, "30": awslogs.RetentionDays_ONE_MONTH,
	"60": awslogs.RetentionDays_TWO_MONTHS, "90": awslogs.RetentionDays_THREE_MONTHS, "120": awslogs.RetentionDays_FOUR_MONTHS,
	"150": awslogs.RetentionDays_FIVE_MONTHS, "180": awslogs.RetentionDays_SIX_MONTHS, "365": awslogs.RetentionDays_ONE_YEAR,
	"400": awslogs.RetentionDays_THIRTEEN_MONTHS, "545": awslogs.RetentionDays_EIGHTEEN_MONTHS, "731": awslogs.RetentionDays_TWO_YEARS,
	"1096": awslogs.RetentionDays_THREE_YEARS, "1827": awslogs.RetentionDays_FIVE_YEARS, "2192": awslogs.RetentionDays_SIX_YEARS,
	"2557": awslogs.RetentionDays_SEVEN_YEARS, "2922": awslogs.RetentionDays_EIGHT_YEARS, "3288": awslogs.RetentionDays_NINE_YEARS,
	"3653": awslogs.RetentionDays_TEN_YEARS,
}

// readSettings reads the settings from the context of the app. The error lists everything that is wrong with it.
func readSettings(context map[string]any) (settings, error) {
	chosen := settings{stackName: "demo", userPoolTier: "ESSENTIALS", logRetention: awslogs.RetentionDays_ONE_MONTH}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(context)) {
		value := fmt.Sprint(context[key]) // --context makes text of numbers too
		valid, want := true, ""
		switch key {
		case "stackName":
			chosen.stackName = value
			valid, want = stackNames.MatchString(value), "letters, digits and hyphens, with a letter first"
		case "existingUserPoolId":
			chosen.existingUserPoolID = value
			valid, want = poolIDs.MatchString(value), "the id of a user pool, such as eu-west-1_AbCdEf123, and no ARN"
		case "userPoolTier":
			chosen.userPoolTier = value
			valid, want = value == "ESSENTIALS" || value == "PLUS", "ESSENTIALS or PLUS; LITE has no V2_0 trigger"
		case "existingEventBusName":
			chosen.existingEventBusName = value
			valid, want = busNames.MatchString(value), "the name of an event bus, and no ARN"
		case "otlpEndpoint":
			chosen.otlpEndpoint = value
			valid, want = endpoints.MatchString(value), "an address that begins with http:// or https://"
		case "otlpHeadersSecretArn":
			chosen.otlpHeadersSecretARN = value
			valid, want = secretARNs.MatchString(value), "the ARN of a secret in AWS Secrets Manager, with the six characters at its end"
		case "logRetentionInDays":
			chosen.logRetention, valid = retentions[value]
			want = "one of the numbers of days that CloudWatch Logs offers, such as 30, 90 or 365"
		case "alarmTopicArn":
			chosen.alarmTopicARN = value
			valid, want = topicARNs.MatchString(value), "the ARN of an SNS topic"
		default:
			if !ofCDK(key) {
				problems = append(problems, fmt.Errorf("context %s is unknown: use %s", key, known))
			}
		}
		if !valid {
			problems = append(problems, fmt.Errorf("context %s is %q: use %s", key, value, want))
		}
	}
	if chosen.otlpHeadersSecretARN != "" && isExposed(chosen.otlpEndpoint) {
		problems = append(problems, errors.New("context otlpEndpoint begins with http://, where others can read the headers of the secret on the way: use https://"))
	}
	return chosen, errors.Join(problems...)
}

// isExposed tells whether others can read on the way what is sent to the endpoint: it is neither behind TLS nor in the execution environment.
func isExposed(endpoint string) bool {
	address, err := url.Parse(endpoint)
	if err != nil || address.Scheme != "http" {
		return false
	}
	return address.Hostname() != "localhost" && !net.ParseIP(address.Hostname()).IsLoopback()
}

// ofCDK tells whether the key is one that the CDK sets: a feature flag, an option of the CLI, or a lookup.
func ofCDK(key string) bool {
	return strings.Contains(key, ":") || key == "cli-telemetry" || key == "acknowledged-issue-numbers"
}

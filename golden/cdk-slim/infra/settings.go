package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// settings are what a deployment can choose, with --context on the command line, or permanently in the context of cdk.json.
type settings struct {
	// stackName is the name of the stack, and of what it makes.
	stackName string
	// User pool whose tokens token-customizer customizes. Leave empty to create one. Attach an existing one after the deployment, with scripts/attach.sh.
	existingUserPoolID string
	// Feature plan of the new user pool of token-customizer. The Lite plan has no V2_0 trigger.
	userPoolTier string
	// How many days to keep logs.
	logRetentionInDays string
	// SNS topic to notify when an alarm changes. Leave empty to notify nobody.
	alarmTopicARN string
}

// setting is one of the settings.
type setting struct {
	key   string // in the context
	value *string
	valid func(string) bool
	want  string // valid values, in words
}

// all lists the settings.
func (s *settings) all() []setting {
	return []setting{
		{"stackName", &s.stackName, matches(`^[a-zA-Z][a-zA-Z0-9-]{0,127}$`), "letters, digits and hyphens, with a letter first"},
		{
			"existingUserPoolId", &s.existingUserPoolID, matches(`^$|^[a-z]{2,4}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+$`),
			"a user pool ID, such as eu-west-1_AbCdEf123, not an ARN",
		},
		{
			"userPoolTier", &s.userPoolTier, oneOf("ESSENTIALS", "PLUS"),
			"ESSENTIALS or PLUS, since LITE has no V2_0 trigger",
		},
		{
			"logRetentionInDays", &s.logRetentionInDays, oneOf(slices.Collect(maps.Keys(retentions))...),
			"a number of days that CloudWatch Logs offers, such as 30, 90 or 365",
		},
		{
			"alarmTopicArn", &s.alarmTopicARN, matches(`^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$`),
			"the ARN of an SNS topic",
		},
	}
}

// defaults returns the settings of a deployment that chooses nothing.
func defaults() settings {
	return settings{
		stackName:          "demo",
		userPoolTier:       "ESSENTIALS",
		logRetentionInDays: "30",
	}
}

func matches(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }

func oneOf(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, value) }
}

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
	chosen := defaults()
	known := map[string]setting{}
	var keys []string
	for _, setting := range chosen.all() {
		known[setting.key] = setting
		keys = append(keys, setting.key)
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(context)) {
		setting, found := known[key]
		switch value := fmt.Sprint(context[key]); { // cdk.json can have numbers
		case found && setting.valid(value):
			*setting.value = value
		case found:
			problems = append(problems, fmt.Errorf("context %s is %q: use %s", key, value, setting.want))
		case !ofCDK(key):
			problems = append(problems, fmt.Errorf("context %s is unknown: use one of %s", key, strings.Join(keys, ", ")))
		}
	}
	return chosen, errors.Join(problems...)
}

// ofCDK reports whether the CDK itself sets the key: a feature flag, an option of the command line, or a lookup.
func ofCDK(key string) bool {
	return strings.Contains(key, ":") || key == "cli-telemetry" || key == "acknowledged-issue-numbers"
}

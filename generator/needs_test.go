package generator

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValue(t *testing.T) {
	for value, want := range map[Value]struct {
		names  []string
		only   string
		format string
		parts  []Value
	}{
		"":                  {nil, "", "", nil},
		"100%":              {nil, "", "100%%", []Value{"100%"}},
		"${Region}":         {[]string{"Region"}, "Region", "%s", []Value{"${Region}"}},
		"a${Region}":        {[]string{"Region"}, "", "a%s", []Value{"a", "${Region}"}},
		"${Region}.${Size}": {[]string{"Region", "Size"}, "", "%s.%s", []Value{"${Region}", ".", "${Size}"}},
	} {
		if got := value.Names(); !slices.Equal(got, want.names) {
			t.Errorf("%q refers to %q", value, got)
		}
		if got := value.Only(); got != want.only {
			t.Errorf("the only name in %q is %q", value, got)
		}
		if got := value.Format(); got != want.format {
			t.Errorf("%q has the format %q", value, got)
		}
		if got := value.Parts(); !slices.Equal(got, want.parts) {
			t.Errorf("%q has the parts %q", value, got)
		}
	}
}

// TestNeeds holds what the core adds to what a kind states.
func TestNeeds(t *testing.T) {
	for otel, want := range map[string]struct{ variables, policies, settings string }{
		"off":        {"", "", "Size LogRetentionInDays AlarmTopicArn"},
		"cloudwatch": {"OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_TRACES_ENDPOINT SSL_CERT_FILE SSL_CERT_DIR", "traces", "Size LogRetentionInDays AlarmTopicArn"},
		"otlp": {
			"OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT OTLP_HEADERS_SECRET_ARN SSL_CERT_FILE SSL_CERT_DIR", "otlp-headers",
			"Size OtlpEndpoint OtlpHeadersSecretArn LogRetentionInDays AlarmTopicArn",
		},
		"collector": {
			"OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT OPENTELEMETRY_COLLECTOR_CONFIG_URI CLOUDWATCH_TRACES_ENDPOINT", "traces",
			"Size CollectorLayerArn LogRetentionInDays AlarmTopicArn",
		},
	} {
		t.Run(otel, func(t *testing.T) {
			spec, err := Catalog{plain{}}.Resolve(Answers{"name": "demo", "otel": otel})
			if err != nil {
				t.Fatal(err)
			}
			project, err := newData(spec)
			if err != nil {
				t.Fatal(err)
			}
			needs := project.functions[0].Needs()
			var variables, policies, settings []string
			for _, variable := range needs.Environment {
				variables = append(variables, variable.Name)
			}
			for _, permission := range needs.Permissions {
				policies = append(policies, permission.Name)
			}
			for _, setting := range project.Settings() {
				settings = append(settings, setting.Name)
			}
			got := []string{strings.Join(variables, " "), strings.Join(policies, " "), strings.Join(settings, " ")}
			if diff := cmp.Diff([]string{want.variables, want.policies, want.settings}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			last := needs.Alarms[len(needs.Alarms)-1]
			if last.Name != "Duration" || last.Over != 2250 || last.Description != "The plain function takes more than 2.25 s of its 3 s." {
				t.Errorf("the alarm on the duration is %+v", last)
			}
		})
	}
}

func TestSettingNames(t *testing.T) {
	for name, want := range map[string][2]string{
		"Size":                            {"size", "size"},
		"ExistingUserPoolId":              {"existingUserPoolId", "existingUserPoolID"},
		"PartnerTokensExistingUserPoolId": {"partnerTokensExistingUserPoolId", "partnerTokensExistingUserPoolID"},
		"AlarmTopicArn":                   {"alarmTopicArn", "alarmTopicARN"},
	} {
		setting := Setting{Name: name}
		if got := [2]string{setting.Key(), setting.Field()}; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAlign(t *testing.T) {
	const text = "a:|1\nlonger:|2\n// comment\nb:|3 | 4\n"
	if got, want := align(text), "a:      1\nlonger: 2\n// comment\nb: 3 | 4\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGoString(t *testing.T) {
	for text, want := range map[string]string{"a": `"a"`, `a "b"`: "`a \"b\"`", "a \"b\" `c`": "\"a \\\"b\\\" `c`\""} {
		if got := goString(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

package generator

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Needs states what a function needs from infrastructure as code, in terms that are common to all flavors. Its kind states it once, the core adds what
// traces and the publisher need, and the templates below templates/iac write it, each flavour in its own idiom. Resources that only one kind
// has, such as a user pool, are in the layers templates/kinds/<kind>+<flavour>.
type Needs struct {
	// Summary says what the function is, as the end of a sentence about the project.
	Summary string
	// Description says what the function does, and Subject is what a sentence calls it, such as "the order audit".
	Description, Subject string
	// TimeoutNote says why the timeout is what it is. It may be empty.
	TimeoutNote string
	// EventType is the detail type of the events that the function publishes. It is empty if it publishes none.
	EventType   string
	Environment []Variable
	// Permissions are those of the function's role, besides writing its log.
	Permissions []Permission
	Alarms      []Alarm
	// Settings are what a deployment can choose about the function. Their names begin with the function's prefix.
	Settings []Setting
	// Skips are checks of checkov that the function fails, LogSkips those of its log group, and RoleSkips those of its role.
	Skips, LogSkips, RoleSkips []Skip
}

// Variable is an environment variable of a function.
type Variable struct {
	Name  string
	Value Value
	// Comment is the reason for the variable, and for those after it. It may be empty.
	Comment string
}

// Permission allows the function something.
type Permission struct {
	// Name of the policy.
	Name, Comment string
	// Allows ends the sentence "Lets the function write logs and ...".
	Allows     string
	Actions    []string
	Resource   Value
	Conditions []Condition
	// If is a setting. Where it is empty, there is no such permission.
	If string
}

// Condition is an operator of IAM, and what it compares.
type Condition struct {
	Operator string
	Keys     []KeyValue
}

// KeyValue is a condition key of IAM and its value.
type KeyValue struct{ Key, Value string }

// Alarm goes off if something is counted within a minute, or if the function is slow.
type Alarm struct {
	// Name begins the alarm's id: Errors for ErrorsAlarm.
	Name                 string
	Comment, Description string
	// Counts are metrics with the function's name as their dimension. The alarm is about their sum. If there are several, Sum is the sum's id,
	// and Label its name.
	Counts                []Count
	Namespace, Sum, Label string
	// Over is for an alarm on the duration instead: the milliseconds that 99% of the calls must stay below.
	Over int
}

// Count is a metric, and its id within a sum.
type Count struct{ Metric, ID string }

// ByID are the alarm's counts, sorted.
func (a Alarm) ByID() []Count {
	return slices.SortedFunc(slices.Values(a.Counts), func(x, y Count) int { return strings.Compare(x.ID, y.ID) })
}

// Setting is what a deployment can choose: a parameter of a template, a key in the context of the CDK.
type Setting struct {
	Name, Description string
	Default           string
	// Pattern is what a value must match unless it is empty. Allowed are all values of a setting without a pattern.
	Pattern string
	Allowed []string
	Number  bool
	// Want describes valid values, as the end of "use ...".
	Want string
	// Example is a valid value other than the default. Mistake is one that people may try, and that is refused.
	Example, Mistake string
}

// Skip is a check that a resource may fail, with the reason.
type Skip struct{ Check, Reason string }

// Names that a [Value] can refer to besides settings. Each flavour knows what to write for them.
const (
	StackName    = "StackName"
	Region       = "Region"
	URLSuffix    = "URLSuffix"
	EventBusName = "EventBusName"
	EventBusARN  = "EventBusARN"
)

// Value is a text in which ${Name} refers to a setting or to one of the names above.
type Value string

var reference = regexp.MustCompile(`\$\{(\w+)\}`)

// Names returns what the value refers to, in order.
func (v Value) Names() []string {
	var names []string
	for _, match := range reference.FindAllStringSubmatch(string(v), -1) {
		names = append(names, match[1])
	}
	return names
}

// Only returns the name that is the whole of the value, or nothing.
func (v Value) Only() string {
	if names := v.Names(); len(names) == 1 && string(v) == "${"+names[0]+"}" {
		return names[0]
	}
	return ""
}

// Format is the value as a format of package fmt, for the values of its names.
func (v Value) Format() string {
	return reference.ReplaceAllString(strings.ReplaceAll(string(v), "%", "%%"), "%s")
}

// Parts splits the value into texts and references.
func (v Value) Parts() []Value {
	var parts []Value
	end := 0
	for _, at := range reference.FindAllStringIndex(string(v), -1) {
		parts = append(parts, v[end:at[0]], v[at[0]:at[1]])
		end = at[1]
	}
	parts = append(parts, v[end:])
	return slices.DeleteFunc(parts, func(part Value) bool { return part == "" })
}

// Setting is the setting that is the whole of the value.
func (v Value) Setting() Setting { return Setting{Name: v.Only()} }

// Setting is the setting that the permission depends on.
func (p Permission) Setting() Setting { return Setting{Name: p.If} }

// Sums reports whether an alarm is about a sum of metrics.
func (n Needs) Sums() bool {
	return slices.ContainsFunc(n.Alarms, func(a Alarm) bool { return len(a.Counts) > 1 })
}

// Refers reports whether a variable or a permission refers to a name.
func (n Needs) Refers(name string) bool {
	return slices.ContainsFunc(n.Environment, func(v Variable) bool { return slices.Contains(v.Value.Names(), name) }) ||
		slices.ContainsFunc(n.Permissions, func(p Permission) bool { return slices.Contains(p.Resource.Names(), name) })
}

// Required are the permissions that depend on no setting.
func (n Needs) Required() []Permission {
	return slices.DeleteFunc(slices.Clone(n.Permissions), func(p Permission) bool { return p.If != "" })
}

// Optional are the permissions that depend on a setting.
func (n Needs) Optional() []Permission {
	return slices.DeleteFunc(slices.Clone(n.Permissions), func(p Permission) bool { return p.If == "" })
}

// Role describes the function's role.
func (n Needs) Role() string {
	allowed := []string{"write logs"}
	for _, permission := range n.Required() {
		allowed = append(allowed, permission.Allows)
	}
	return "Lets " + n.Subject + " " + enumerate(allowed)
}

// enumerate joins words as a sentence does.
func enumerate(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// Needs is all that the function needs: what its kind says, and what follows from traces and events and is the same for every function.
func (f FunctionData) Needs() Needs {
	needs := f.Function.Kind.Needs(f)
	f.addEvents(&needs)
	f.addTraces(&needs)
	if needs.EventType != "" || f.Has("otlp") || f.Has("cloudwatch") {
		needs.Environment = append(needs.Environment, Variable{
			Name: "SSL_CERT_FILE", Value: "/etc/pki/tls/certs/ca-bundle.crt",
			Comment: "By default, Go reads the certificates twice: two folders of Amazon Linux hold the same ones.",
		}, Variable{Name: "SSL_CERT_DIR", Value: "/etc/pki/ca-trust/source/anchors"})
	}
	needs.Skips = append(needs.Skips, Skip{"CKV_AWS_117", "The function calls nothing inside a VPC, and joining one only adds ways to fail."})
	if len(needs.Environment) > 0 {
		needs.Skips = append(needs.Skips, Skip{"CKV_AWS_173", "No environment variable is a secret, and Lambda encrypts them by default."})
	}
	needs.LogSkips = append(needs.LogSkips, Skip{
		"CKV_AWS_158", "CloudWatch Logs encrypts by default, and the function logs no secrets and no personal data.",
	})
	const slow = 0.75 // of the timeout
	limit := float64(f.Function.Timeout) * slow
	needs.Alarms = append(needs.Alarms, Alarm{
		Name: "Duration", Over: int(limit * 1000),
		Description: fmt.Sprintf("%s takes more than %s s of its %d s.", sentence(needs.Subject), strconv.FormatFloat(limit, 'f', -1, 64), f.Function.Timeout),
	})
	return needs
}

// sentence begins a sentence.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// EventSource is the source of the events that the function publishes.
func (f FunctionData) EventSource() string { return f.Name + "." + f.Function.Name }

func (f FunctionData) addEvents(needs *Needs) {
	if needs.EventType == "" {
		return
	}
	needs.Environment = append(needs.Environment, Variable{Name: "EVENT_BUS_NAME", Value: "${EventBusName}"})
	needs.Permissions = append(needs.Permissions, Permission{
		Name: "events", Allows: "publish events", Actions: []string{"events:PutEvents"}, Resource: "${EventBusARN}",
		Comment: "The function has the same source and type. ForAllValues alone would also allow a request without them, which Null refuses.",
		Conditions: []Condition{
			{"ForAllValues:StringEquals", []KeyValue{{"events:source", f.EventSource()}, {"events:detail-type", needs.EventType}}},
			{"Null", []KeyValue{{"events:source", "false"}, {"events:detail-type", "false"}}},
		},
	})
	needs.Alarms = append(needs.Alarms, Alarm{
		Name: "Events", Namespace: f.Name, Sum: "lost", Label: "Events that were not published",
		Counts:      []Count{{"EventsFailed", "failed"}, {"EventsDropped", "dropped"}},
		Comment:     "A lost event does not fail the call, so only this alarm shows it.",
		Description: "Events of " + needs.Subject + ` are not published. The lines "event not published" in its log have the reason.`,
	})
}

func (f FunctionData) addTraces(needs *Needs) {
	if !f.Traces() {
		return
	}
	const xray = "https://xray.${Region}.${URLSuffix}/v1/traces"
	service := Value("${StackName}")
	if f.Function.Prefix() != "" {
		service += Value("-" + f.Function.Name)
	}
	add := func(name string, value Value) {
		needs.Environment = append(needs.Environment, Variable{Name: name, Value: value})
	}
	add("OTEL_SERVICE_NAME", service)
	switch f.OTel {
	case "otlp":
		add("OTEL_EXPORTER_OTLP_ENDPOINT", "${OtlpEndpoint}")
		add("OTLP_HEADERS_SECRET_ARN", "${OtlpHeadersSecretArn}")
		needs.Permissions = append(needs.Permissions, Permission{
			Name: "otlp-headers", Allows: "read the headers for traces", Actions: []string{"secretsmanager:GetSecretValue"},
			Resource: "${OtlpHeadersSecretArn}", If: "OtlpHeadersSecretArn",
		})
	case "cloudwatch":
		add("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", xray)
	case "collector":
		add("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
		add("OPENTELEMETRY_COLLECTOR_CONFIG_URI", "/var/task/collector.yaml")
		add("CLOUDWATCH_TRACES_ENDPOINT", xray)
	}
	if f.FollowsXRay() {
		needs.Permissions = append(needs.Permissions, Permission{
			Name: "traces", Allows: "send traces", Actions: []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, Resource: "*",
			Comment: "For the function's own spans and, because its tracing is active, for Lambda's.",
		})
		needs.RoleSkips = append(needs.RoleSkips, Skip{"CKV_AWS_111", "X-Ray has no resources that its statement could name."})
	}
}

// Settings are what a deployment of the project can choose: about each function, and about the whole project.
func (d Data) Settings() []Setting {
	var settings []Setting
	for _, function := range d.functions {
		settings = append(settings, function.Function.Kind.Needs(function.FunctionData).Settings...)
	}
	if d.Has("publisher") {
		settings = append(settings, Setting{
			Name: "ExistingEventBusName", Pattern: `[/\.\-_A-Za-z0-9]{1,256}`, Want: "the name of an event bus, not its ARN",
			Description: "Event bus to publish to, in this account and Region. Leave empty to create one with an archive.",
			Example:     "team/events", Mistake: "arn:aws:events:eu-west-1:123456789012:event-bus/events",
		})
	}
	switch d.OTel {
	case "otlp":
		settings = append(settings, Setting{
			Name: "OtlpEndpoint", Pattern: `https?://.+`, Want: "a URL that begins with http:// or https://",
			Description: "Base URL for traces over OTLP/HTTP, such as https://otlp.example.com. The function adds /v1/traces. Leave empty to send none. " +
				"With OtlpHeadersSecretArn, nothing is sent to another machine over http://.",
			Example: "https://otlp.example.com", Mistake: "otlp.example.com",
		}, Setting{
			Name: "OtlpHeadersSecretArn", Pattern: `arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}`,
			Want:        "the ARN of a secret in AWS Secrets Manager, including the six characters at its end",
			Description: "Secret in AWS Secrets Manager with request headers for traces, as name=value,name=value. Leave empty to send none.",
			Example:     "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf",
			Mistake:     "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp",
		})
	case "collector":
		settings = append(settings, Setting{
			Name: "CollectorLayerArn", Pattern: `arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:.+:[0-9]+`, Want: "the ARN of a layer version",
			Description: "Layer with the OpenTelemetry Collector. Leave empty to use the community's layer in this Region.",
			Example:     "arn:aws:lambda:eu-west-1:123456789012:layer:collector:1", Mistake: "arn:aws:lambda:eu-west-1:123456789012:layer:collector",
		})
	}
	return append(settings, Setting{
		Name: "LogRetentionInDays", Description: "How many days to keep logs.", Default: "30", Number: true, Allowed: retentions,
		Want: "a number of days that CloudWatch Logs offers, such as 30, 90 or 365", Example: "365", Mistake: "31",
	}, Setting{
		Name: "AlarmTopicArn", Pattern: `arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+`, Want: "the ARN of an SNS topic",
		Description: "SNS topic to notify when an alarm changes. Leave empty to notify nobody.",
		Example:     "arn:aws:sns:eu-west-1:123456789012:alarms", Mistake: "alarms",
	})
}

// retentions are the days that CloudWatch Logs can keep logs for (CloudWatch Logs API Reference, PutRetentionPolicy).
var retentions = []string{
	"1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827", "2192", "2557", "2922", "3288",
	"3653",
}

// Key is the setting's name with a lower-case first letter.
func (s Setting) Key() string { return lowerFirst(s.Name) }

// Field is the setting's name as that of an unexported field in Go.
func (s Setting) Field() string {
	field := s.Key()
	for word, initials := range map[string]string{"Id": "ID", "Arn": "ARN"} {
		if base, found := strings.CutSuffix(field, word); found {
			field = base + initials
		}
	}
	return field
}

// Summary describes the project in one line.
func (d Data) Summary() string {
	if len(d.functions) == 1 {
		function := d.functions[0]
		return d.Name + ", " + function.Function.Kind.Needs(function.FunctionData).Summary
	}
	const most = 5 // CloudFormation takes 1024 bytes
	if len(d.functions) > most {
		return fmt.Sprintf("%s, %d Lambda functions", d.Name, len(d.functions))
	}
	names := make([]string, len(d.functions))
	for i, function := range d.functions {
		names[i] = function.Function.Name
	}
	return d.Name + ", the Lambda functions " + enumerate(names)
}

// EventSources are the sources of all events that the project publishes.
func (d Data) EventSources() (sources []string) {
	for _, function := range d.functions {
		if function.Has("publisher") {
			sources = append(sources, function.EventSource())
		}
	}
	return sources
}

// EventTypes are the detail types of all events that the project publishes.
func (d Data) EventTypes() (types []string) {
	for _, function := range d.functions {
		eventType := function.Function.Kind.Needs(function.FunctionData).EventType
		if eventType != "" && !slices.Contains(types, eventType) {
			types = append(types, eventType)
		}
	}
	return types
}

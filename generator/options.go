package generator

import (
	"slices"
	"strings"
)

// Kind tells what an answer looks like.
type Kind int

const (
	// Text is one line, checked by the option.
	Text Kind = iota
	// Choose is one of the option's choices.
	Choose
	// Pairs is a list of claim=attribute pairs, with commas between them on the command line.
	Pairs
)

// Option is one question about a project. Flags, answers files, the wizard, `golam variants`, the golden matrix and the reference
// documentation all come from the list that [Options] returns.
type Option struct {
	// Key is the flag without its dashes, the key in an answers file and the key at the top level of golam.yaml.
	Key string
	// Page is the title of the wizard page that asks it.
	Page string
	// Question is what the wizard asks.
	Question string
	// Help is one line on what the answer changes: size, cost, plan.
	Help string
	Kind Kind
	// Choices are the values allowed for Choose, the default first.
	Choices []Choice
	// Default is the answer where none is given; for name and module it depends on other answers, see DefaultHelp.
	Default string
	// DefaultHelp says in words what Default cannot.
	DefaultHelp string
	// Golden options are crossed with each other to make the golden projects.
	Golden bool

	check func(value string) []string
	get   func(*Spec) string
	set   func(*Spec, string)
}

// Choice is one allowed value of an option.
type Choice struct {
	Value string
	// Help is what choosing it means, in one line. That of a switch begins with no or yes, as the wizard calls its values.
	Help string
	// Label is what the choice adds to the name of a golden project; nothing where it is left empty.
	Label string
	// Layers are the template layers that it adds to the project.
	Layers []string
	// Apart choices are not crossed with others to make golden projects: they have one of their own.
	Apart bool
	// LayersWith are those that it adds to a project which has another layer too, by the name of that layer.
	LayersWith map[string][]string
}

// Values returns the option's choices as text, in their order.
func (o Option) Values() []string {
	values := make([]string, len(o.Choices))
	for i, choice := range o.Choices {
		values[i] = choice.Value
	}
	return values
}

// IsSwitch tells that the option is on or off, so that its flag needs no value.
func (o Option) IsSwitch() bool { return slices.Equal(o.Values(), []string{"false", "true"}) }

// Check lists what is wrong with an answer, with the fix; it is empty for an answer that will do.
func (o Option) Check(value string) []string {
	if o.Kind == Choose {
		if slices.Contains(o.Values(), value) {
			return nil
		}
		return []string{Unknown("choice", value, o.Values())}
	}
	return o.check(value)
}

// Answer returns the spec's answer to the option.
func (o Option) Answer(spec Spec) string { return o.get(&spec) }

// choices fills in what the choices of an option determine.
func choices(o Option, field func(*Spec) *string) Option {
	o.Kind = Choose
	o.Default = o.Choices[0].Value
	o.get = func(s *Spec) string { return *field(s) }
	o.set = func(s *Spec, value string) { *field(s) = value }
	return o
}

// Options returns every option in the order in which it is asked.
func Options() []Option {
	return []Option{
		{
			Key: "name", Page: "Project", Question: "What is the project called?",
			Help:        "Names the folder, the stack and the resources: lower case letters, digits and hyphens, at most 40.",
			DefaultHelp: "the last element of DIR",
			check:       checkName,
			get:         func(s *Spec) string { return s.Name },
			set:         func(s *Spec, value string) { s.Name = value },
		},
		{
			Key: "module", Page: "Project", Question: "What is its Go module path?",
			Help:        "Where others would import it from, such as github.com/you/project. It need not exist yet.",
			DefaultHelp: "example.com/<name>",
			check:       checkModule,
			get:         func(s *Spec) string { return s.Module },
			set:         func(s *Spec, value string) { s.Module = value },
		},
		choices(Option{
			Key: "trigger", Page: "Tokens", Question: "Which version of Cognito's pre token generation trigger?",
			Help: "V1 works on the Lite plan but changes ID tokens alone; V2 and V3 need the Essentials plan.",
			Choices: []Choice{
				{Value: "v2", Help: "ID and access tokens of users (Essentials or Plus plan)", Layers: []string{"trigger-v2"}},
				{Value: "v1", Help: "ID tokens of users, text claims only (any plan)", Layers: []string{"trigger-v1"}},
				{Value: "v3", Help: "as v2, and access tokens of machines (Essentials or Plus; priced apart)", Layers: []string{"trigger-v2", "trigger-v3"}},
			},
		}, func(s *Spec) *string { return &s.Trigger }),
		{
			Key: "claims", Page: "Tokens", Question: "Which claims does the policy start with?", Kind: Pairs,
			Help:    "Pairs of claim and user attribute. The policy is a Go file that you edit later.",
			Default: "tenant_id=custom:tenant_id,plan=custom:plan",
			check:   func(value string) []string { _, problems := parseClaims(value); return problems },
			get:     func(s *Spec) string { return formatClaims(s.Claims) },
			set:     func(s *Spec, value string) { s.Claims, _ = parseClaims(value) },
		},
		choices(Option{
			Key: "iac", Page: "Deployment", Question: "What deploys it?", Golden: true,
			Help: "Every resource is in one readable file or package, with least privilege and alarms.",
			Choices: []Choice{
				{Value: "sam", Label: "sam", Help: "AWS SAM: template.yaml, sam build and sam deploy", Layers: []string{"sam", "attach"}},
				{Value: "cdk", Label: "cdk", Help: "AWS CDK: a stack in Go with its own tests; needs Node.js", Layers: []string{"cdk", "attach"}},
			},
		}, func(s *Spec) *string { return &s.IaC }),
		choices(Option{
			Key: "ci", Page: "Deployment", Question: "Where do its checks run?",
			Help: "Tests, linters and a deploy job that is off until you name a role for it.",
			Choices: []Choice{
				{Value: "github", Help: "GitHub Actions, actions pinned by commit, and Dependabot", Layers: []string{"github"}},
				{Value: "none", Help: "nowhere but on your machine: make test, make lint"},
			},
		}, func(s *Spec) *string { return &s.CI }),
		choices(Option{
			Key: "eventbridge", Page: "Events", Question: "Does it publish an event for each sign-in?", Golden: true,
			Help: "To Amazon EventBridge, without personal data, while the user waits: some 10 ms, 0.8 s at most. Adds 0.5 MB (1.2 with slim).",
			Choices: []Choice{
				{Value: "false", Help: "no"},
				{Value: "true", Help: "yes: to a new bus with an archive and an example consumer, or to yours", Label: "eventbridge", Layers: []string{"awsroots", "eventbridge"}},
			},
		}, func(s *Spec) *string { return &s.EventBridge }),
		choices(Option{
			Key: "otel", Page: "Traces", Question: "Where do its OpenTelemetry traces go?", Golden: true,
			Help: "Spans leave after the answer, so no user waits for them. Adds 0.4 MB (1.8 with slim).",
			Choices: []Choice{
				{
					Value: "otlp", Label: "otlp", Layers: []string{"awsendpoint", "otel", "otel-otlp", "sigv4"},
					Help: "any OTLP endpoint: wired, and silent until you configure one",
				},
				{
					Value: "cloudwatch", Layers: []string{"awsroots", "otel", "otel-cloudwatch", "sigv4"}, Apart: true,
					Help: "CloudWatch, straight from the function (Transaction Search must be on)",
				},
				{
					Value: "collector", Layers: []string{"otel", "otel-collector"}, Apart: true,
					Help: "an OpenTelemetry Collector in a layer, which makes cold starts longer",
				},
				{Value: "off", Help: "nowhere: no OpenTelemetry in the project"},
			},
		}, func(s *Spec) *string { return &s.OTel }),
		choices(Option{
			Key: "runtime", Page: "Function", Question: "What does it run on?", Golden: true,
			Help: "Slim is, without events and traces, a third of the size; with traces a tenth smaller.",
			Choices: []Choice{
				{Value: "official", Help: "aws-lambda-go, and the AWS SDK where one is needed", Layers: []string{"official"}},
				{
					Value: "slim", Help: "the standard library: the project has its own small client of Lambda's Runtime API", Label: "slim",
					Layers: []string{"slim"}, LayersWith: map[string][]string{"eventbridge": {"awsendpoint", "netstream", "sigv4"}, "otel": {"netstream"}},
				},
			},
		}, func(s *Spec) *string { return &s.Runtime }),
		choices(Option{
			Key: "arch", Page: "Function", Question: "Which processor does it run on?",
			Help: "arm64 costs a fifth less per GB-second than x86_64.",
			Choices: []Choice{
				{Value: "arm64", Help: "AWS Graviton"},
				{Value: "x86_64", Help: "Intel or AMD"},
			},
		}, func(s *Spec) *string { return &s.Arch }),
	}
}

// optionKeys returns the key of every option.
func optionKeys() []string {
	var keys []string
	for _, option := range Options() {
		keys = append(keys, option.Key)
	}
	return keys
}

// formatClaims writes claims the way --claims takes them.
func formatClaims(claims []Claim) string {
	pairs := make([]string, len(claims))
	for i, claim := range claims {
		pairs[i] = claim.String()
	}
	return strings.Join(pairs, ",")
}

package golden_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/cloudformation"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/judges"
)

// parameterSamples are values of the SAM template's parameters that differ from the defaults. The CDK takes the same under the same names,
// spelled with a small first letter.
var parameterSamples = map[string]string{
	"ExistingUserPoolId":   "eu-west-1_AbCdEf123",
	"UserPoolTier":         "PLUS",
	"ExistingEventBusName": "team/events",
	"OtlpEndpoint":         "https://otlp.example.com",
	"OtlpHeadersSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf",
	"CollectorLayerArn":    "arn:aws:lambda:eu-west-1:123456789012:layer:collector:1",
	"LogRetentionInDays":   "365",
	"AlarmTopicArn":        "arn:aws:sns:eu-west-1:123456789012:alarms",

	// A second function has settings of its own.
	"PartnerTokensExistingUserPoolId": "eu-west-1_Partner",
	"PartnerTokensUserPoolTier":       "ESSENTIALS",
}

// expectedDifference is one between the templates of SAM and of the CDK that has to be.
type expectedDifference struct {
	path     string // as in cloudformation.Difference, with * for anything, and <function> for the id of a function
	sam, cdk string // what each has, for people
	why      string
}

func (e expectedDifference) matches(path string) bool {
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(e.path), `\*`, ".*") + "$"
	pattern = strings.ReplaceAll(pattern, "<function>", "(TokenCustomizer|PartnerTokens)")
	return regexp.MustCompile(pattern).MatchString(path)
}

var expectedDifferences = []expectedDifference{
	{
		"Resources.<function>.Properties.Code.*", "an object in SAM's bucket", "an object in the bucket of `cdk bootstrap`",
		"each tool uploads the bootstrap to a bucket of its own",
	},
	{
		"Resources.<function>.Properties.Tags", "`lambda:createdBy` is `SAM`", "no tag", "SAM's transformation tags functions",
	},
	{
		"Resources.<function>.Metadata.BuildMethod", "`makefile`", "nothing", "`sam build` runs this method; for the CDK, `make deploy` builds",
	},
	{
		"Resources.*EventsAlarm.Properties.Metrics.2.Id", "`lost`", "`expr_1`", "the CDK chooses the names of expressions; the alarm has only one",
	},
	{
		"Resources.*EventsAlarm.Properties.Metrics.2.ReturnData", "nothing", "`true`", "the CDK writes the default explicitly",
	},
	{
		"Parameters.BootstrapVersion", "nothing", "the version of the bootstrap stack", "the CDK deploys with that stack's roles and bucket",
	},
	{
		"Rules.CheckBootstrapVersion", "nothing", "a check of that version", "the same",
	},
}

// twins are the answers for two projects that are the same but for what deploys them.
type twins struct {
	name    string
	answers generator.Answers
	// functions are the functions of a project with several.
	functions []generator.FunctionAnswers
	// partly has the pair compared with some of the settings alone, too.
	partly bool
}

// allTwins returns twins for each combination of events and traces, for each version of the trigger, for two functions, and for every choice of
// every other option.
func allTwins() []twins {
	values := map[string][]string{}
	for _, option := range kinds.All().Options() {
		values[option.Key] = option.Values()
	}
	var pairs []twins
	for _, eventbridge := range values["eventbridge"] {
		for _, otel := range values["otel"] {
			pairs = append(pairs, twins{
				name:    fmt.Sprintf("eventbridge=%s,otel=%s", eventbridge, otel),
				answers: generator.Answers{"eventbridge": eventbridge, "otel": otel},
				partly:  otel == "off",
			})
		}
	}
	for _, trigger := range values["trigger"][1:] {
		pairs = append(pairs, twins{name: "trigger=" + trigger, answers: generator.Answers{"trigger": trigger, "otel": "off"}, partly: true})
	}
	for i, kind := range kinds.All() {
		apart := []string{"iac", generator.KindKey}
		if i == 0 {
			apart = append(apart, "otel", "eventbridge", "trigger") // there are twins for each of their choices already
		}
		pairs = append(pairs, otherTwins(kind.Name(), apart)...)
	}
	return append(pairs, twins{name: "two functions", partly: true, functions: []generator.FunctionAnswers{
		{Name: "token-customizer", Answers: generator.Answers{"eventbridge": "true"}},
		{Name: "partner-tokens", Answers: generator.Answers{"trigger": "v3", "claims": "company=custom:company", "eventbridge": "true", "timeout": "3"}},
	}}, twins{name: "two functions, one publishes", answers: generator.Answers{"otel": "collector"}, functions: []generator.FunctionAnswers{
		{Name: "token-customizer", Answers: generator.Answers{"trigger": "v1"}},
		{Name: "partner-tokens", Answers: generator.Answers{"claims": "company=email", "eventbridge": "true", "memory": "512"}},
	}})
}

// otherTwins returns twins of a kind in which every choice of every option occurs, apart from some options and from what is the default of all.
func otherTwins(kind string, apart []string) []twins {
	var pairs []twins
	for i := 1; ; i++ {
		answers, name := generator.Answers{}, kind
		for _, option := range kinds.All().OptionsOf(kind) {
			if !slices.Contains(apart, option.Key) && i < len(option.Choices) {
				answers[option.Key] = option.Choices[i].Value
				name += fmt.Sprintf(",%s=%s", option.Key, option.Choices[i].Value)
			}
		}
		if len(answers) == 0 {
			return pairs
		}
		answers[generator.KindKey] = kind
		pairs = append(pairs, twins{name: name, answers: answers})
	}
}

// write writes one of the twins.
func (p twins) write(t *testing.T, iac string) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "demo")
	write(t, folder, p.render(t, iac))
	return folder
}

// render renders one of the twins. All have the same module path, so that Go compiles what they have in common once.
func (p twins) render(t *testing.T, iac string) generator.Tree {
	t.Helper()
	answers := generator.Answers{}
	maps.Copy(answers, p.answers)
	answers["name"], answers["module"], answers["iac"] = "demo", "example.com/demo", iac
	spec, err := kinds.All().Resolve(answers, p.functions...)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestSeveralFunctionsAreFormatted holds Go files of projects with several functions to gofmt. TestEveryCombinationRenders does so for one function.
func TestSeveralFunctionsAreFormatted(t *testing.T) {
	formatted := formatter{}
	for _, pair := range allTwins() {
		if pair.functions == nil {
			continue
		}
		for _, flavor := range generator.Flavors() {
			for _, file := range pair.render(t, flavor.Name) {
				formatted.check(t, file)
			}
		}
	}
}

// TestSAMAndCDKDeployTheSame transforms the SAM template as AWS does, synthesizes the CDK's stack with the same settings, and compares them
// resource by resource. docs/sam-and-cdk.md lists the differences that may be.
func TestSAMAndCDKDeployTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("runs SAM's transformation and the CDK")
	}
	found, err := judges.Find("..")
	if err != nil {
		t.Fatal(err)
	}
	pairs := allTwins()
	seen := make([][]bool, len(pairs))
	compared, resources := make([]int, len(pairs)), make([]int, len(pairs))
	t.Run("pairs", func(t *testing.T) {
		for i, pair := range pairs {
			t.Run(pair.name, func(t *testing.T) {
				t.Parallel()
				seen[i], compared[i], resources[i] = compareTwins(t, found, pair)
			})
		}
	})
	if t.Failed() || slices.ContainsFunc(seen, func(s []bool) bool { return s == nil }) { // -run chose some
		return
	}
	for i, expected := range expectedDifferences {
		if !slices.ContainsFunc(seen, func(seen []bool) bool { return seen[i] }) {
			t.Errorf("no pair differs in %s any more: remove it from the list", expected.path)
		}
	}
	counts.Report(t, "%d pairs of SAM and CDK projects compared %d times: %d resources", len(pairs), sum(compared), sum(resources))
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

// compareTwins compares a pair for several settings. It returns which of the expected differences there are, how many settings it compared
// with, and how many resources.
func compareTwins(t *testing.T, found judges.Judges, pair twins) (seen []bool, compared, resources int) {
	t.Helper()
	seen = make([]bool, len(expectedDifferences))
	source, err := found.SAMTemplate(t.Context(), pair.write(t, "sam"))
	if err != nil {
		t.Fatal(err)
	}
	settings := settingsOf(t, source, pair.partly)
	var contexts []map[string]string
	for _, parameters := range settings {
		context := map[string]string{}
		for name, value := range parameters {
			context[strings.ToLower(name[:1])+name[1:]] = value
		}
		contexts = append(contexts, context)
	}
	synthesized, err := found.CDKTemplates(t.Context(), pair.write(t, "cdk"), contexts...)
	if err != nil {
		t.Fatal(err)
	}
	for i, parameters := range settings {
		sam, err := cloudformation.Resolve(source, parameters)
		if err != nil {
			t.Fatal(err)
		}
		cdk, err := cloudformation.Resolve(synthesized[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		resources += len(sam["Resources"].(map[string]any))
		for _, difference := range cloudformation.Compare(sam, cdk) {
			expected := slices.IndexFunc(expectedDifferences, func(e expectedDifference) bool { return e.matches(difference.Path) })
			if expected < 0 {
				t.Errorf("with %v, %s is\n%s with SAM, and\n%s with the CDK", parameters, difference.Path,
					cloudformation.Text(difference.A), cloudformation.Text(difference.B))
				continue
			}
			seen[expected] = true
		}
	}
	return seen, len(settings), resources
}

// settingsOf returns parameters to compare with: none, every one, and on request every one but those of existing resources.
func settingsOf(t *testing.T, template []byte, partly bool) []map[string]string {
	t.Helper()
	var declared struct{ Parameters map[string]any }
	if err := json.Unmarshal(template, &declared); err != nil {
		t.Fatal(err)
	}
	all, made := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(declared.Parameters)) {
		sample, known := parameterSamples[name]
		if !known {
			t.Fatalf("the SAM template has the parameter %s: give a sample of it", name)
		}
		all[name] = sample
		if !strings.Contains(name, "Existing") {
			made[name] = sample
		}
	}
	settings := []map[string]string{nil, all}
	if partly {
		settings = append(settings, made)
	}
	return settings
}

// differences is the page that lists the expected differences.
func differences() []byte {
	var page bytes.Buffer
	page.WriteString(`# SAM and CDK

Projects with ` + "`--iac sam`" + ` and ` + "`--iac cdk`" + ` deploy the same resources, with the same logical ids, alarms and outputs.
` + "`TestSAMAndCDKDeployTheSame`" + ` in golden/parity_test.go transforms the SAM template as AWS does, synthesizes the CDK's stack with the same
settings, and compares the two value by value: for each combination of events and traces, for each version of the trigger, for two functions,
and for every choice of the other options.
` + "`make golden`" + ` writes this page from the list in that test.

A SAM template leaves some decisions to the deployment, through parameters and conditions. A CDK stack takes them at synthesis, from its context.
The names differ only in the first letter: the parameter ` + "`ExistingUserPoolId`" + ` is ` + "`existingUserPoolId`" + ` in the context.

These differences remain:

| place | SAM | CDK | why |
| --- | --- | --- | --- |
`)
	for _, e := range expectedDifferences {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", e.path, e.sam, e.cdk, e.why)
	}
	return page.Bytes()
}

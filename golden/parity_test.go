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
	"LogRetentionInDays":   "365",
	"AlarmTopicArn":        "arn:aws:sns:eu-west-1:123456789012:alarms",
}

// expectedDifference is one between the templates of SAM and of the CDK that has to be.
type expectedDifference struct {
	path     string // as in cloudformation.Difference, with * for anything
	sam, cdk string // what each has, for people
	why      string
}

func (e expectedDifference) matches(path string) bool {
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(e.path), `\*`, ".*") + "$"
	return regexp.MustCompile(pattern).MatchString(path)
}

var expectedDifferences = []expectedDifference{
	{
		"Resources.TokenCustomizer.Properties.Code.*", "an object in the bucket that SAM makes", "an object in the bucket that `cdk bootstrap` makes",
		"each uploads the bootstrap to a bucket of its own",
	},
	{
		"Resources.TokenCustomizer.Properties.Tags", "`lambda:createdBy` is `SAM`", "no tag", "SAM's transformation tags functions",
	},
	{
		"Resources.TokenCustomizer.Metadata.BuildMethod", "`makefile`", "nothing", "tells `sam build` what to run; `make deploy` builds for the CDK",
	},
	{
		"Resources.EventsAlarm.Properties.Metrics.2.Id", "`lost`", "`expr_1`", "the CDK names expressions itself; the alarm is about the one there is",
	},
	{
		"Resources.EventsAlarm.Properties.Metrics.2.ReturnData", "nothing", "`true`", "the CDK writes the default out",
	},
	{
		"Parameters.BootstrapVersion", "nothing", "the version of the bootstrap stack", "the CDK deploys with the roles and the bucket of that stack",
	},
	{
		"Rules.CheckBootstrapVersion", "nothing", "a check of that version", "the same",
	},
}

// twins are a project with SAM and one with the CDK that are the same otherwise.
type twins struct {
	name     string
	sam, cdk string // folders
}

// pairs returns the golden projects that are twins, and twins for the versions of the trigger that have no golden project with the CDK.
func pairsOfProjects(t *testing.T) []twins {
	t.Helper()
	var pairs []twins
	for _, variant := range generator.Golden() {
		rest, isCDK := strings.CutPrefix(variant.Name, "cdk")
		if !isCDK {
			continue
		}
		pairs = append(pairs, twins{variant.Name, absolute(t, "sam"+rest), absolute(t, variant.Name)})
	}
	for _, trigger := range []string{"v1", "v3"} {
		folder := filepath.Join(t.TempDir(), "cdk-"+trigger)
		write(t, folder, render(t, generator.Answers{"name": "demo", "module": "example.com/cdk-" + trigger, "iac": "cdk", "trigger": trigger}))
		pairs = append(pairs, twins{"cdk-" + trigger, absolute(t, "sam-"+trigger), folder})
	}
	return pairs
}

func absolute(t *testing.T, folder string) string {
	t.Helper()
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return folder
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
	pairs := pairsOfProjects(t)
	seen := make([][]bool, len(pairs))
	compared := make([]int, len(pairs))
	t.Run("pairs", func(t *testing.T) {
		for i, pair := range pairs {
			t.Run(pair.name, func(t *testing.T) {
				t.Parallel()
				seen[i], compared[i] = compareTwins(t, found, pair)
			})
		}
	})
	if t.Failed() {
		return
	}
	for i, expected := range expectedDifferences {
		if !slices.ContainsFunc(seen, func(seen []bool) bool { return seen[i] }) {
			t.Errorf("no pair differs in %s any more: remove it from the list", expected.path)
		}
	}
	total := 0
	for _, n := range compared {
		total += n
	}
	counts.Report(t, "%d pairs of SAM and CDK projects compared for 3 settings each: %d resources", len(pairs), total)
}

// compareTwins compares a pair for several settings. It returns which of the expected differences there are, and how many resources it saw.
func compareTwins(t *testing.T, found judges.Judges, pair twins) (seen []bool, compared int) {
	t.Helper()
	seen = make([]bool, len(expectedDifferences))
	source, err := found.SAMTemplate(t.Context(), pair.sam)
	if err != nil {
		t.Fatal(err)
	}
	settings := settingsOf(t, source)
	var contexts []map[string]string
	for _, parameters := range settings {
		context := map[string]string{}
		for name, value := range parameters {
			context[strings.ToLower(name[:1])+name[1:]] = value
		}
		contexts = append(contexts, context)
	}
	synthesized, err := found.CDKTemplates(t.Context(), pair.cdk, contexts...)
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
		compared += len(sam["Resources"].(map[string]any))
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
	return seen, compared
}

// settingsOf returns parameters to compare with: none, every one, and every one but those of existing resources.
func settingsOf(t *testing.T, template []byte) []map[string]string {
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
		if !strings.HasPrefix(name, "Existing") {
			made[name] = sample
		}
	}
	return []map[string]string{nil, all, made}
}

// differences is the page that lists the expected differences.
func differences() []byte {
	var page bytes.Buffer
	page.WriteString(`# SAM and CDK

With ` + "`--iac sam`" + ` and with ` + "`--iac cdk`" + ` a project deploys the same resources, under the same logical ids, with the same alarms and outputs.
` + "`TestSAMAndCDKDeployTheSame`" + ` in golden/parity_test.go transforms the SAM template as AWS does, synthesizes the CDK's stack with the same
settings, and compares them value by value: for each golden project with the CDK and its twin with SAM, and for each version of the trigger.
This page is rendered from the list in that test by ` + "`make golden`" + `.

What a SAM template leaves to the deployment, by parameters and conditions, a CDK stack decides when it is synthesized, by its context. The
names are the same but for the first letter: the parameter ` + "`ExistingUserPoolId`" + ` is ` + "`existingUserPoolId`" + ` in the context.

These differences remain:

| place | SAM | CDK | why |
| --- | --- | --- | --- |
`)
	for _, e := range expectedDifferences {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", e.path, e.sam, e.cdk, e.why)
	}
	return page.Bytes()
}

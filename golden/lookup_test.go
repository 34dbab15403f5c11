package golden_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/judges"
	"github.com/golam-cli/golam/internal/local"
)

// step is a block of code in a page, and the file that the text before it names.
type step struct{ language, file, code string }

var (
	fencePattern  = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	goFilePattern = regexp.MustCompile("`([\\w./-]+\\.go)`")
)

// steps reads the blocks of a page. A block without a file of its own belongs to that of the block before it.
func steps(page string) []step {
	var found []step
	file, from := "", 0
	for _, match := range fencePattern.FindAllStringSubmatchIndex(page, -1) {
		for _, mention := range goFilePattern.FindAllStringSubmatch(page[from:match[0]], -1) {
			if strings.Contains(mention[1], "/") {
				file = mention[1]
			}
		}
		found = append(found, step{page[match[2]:match[3]], file, page[match[4]:match[5]]})
		from = match[1]
	}
	return found
}

// follow does to a project what the page tells to do with its Go code, and returns how many blocks that are.
func follow(t *testing.T, project, page string) int {
	t.Helper()
	followed := 0
	var commands, template []string
	for _, step := range steps(page) {
		switch step.language {
		case "sh":
			for line := range strings.Lines(step.code) {
				commands = append(commands, strings.TrimSpace(line))
			}
		case "go":
			name := filepath.Join(project, filepath.FromSlash(step.file))
			if _, err := os.Stat(name); err == nil {
				t.Fatalf("the page makes %s, which is there", step.file)
			}
			if err := os.WriteFile(name, []byte(step.code), 0o600); err != nil {
				t.Fatal(err)
			}
		case "diff":
			var before, after strings.Builder
			for line := range strings.Lines(step.code) {
				if line[0] != '+' {
					before.WriteString(line[1:])
				}
				if line[0] != '-' {
					after.WriteString(line[1:])
				}
			}
			edit{file: step.file, old: strings.TrimSuffix(before.String(), "\n"), new: strings.TrimSuffix(after.String(), "\n")}.apply(t, project)
		case "yaml": // in the order of the page: a resource, a policy of the role, an environment variable
			template = append(template, step.code)
		}
		followed++
	}
	if len(template) > 0 {
		for i, place := range []string{"\nResources:\n", "\n      Policies:\n", "\n        Variables:\n"} {
			added := ""
			for line := range strings.Lines(template[i]) {
				added += strings.Repeat(" ", []int{2, 8, 10}[i]) + line
			}
			edit{file: "template.yaml", old: place, new: place + added}.apply(t, project)
		}
	} else {
		edit{file: "infra/tokencustomizer_function.go", old: "\td.newUserPool(", new: "\tnewTenants(d.stack, function)\n\td.newUserPool("}.apply(t, project)
	}
	for _, command := range commands { // after the code, so that go mod tidy finds the imports
		arguments, isGo := strings.CutPrefix(command, "go ")
		if !isGo {
			t.Fatalf("the page runs %q", command)
		}
		goCommand(t, project, "GOWORK=off", strings.Fields(arguments)...)
	}
	return followed
}

// TestLookupPage follows docs/lookup.md in a project of each runtime: its tests pass, and the function finds in moto's DynamoDB what it puts
// into tokens.
func TestLookupPage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions and starts moto")
	}
	found, err := judges.Find("..")
	if err != nil {
		t.Fatal(err)
	}
	endpoint, stop, err := found.StartMoto(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	database := moto{endpoint: endpoint}
	const table = "tenants"
	database.call(t, "dynamodb", "DynamoDB_20120810.CreateTable", map[string]any{
		"TableName": table, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []any{map[string]any{"AttributeName": "tenant_id", "AttributeType": "S"}},
		"KeySchema":            []any{map[string]any{"AttributeName": "tenant_id", "KeyType": "HASH"}},
	})
	database.call(t, "dynamodb", "DynamoDB_20120810.PutItem", map[string]any{
		"TableName": table, "Item": map[string]any{"tenant_id": map[string]any{"S": "acme-42"}, "tier": map[string]any{"S": "canary-tier"}},
	})
	for name, answers := range map[string]generator.Answers{
		"official": {"runtime": "official", "otel": "off", "iac": "cdk"},
		"slim":     {"runtime": "slim", "otel": "off", "eventbridge": "true"},
		"traced":   {"runtime": "official", "otel": "otlp", "trigger": "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			answers["name"] = "demo"
			project := filepath.Join(t.TempDir(), "demo")
			write(t, project, render(t, answers))
			page, err := os.ReadFile(filepath.Join(project, "docs", "lookup.md"))
			if err != nil {
				t.Fatal(err)
			}
			if followed := follow(t, project, string(page)); followed < 10 {
				t.Fatalf("the page has %d blocks to follow", followed)
			}
			formatted := formatter{}
			for _, file := range read(t, project) {
				formatted.check(t, file)
			}
			goCommand(t, project, "GOWORK=off", "vet", "./...")
			goCommand(t, project, "GOWORK=off", "test", "./cmd/...", "./internal/tokencustomizer/...")
			if answers["iac"] == "cdk" {
				goCommand(t, filepath.Join(project, "infra"), "GOWORK=off", "vet", ".")
			} else if err := found.SAMValidate(t.Context(), project); err != nil {
				t.Error(err)
			}
			lambda := startLambda(t, local.Config{Log: func(line local.Line) { t.Logf("%s", line.Text) }, Functions: []local.Function{{
				Name: name, Bootstrap: bootstrapOf(t, project), MemorySize: 256, Timeout: 4 * time.Second,
				Env: map[string]string{
					"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test",
					"TENANTS_TABLE": table, "AWS_LAMBDA_LOG_FORMAT": "JSON",
				},
			}}})
			event, err := os.ReadFile(filepath.Join(project, filepath.FromSlash(path.Join("events", "token-customizer", "authentication.json"))))
			if err != nil {
				t.Fatal(err)
			}
			result, err := lambda.Invoke(t.Context(), name, local.Invocation{Payload: event})
			if err != nil || result.FunctionError != "" {
				t.Fatalf("%v: %s", err, result.Payload)
			}
			var got struct {
				Response json.RawMessage `json:"response"`
			}
			if err := json.Unmarshal(result.Payload, &got); err != nil || !strings.Contains(string(got.Response), `"tier":"canary-tier"`) {
				t.Errorf("%v: the token has no tier: %s", err, got.Response)
			}
		})
	}
	counts.Report(t, "the page about lookups followed in %d projects, and its lookup asked moto's DynamoDB", 3)
}

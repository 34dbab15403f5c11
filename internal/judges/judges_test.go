package judges_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/goldenproject"
	"github.com/golam-cli/golam/internal/judges"
)

const root = "../.."

// find finds the installed judges. A judge that is missing fails the test; in short mode no judge is called.
func find(t *testing.T) judges.Judges {
	t.Helper()
	if testing.Short() {
		t.Skip("judges take longer than a short test may")
	}
	found, err := judges.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// golden writes every golden project to a folder of the test's.
func golden(t *testing.T) (folders []string) {
	t.Helper()
	for _, variant := range kinds.All().Golden() {
		folders = append(folders, projectOf(t, variant.Name))
	}
	return folders
}

// projectOf writes a golden project to a folder of the test's.
func projectOf(t *testing.T, name string) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), name)
	if err := goldenproject.Write(t.Context(), name, folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

const (
	ciFile     = ".github/workflows/ci.yml"
	mainFile   = "cmd/token-customizer/main.go"
	scriptFile = "scripts/attach.sh"
)

// all are the judges, each with a file that a project must have to be judged by it. A judge of one file alone sees each content once.
var all = []struct {
	name  string
	judge func(judges.Judges, context.Context, string) error
	file  string
	alone bool
}{
	{"SAMValidate", judges.Judges.SAMValidate, "template.yaml", false},
	{"SAMBuild", judges.Judges.SAMBuild, "template.yaml", false},
	{"CFNLintTransformed", judges.Judges.CFNLintTransformed, "template.yaml", true},
	{"CDKSynth", judges.Judges.CDKSynth, "infra/go.mod", false},
	{"AttachScript", judges.Judges.AttachScript, scriptFile, true},
	{"Checkov", judges.Judges.Checkov, "go.mod", false},
	{"GolangCILint", judges.Judges.GolangCILint, "go.mod", false},
	{"Markdownlint", judges.Judges.Markdownlint, "README.md", false},
	{"Shellcheck", judges.Judges.Shellcheck, scriptFile, true},
	{"Actionlint", judges.Judges.Actionlint, ciFile, true},
}

func TestGoldenProjects(t *testing.T) {
	found := find(t)
	projects := golden(t)
	total := 0
	for _, judge := range all {
		judged := 0
		seen := map[string]bool{}
		for _, project := range projects {
			content, err := os.ReadFile(filepath.Join(project, judge.file))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if judge.alone && seen[string(content)] {
				continue
			}
			seen[string(content)] = true
			judged++
			t.Run(judge.name+"/"+filepath.Base(project), func(t *testing.T) {
				t.Parallel()
				if err := judge.judge(found, t.Context(), project); err != nil {
					t.Error(err)
				}
			})
		}
		if judged == 0 {
			t.Errorf("%s has judged no golden project", judge.name)
		}
		total += judged
	}
	t.Cleanup(func() {
		counts.Report(t, "%d judges gave %d verdicts on %d golden projects", len(all), total, len(projects))
	})
}

// TestTracesOfTheCDK judges stacks of the CDK whose destination of traces has a golden project with SAM alone.
func TestTracesOfTheCDK(t *testing.T) {
	found := find(t)
	for _, otel := range []string{"cloudwatch", "collector"} {
		t.Run(otel, func(t *testing.T) {
			t.Parallel()
			project := newProject(t, generator.Answers{"name": "demo", "iac": "cdk", "otel": otel})
			if err := errors.Join(found.CDKSynth(t.Context(), project), found.Checkov(t.Context(), project), found.Markdownlint(t.Context(), project)); err != nil {
				t.Error(err)
			}
		})
	}
}

// newProject writes a project to a temporary folder.
func newProject(t *testing.T, answers generator.Answers, functions ...generator.FunctionAnswers) (project string) {
	t.Helper()
	spec, err := kinds.All().Resolve(answers, functions...)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	project = filepath.Join(t.TempDir(), "demo")
	if _, err := generator.Write(t.Context(), project, tree, generator.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return project
}

// TestSeveralFunctions judges projects with two customizers, for two user pools, and triggers of two versions.
func TestSeveralFunctions(t *testing.T) {
	found := find(t)
	for iac, names := range map[string][]string{
		"sam": {"SAMValidate", "SAMBuild", "CFNLintTransformed", "AttachScript", "Checkov", "GolangCILint", "Markdownlint", "Shellcheck", "Actionlint"},
		"cdk": {"CDKSynth", "Checkov", "GolangCILint", "Markdownlint"},
	} {
		project := newProject(t, generator.Answers{"name": "demo", "iac": iac},
			generator.FunctionAnswers{Name: "token-customizer", Answers: generator.Answers{"eventbridge": "true"}},
			generator.FunctionAnswers{Name: "partner-tokens", Answers: generator.Answers{"trigger": "v3", "claims": "company=custom:company", "eventbridge": "true"}},
		)
		for _, judge := range all {
			if !slices.Contains(names, judge.name) {
				continue
			}
			t.Run(iac+"/"+judge.name, func(t *testing.T) {
				t.Parallel()
				if err := judge.judge(found, t.Context(), project); err != nil {
					t.Error(err)
				}
			})
		}
		if iac == "sam" {
			t.Run(iac+"/AttachFailures", func(t *testing.T) {
				t.Parallel()
				if err := found.AttachFailures(t.Context(), project); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestSAMPackage looks at what Lambda would get, where a file lies beside the bootstrap.
func TestSAMPackage(t *testing.T) {
	if err := find(t).SAMPackage(t.Context(), projectOf(t, "sam-collector")); err != nil {
		t.Error(err)
	}
}

// TestBelowWorkspace uses projects that lie below somebody's go.work.
func TestBelowWorkspace(t *testing.T) {
	found := find(t)
	for _, project := range []string{"sam", "cdk"} {
		t.Run(project, func(t *testing.T) {
			t.Parallel()
			if err := found.MakeBelowWorkspace(t.Context(), projectOf(t, project)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAttachFailures has what attaches a function fail on its way.
func TestAttachFailures(t *testing.T) {
	if err := find(t).AttachFailures(t.Context(), projectOf(t, "sam")); err != nil {
		t.Error(err)
	}
}

// TestFaults shows that each judge judges: it must find the fault that is put into a golden project, and say so.
func TestFaults(t *testing.T) {
	found := find(t)
	type fault struct {
		name, file, old, new string
		judge                func(judges.Judges, context.Context, string) error
		complaint            string
	}
	for project, faults := range map[string][]fault{"sam": {
		{"unknown property", "template.yaml", "Timeout: 4", "Timout: 4", judges.Judges.SAMValidate, "E3002"},
		{"unknown runtime", "template.yaml", "provided.al2023", "provided.al1999", judges.Judges.CFNLintTransformed, "E3030"},
		{
			"circular dependency", "template.yaml", "MemorySize: 256", "Environment: {Variables: {POOL: !GetAtt UserPool.Arn}}",
			judges.Judges.CFNLintTransformed, "E3004",
		},
		{"other architecture", "Makefile", "GOARCH=arm64", "GOARCH=amd64", judges.Judges.SAMBuild, "EM_X86_64"},
		{"no build target", "Makefile", "build-TokenCustomizer:", "build-Something:", judges.Judges.SAMBuild, "made no bootstrap"},
		{"go.work above the project", "Makefile", "export GOWORK := off", "", judges.Judges.MakeBelowWorkspace, "listed in go.work"},
		{"bootstrap for its owner only", "Makefile", `chmod 755 "$(1)`, `chmod 700 "$(1)`, judges.Judges.SAMBuild, "bootstrap has mode -rwx------"},
		{"package for its owner only", "Makefile", `chmod 755 "$(1)`, `chmod 700 "$(1)`, judges.Judges.SAMPackage, "bootstrap has mode -rwxr--r--"},
		{"symbols kept", "Makefile", `-ldflags "-s -w"`, "", judges.Judges.SAMBuild, "not stripped"},
		{"finding", "template.yaml", "id: CKV_AWS_116", "id: CKV_AWS_45", judges.Judges.Checkov, "CKV_AWS_116"},
		{"all actions allowed", "template.yaml", "- logs:CreateLogStream", `- "*"`, judges.Judges.Checkov, "CKV_AWS_63"},
		{"all permissions", ciFile, "permissions:\n  contents: read\n", "permissions: write-all\n", judges.Judges.Checkov, "CKV2_GHA_1"},
		{"workflow that checkov cannot parse", ciFile, "jobs:", "unknown: {}\njobs:", judges.Judges.Checkov, "has not judged"},
		{"unchecked error", mainFile, "func main() {", "func main() {\n\ttokens.New(tokens.Config{})", judges.Judges.GolangCILint, "errcheck"},
		{"not formatted", mainFile, "func main() {", "func main() {\n", judges.Judges.GolangCILint, "gofumpt"},
		{"action without a version", ciFile, "@3d3c42e5aac5ba805825da76410c181273ba90b1", "", judges.Judges.Actionlint, "ref is missing"},
		{"script injection", ciFile, "run: go version", "run: echo ${{ github.head_ref }}", judges.Judges.Actionlint, "untrusted"},
		{"unquoted variable in a workflow", ciFile, "run: go version", "run: rm $HOME/x", judges.Judges.Actionlint, "SC2086"},
		{"second title", "README.md", "\n## ", "\n# ", judges.Judges.Markdownlint, "MD025"},
		{"unquoted variable", scriptFile, `mkdir -p user-pool-backups`, "mkdir -p $pool", judges.Judges.Shellcheck, "SC2086"},
		{"forgotten setting", scriptFile, "UserPoolId) ;;", "UserPoolId | MfaConfiguration) ;;", judges.Judges.AttachScript, "MfaConfiguration"},
		{"other trigger version", scriptFile, "lambda_version=V2_0", "lambda_version=V1_0", judges.Judges.AttachScript, "V1_0"},
		{"stack that cannot be described", "Makefile", "--output text) && \\", "--output text); \\", judges.Judges.AttachFailures, "with the stack \"missing\""},
		{"program that fails", scriptFile, `-e 's/,\}$/}/' <<<"$json") || exit 1`, `-e 's/,\}$/}/' <<<"$json")`, judges.Judges.AttachFailures, "sed"},
		{"refused tags sent", scriptFile, `'"aws:`, `'"awx:`, judges.Judges.AttachScript, "aws:cloudformation"},
	}, "sam-collector": {
		{"file for its owner only", "Makefile", "install -m 644 collector.yaml", "install -m 600 collector.yaml", judges.Judges.SAMBuild, "collector.yaml has mode -rw-------"},
	}, "cdk": {
		{"trigger version that Cognito does not know", "infra/tokencustomizer_function.go", "V2_0", "V9_0", judges.Judges.CDKSynth, "E3030"},
		{
			"circular dependency of the stack", "infra/function.go", "&props.environment,",
			`&map[string]*string{"POOL": awscdk.Token_AsString(awscdk.Fn_GetAtt(jsii.String("UserPool"), jsii.String("Arn")), nil)},`,
			judges.Judges.CDKSynth, "Circular Dependencies",
		},
		{"function for the other architecture", "Makefile", "GOARCH=arm64", "GOARCH=amd64", judges.Judges.CDKSynth, "is for EM_X86_64, and the function runs on arm64"},
		{"plan without the trigger", "infra/cdk.json", `"context": {`, `"context": {"userPoolTier": "LITE",`, judges.Judges.CDKSynth, "LITE has no V2_0 trigger"},
		{"unknown context", "infra/cdk.json", `"context": {`, `"context": {"existingUserPool": "x",`, judges.Judges.CDKSynth, "context existingUserPool is unknown"},
		{"module without a checksum", "infra/go.mod", "jsii-runtime-go v1.142.0", "jsii-runtime-go v1.142.1", judges.Judges.CDKSynth, "missing go.sum entry"},
		{"function for its owner only", "Makefile", "chmod 755", "chmod 700", judges.Judges.CDKSynth, "Lambda cannot execute it"},
		{"no function", "Makefile", "synth: build ", "synth: ", judges.Judges.CDKSynth, "run make build first"},
		{"no Node.js", "Makefile", "CDK_OUTDIR", "JSII_NODE=/missing CDK_OUTDIR", judges.Judges.CDKSynth, "needs Node.js 22 or later"},
		{
			"ARN of a pool", "infra/cdk.json", `"context": {`, `"context": {"existingUserPoolId": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a",`,
			judges.Judges.CDKSynth, "not an ARN",
		},
		{"unchecked error in the stack", "infra/main.go", "func main() {", "func main() {\n\tos.Remove(\"x\")", judges.Judges.GolangCILint, "errcheck"},
		{"all actions allowed by the stack", "infra/testdata/template.json", `"logs:CreateLogStream"`, `"*"`, judges.Judges.Checkov, "CKV_AWS_63"},
	}, "cdk-otlp": {
		{"endpoint without a scheme", "infra/cdk.json", `"context": {`, `"context": {"otlpEndpoint": "otlp.example.com",`, judges.Judges.CDKSynth, "begins with http:// or https://"},
		{"headers for their secret", "infra/cdk.json", `"context": {`, `"context": {"otlpHeadersSecretArn": "a=b",`, judges.Judges.CDKSynth, "ARN of a secret"},
	}} {
		for _, fault := range faults {
			t.Run(project+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				folder := projectOf(t, project)
				name := filepath.Join(folder, fault.file)
				content, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				faulty := strings.Replace(string(content), fault.old, fault.new, 1)
				if faulty == string(content) {
					t.Fatalf("%s has no %q to put the fault in", fault.file, fault.old)
				}
				if err := os.WriteFile(name, []byte(faulty), 0o600); err != nil {
					t.Fatal(err)
				}
				err = fault.judge(found, t.Context(), folder)
				if err == nil {
					t.Fatal("the judge has found nothing")
				}
				if !strings.Contains(err.Error(), fault.complaint) {
					t.Errorf("the judge has found something else than %s: %v", fault.complaint, err)
				}
			})
		}
	}
}

// TestFindRefusesOtherPins shows that neither missing judges nor those of yesterday's pins are taken for today's.
func TestFindRefusesOtherPins(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "internal", "judges", "tools"), os.DirFS("tools")); err != nil {
		t.Fatal(err)
	}
	find := func() string {
		t.Helper()
		_, err := judges.Find(folder)
		if err == nil {
			t.Fatal("found judges that are not there")
		}
		return err.Error()
	}
	if got := find(); !strings.Contains(got, "checkov is not installed") || !strings.Contains(got, "install-judges.sh") {
		t.Errorf("a missing judge is reported as: %s", got)
	}
	cache := filepath.Join(folder, ".cache", "judges", "checkov")
	if err := os.MkdirAll(cache, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cache, "installed-from"), []byte("checkov==1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := find(); !strings.Contains(got, "checkov is installed from other pins") {
		t.Errorf("an outdated judge is reported as: %s", got)
	}
}

// TestGoldenPins holds the versions that golden projects name to those that they are judged with, and their actions to commits.
func TestGoldenPins(t *testing.T) {
	module, err := os.ReadFile("tools/golangci-lint/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	pin := regexp.MustCompile(`github\.com/golangci/golangci-lint/v2 (v\S+)`).FindSubmatch(module)
	if pin == nil {
		t.Fatal("the golangci-lint module pins no golangci-lint")
	}
	uses := regexp.MustCompile(`(?m)^\s*-?\s*uses:\s*(.*)$`)
	pinned := regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, project := range golden(t) {
		makefile, err := os.ReadFile(filepath.Join(project, "Makefile"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "golangci-lint@" + string(pin[1]); !strings.Contains(string(makefile), want) {
			t.Errorf("%s: the Makefile does not install %s", project, want)
		}
		workflows, err := filepath.Glob(filepath.Join(project, ".github", "workflows", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, workflow := range workflows {
			content, err := os.ReadFile(workflow)
			if err != nil {
				t.Fatal(err)
			}
			actions := uses.FindAllSubmatch(content, -1)
			if len(actions) == 0 {
				t.Errorf("%s uses no action, or the test does not see it", workflow)
			}
			for _, action := range actions {
				if !pinned.Match(action[1]) {
					t.Errorf("%s: %s is not pinned to a commit with its version beside it", workflow, action[1])
				}
			}
		}
	}
}

// TestPythonPins holds every Python package that is installed for judges, peers and scripts to one version and to the hashes of its files,
// as scripts/pin-python.sh writes them, and the scripts that install them to these hashes.
func TestPythonPins(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z0-9-]+==[^\s;]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n$`)
	comment := regexp.MustCompile(`(?m)^(#.*)?\n`)
	extras := regexp.MustCompile(`\[[a-z,]+\]`)
	requirement := regexp.MustCompile(`(?m)^[a-z]`)
	install := regexp.MustCompile(`"?pip"?,? "?install(.|\n){1,150}`)
	count := 0
	for _, pattern := range []string{"internal/judges/tools", "bench/peers", "scripts"} {
		folders, err := filepath.Glob(filepath.Join(root, pattern, "*", "requirements.*"))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range folders {
			folders[i] = filepath.Dir(name)
		}
		for _, folder := range slices.Compact(folders) {
			count++
			wanted, err := os.ReadFile(filepath.Join(folder, "requirements.in"))
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(filepath.Join(folder, "requirements.txt"))
			if err != nil {
				t.Fatal(err)
			}
			content = comment.ReplaceAll(content, nil)
			starts := append(requirement.FindAllIndex(content, -1), []int{len(content)})
			if starts[0][0] != 0 {
				t.Errorf("%s begins with something else than a package", folder)
			}
			for i, start := range starts[:len(starts)-1] {
				if pin := content[start[0]:starts[i+1][0]]; !pinned.Match(pin) {
					t.Errorf("%s: a package is not pinned with hashes: %s", folder, pin)
				}
			}
			for want := range strings.FieldsSeq(extras.ReplaceAllString(string(wanted), "")) {
				if !strings.Contains("\n"+string(content), "\n"+want+" \\\n") {
					t.Errorf("%s: requirements.txt does not have %s: run scripts/pin-python.sh", folder, want)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no Python packages were found")
	}
	for _, name := range []string{"install-judges.sh", "install-peers.sh", "pin-python.sh", "pictures.py"} {
		script, err := os.ReadFile(filepath.Join(root, "scripts", name))
		if err != nil {
			t.Fatal(err)
		}
		installs := install.FindAllString(string(script), -1)
		if len(installs) == 0 {
			t.Errorf("scripts/%s installs nothing, or the test does not see it", name)
		}
		for _, command := range installs {
			if !strings.Contains(command, "--require-hashes") {
				t.Errorf("scripts/%s installs Python packages without --require-hashes: %s", name, command)
			}
		}
	}
}

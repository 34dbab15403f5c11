package golden_test

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/counts"
)

// TestDocumentation checks that the pages of every combination mention only what the project has: files that links lead to, paths, targets of
// the Makefile, fuzz targets, environment variables, names in the code and the stack, and texts of the log. In short mode it looks at a sample
// that has every pair of choices.
func TestDocumentation(t *testing.T) {
	combinations := kinds.All().Combinations()
	if testing.Short() {
		combinations = pairwise(combinations)
	}
	checked := 0
	used := map[string]bool{}
	for _, variant := range combinations {
		variant.Answers["name"] = "demo"
		project := newDocumented(render(t, variant.Answers, variant.Functions...))
		for _, file := range project.pages {
			p := parsePage(file)
			checked += len(p.links) + len(p.code)
			for _, problem := range slices.Concat(project.badLinks(p), project.badMentions(p, used)) {
				t.Errorf("%s: %s: %s", variant.Name, file.Path, problem)
			}
		}
		for _, problem := range project.unmentioned() {
			t.Errorf("%s: %s", variant.Name, problem)
		}
		if t.Failed() {
			t.FailNow() // the other combinations would mostly repeat it
		}
	}
	for _, word := range slices.Sorted(maps.Keys(elsewhere)) {
		if !used[word] {
			t.Errorf("no page mentions %q: remove it from the words that are defined elsewhere", word)
		}
	}
	counts.Report(t, "%d links and mentions in the pages of %d combinations checked", checked, len(combinations))
}

// elsewhere are words of the pages that something outside the project defines, and files that a page tells people to write.
var elsewhere = words(`
	aws/spans encoding/json http/json log/slog net/http
	GetTextMapPropagator HeaderCarrier HTTPS_PROXY MACHINE_CLIENT_ID MACHINE_CLIENT_SECRET TOKEN_ENDPOINT OTEL_TRACES_SAMPLER_ARG
	AWS_ENDPOINT_URL_DYNAMODB AWS_SESSION_TOKEN TENANTS_TABLE
	internal/tokencustomizer/lookup.go internal/tokencustomizer/lookup_test.go cmd/token-customizer/table.go infra/tenants.go
`)

// built are folders that appear when the project is built, deployed or attached, and files in them.
var built = words(`dist/ infra/cdk.out infra/node_modules user-pool-backups/`)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// page is what a Markdown file refers to.
type page struct {
	path     string
	headings map[string]bool // as fragments of links
	links    []string
	// spans are short pieces of code within the text, and code is these and the lines of shell scripts.
	spans, code []string
}

var (
	linkPattern = regexp.MustCompile(`\]\(([^)]+)\)`)
	spanPattern = regexp.MustCompile("`([^`]+)`")
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func parsePage(file generator.File) page {
	p := page{path: file.Path, headings: map[string]bool{}}
	block, shell := false, false
	for line := range strings.SplitSeq(string(file.Content), "\n") {
		switch heading, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); {
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			block, shell = !block, !block && strings.HasSuffix(line, "sh")
		case shell:
			p.code = append(p.code, line)
		case block: // code to write, with names of its own
		case found && strings.HasPrefix(line, "#"):
			anchor := notInAnchor.ReplaceAllString(strings.ToLower(heading), "")
			p.headings[strings.ReplaceAll(anchor, " ", "-")] = true
		default:
			for _, span := range spanPattern.FindAllStringSubmatch(line, -1) {
				p.spans = append(p.spans, span[1])
			}
			for _, link := range linkPattern.FindAllStringSubmatch(spanPattern.ReplaceAllString(line, ""), -1) {
				p.links = append(p.links, link[1])
			}
		}
	}
	p.code = append(p.code, p.spans...)
	return p
}

// documented is a project, seen by what its pages may mention.
type documented struct {
	pages   []generator.File
	paths   map[string]bool // files and folders; folders have a variant with a slash at the end too
	bases   map[string]bool // names of files
	targets map[string]bool // of the Makefile
	text    string          // of files that are not pages
}

var targetPattern = regexp.MustCompile(`(?m)^([A-Za-z][A-Za-z0-9/_.-]*):`)

func newDocumented(tree generator.Tree) documented {
	d := documented{paths: maps.Clone(built), bases: map[string]bool{}, targets: map[string]bool{}}
	var text strings.Builder
	for _, file := range tree {
		d.paths[file.Path], d.bases[path.Base(file.Path)] = true, true
		for folder := path.Dir(file.Path); folder != "."; folder = path.Dir(folder) {
			d.paths[folder], d.paths[folder+"/"] = true, true
		}
		if path.Ext(file.Path) == ".md" {
			d.pages = append(d.pages, file)
			continue
		}
		text.Write(file.Content)
		if file.Path == "Makefile" {
			for _, target := range targetPattern.FindAllStringSubmatch(string(file.Content), -1) {
				d.targets[target[1]] = true
			}
		}
	}
	d.text = text.String()
	return d
}

// badLinks returns the links of a page within the project that lead nowhere.
func (d documented) badLinks(p page) []string {
	var problems []string
	for _, link := range p.links {
		if strings.Contains(link, "://") {
			continue
		}
		name, fragment, _ := strings.Cut(link, "#")
		target := p.path
		if name != "" {
			target = path.Join(path.Dir(p.path), name)
		}
		headings := p.headings
		if name != "" {
			headings = d.headings(target)
		}
		if !d.paths[target] || fragment != "" && !headings[fragment] {
			problems = append(problems, "the link to "+link+" leads nowhere")
		}
	}
	return problems
}

func (d documented) headings(name string) map[string]bool {
	for _, file := range d.pages {
		if file.Path == name {
			return parsePage(file).headings
		}
	}
	return nil
}

var (
	makePattern     = regexp.MustCompile(`(?:^|&& )make ([a-z/_-]+)`)
	fuzzPattern     = regexp.MustCompile(`go test \./(\S+) -fuzz (\w+)`)
	packagePattern  = regexp.MustCompile(`\./([a-z]\S*)`)
	golamPattern    = regexp.MustCompile(`^golam ([a-z]+)`)
	variablePattern = regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b`)
	memberPattern   = regexp.MustCompile(`\b[a-z]+\.([A-Z][A-Za-z]+)`)

	pathPattern     = regexp.MustCompile(`^[A-Za-z.][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]*)+$`)
	baseNamePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(?:go|json|md|sh|toml|yaml|yml)$`)
	namePattern     = regexp.MustCompile(`^[A-Za-z]+[a-z][A-Z][A-Za-z0-9]*$`)
	quotePattern    = regexp.MustCompile(`^[a-z][a-z-]*(?: [a-z-]+)+$`)
	program         = regexp.MustCompile(`^(?:aws|cdk|go|golam|make|npm|sam) `)
)

// commands of golam that pages may name.
var commands = words("bench build invoke new variants watch")

// badMentions returns what a page mentions and the project does not have. It adds the words that are defined elsewhere to used.
func (d documented) badMentions(p page, used map[string]bool) []string {
	var problems []string
	check := func(what, name string, found bool) {
		if !found && elsewhere[name] {
			used[name] = true
		} else if !found {
			problems = append(problems, "the project has no "+what+" "+name)
		}
	}
	for _, line := range p.code {
		line = strings.TrimSpace(line)
		for _, target := range makePattern.FindAllStringSubmatch(line, -1) {
			check("target", target[1], d.targets[target[1]])
		}
		for _, fuzz := range fuzzPattern.FindAllStringSubmatch(line, -1) {
			check("fuzz target", fuzz[2], strings.Contains(d.text, "func "+fuzz[2]+"("))
		}
		for _, folder := range packagePattern.FindAllStringSubmatch(line, -1) {
			check("package", folder[1], d.paths[strings.TrimSuffix(folder[1], "/...")])
		}
		if command := golamPattern.FindStringSubmatch(line); command != nil && !commands[command[1]] {
			problems = append(problems, "golam has no command "+command[1])
		}
		for _, variable := range variablePattern.FindAllString(line, -1) {
			check("variable", variable, d.hasVariable(variable))
		}
	}
	for _, span := range p.spans {
		for _, member := range memberPattern.FindAllStringSubmatch(span, -1) {
			check("name", member[1], d.hasWord(member[1]))
		}
		switch {
		case pathPattern.MatchString(span):
			check("path", span, d.paths[span])
		case baseNamePattern.MatchString(span):
			check("file", span, d.bases[span])
		case namePattern.MatchString(span):
			check("name", span, d.hasWord(span))
		case quotePattern.MatchString(span) && !program.MatchString(span):
			check("text", span, strings.Contains(d.text, span))
		}
	}
	return problems
}

// hasVariable reports whether the project knows an environment variable. The code of telemetry composes the names of the exporter's.
func (d documented) hasVariable(name string) bool {
	last, exporter := strings.CutPrefix(name, "OTEL_EXPORTER_OTLP_")
	last = strings.TrimPrefix(last, "TRACES_")
	return d.hasWord(name) || exporter && (d.hasWord(last) || last == "")
}

// hasWord reports whether a file that is not a page has the word, not as a part of another.
func (d documented) hasWord(word string) bool {
	for rest := d.text; ; {
		_, after, found := strings.Cut(rest, word)
		if !found {
			return false
		}
		before := rest[:len(rest)-len(after)-len(word)]
		if !wordEnds.MatchString(before[max(0, len(before)-1):]) && !wordEnds.MatchString(after[:min(1, len(after))]) {
			return true
		}
		rest = after
	}
}

var wordEnds = regexp.MustCompile(`[A-Za-z0-9_]`)

// unmentioned returns the pages and platform packages that people would not find.
func (d documented) unmentioned() []string {
	linked := map[string]map[string]bool{}
	for _, file := range d.pages {
		linked[file.Path] = map[string]bool{}
		for _, link := range parsePage(file).links {
			linked[file.Path][path.Join(path.Dir(file.Path), link)] = true
		}
	}
	const readme, platform = "README.md", "internal/platform"
	var problems []string
	for _, file := range d.pages {
		if file.Path != readme && !linked[readme][file.Path] {
			problems = append(problems, readme+" has no link to "+file.Path)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(d.paths)) {
		if path.Dir(folder) == platform && !strings.HasSuffix(folder, "/") && !d.bases[path.Base(folder)] && !linked[path.Join(platform, readme)][folder] {
			problems = append(problems, path.Join(platform, readme)+" has no line about "+folder)
		}
	}
	return problems
}

// TestDocumentationOfTwoFunctions checks the pages of projects with two functions of a kind, with the same or different versions of the trigger, and
// events of one function or both. The pages must say what each function has, and commands must name the function.
func TestDocumentationOfTwoFunctions(t *testing.T) {
	const first, second = "token-customizer", "partner-tokens"
	for _, flavor := range generator.Flavors() {
		for _, answers := range []generator.Answers{
			{"trigger": "v1", "eventbridge": "true"}, {"trigger": "v1", "eventbridge": "false"}, {"trigger": "v3", "eventbridge": "false"},
		} {
			name := strings.Join([]string{flavor.Name, answers["trigger"], answers["eventbridge"]}, "-")
			tree := render(t, generator.Answers{"name": "demo", "iac": flavor.Name},
				generator.FunctionAnswers{Name: first, Answers: generator.Answers{"trigger": "v3", "eventbridge": "true"}},
				generator.FunctionAnswers{Name: second, Answers: answers})
			project := newDocumented(tree)
			for _, file := range project.pages {
				p := parsePage(file)
				for _, problem := range slices.Concat(project.badLinks(p), project.badMentions(p, map[string]bool{}), project.badCommands(p)) {
					t.Errorf("%s: %s: %s", name, file.Path, problem)
				}
			}
			for _, want := range append(project.ofStack(),
				"tokencustomizer/policy.go) | `pretoken.V3", "partnertokens/policy.go) | `pretoken."+strings.ToUpper(answers["trigger"])) {
				if !project.explains(want) {
					t.Errorf("%s: no page mentions %s", name, want)
				}
			}
			if one := project.explains("Each time `" + first + "` customizes"); one == (answers["eventbridge"] == "true") {
				t.Errorf("%s: no page says which functions publish", name)
			}
		}
	}
}

var (
	ofAFunction = regexp.MustCompile(`\bmake (?:attach|logs) .*|\bgolam invoke --(?:event|example)\b.*|\bscripts/attach\.sh attach .*`)
	// stackNames find settings, alarms and the ids of user pools in template.yaml and in the code of a CDK stack.
	stackNames = []*regexp.Regexp{
		regexp.MustCompile(`(?m)^  (\w*(?:Alarm|UserPoolId|UserPoolTier)):$`),
		regexp.MustCompile(`d\.alarm\w+\("(\w+)"`),
		regexp.MustCompile(`"(\w+)", &s\.`),
	}
)

// ofStack returns the names of the stack's settings, alarms and user pools.
func (d documented) ofStack() (names []string) {
	for _, pattern := range stackNames {
		for _, match := range pattern.FindAllStringSubmatch(d.text, -1) {
			if match[1] != "stackName" { // make deploy STACK=... sets it
				names = append(names, match[1])
			}
		}
	}
	return names
}

// explains reports whether a page has the name, not as a part of another.
func (d documented) explains(name string) bool {
	pattern := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`)
	return slices.ContainsFunc(d.pages, func(file generator.File) bool { return pattern.Match(file.Content) })
}

// badCommands returns the commands of a page that lack the function, in a project with several, or the version of the trigger.
func (d documented) badCommands(p page) []string {
	versions := strings.Contains(d.text, "VERSION_")
	var problems []string
	for _, line := range p.code {
		for _, command := range ofAFunction.FindAllString(line, -1) {
			switch script := strings.HasPrefix(command, "scripts/"); {
			case script && versions && !strings.Contains(command, " --version "):
				problems = append(problems, "the command has no --version: "+command)
			case !script && !strings.Contains(command, " FUNCTION="):
				problems = append(problems, "the command names no function: "+command)
			}
		}
	}
	return problems
}

// TestCommandsWithoutFunction shows that the check of commands finds what it looks for.
func TestCommandsWithoutFunction(t *testing.T) {
	project := documented{text: "VERSION_partner-tokens := V1_0"}
	for text, want := range map[string]string{
		"`make attach POOL=x`":                             "the command names no function: make attach POOL=x",
		"```sh\nmake logs STACK=x\n```":                    "the command names no function: make logs STACK=x",
		"`golam invoke --event x.json`":                    "the command names no function: golam invoke --event x.json",
		"`scripts/attach.sh attach POOL ARN`":              "the command has no --version: scripts/attach.sh attach POOL ARN",
		"`make attach` `make attach FUNCTION=x POOL=y`":    "",
		"`scripts/attach.sh attach --version V1_0 POOL X`": "",
	} {
		got := strings.Join(project.badCommands(parsePage(generator.File{Content: []byte(text)})), "\n")
		if got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
}

// TestDocumentationFaults shows that the checks find what they look for.
func TestDocumentationFaults(t *testing.T) {
	tree := render(t, generator.Answers{"name": "demo"})
	project := newDocumented(tree)
	for text, want := range map[string]string{
		"[a](docs/missing.md)":                       "the link to docs/missing.md leads nowhere",
		"[a](docs/deploy.md#missing)":                "the link to docs/deploy.md#missing leads nowhere",
		"[a](#missing)":                              "the link to #missing leads nowhere",
		"`make missing`":                             "the project has no target missing",
		"`make deploy STACK=x`":                      "",
		"```sh\nmake missing # why\n```":             "the project has no target missing",
		"`go test ./internal -fuzz FuzzMissing`":     "the project has no fuzz target FuzzMissing",
		"`go test ./cmd/missing`":                    "the project has no package cmd/missing",
		"`golam upgrade`":                            "golam has no command upgrade",
		"`OTEL_MISSING`":                             "the project has no variable OTEL_MISSING",
		"`OTEL_EXPORTER_OTLP_TRACES_HEADERS`":        "",
		"`cmd/missing/`":                             "the project has no path cmd/missing/",
		"`missing.go`":                               "the project has no file missing.go",
		"`ErrorAlarm`":                               "the project has no name ErrorAlarm",
		"`ErrorsAlarm` [a](docs/deploy.md#settings)": "",
		"`OnFailure: publisher.Missing`":             "the project has no name Missing",
		"`tokens misunderstood`":                     "the project has no text tokens misunderstood",
	} {
		p := parsePage(generator.File{Path: "README.md", Content: []byte(text)})
		problems := slices.Concat(project.badLinks(p), project.badMentions(p, map[string]bool{}))
		if got := strings.Join(problems, "\n"); got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
	lost := slices.DeleteFunc(slices.Clone(tree), func(file generator.File) bool { return file.Path == "internal/platform/README.md" })
	lost = append(lost,
		generator.File{Path: "docs/lost.md", Content: []byte("# Lost\n")},
		generator.File{Path: "internal/platform/README.md", Content: []byte("# Platform\n")},
	)
	problems := strings.Join(newDocumented(lost).unmentioned(), "\n")
	for _, want := range []string{"README.md has no link to docs/lost.md", "internal/platform/README.md has no line about internal/platform/tokens"} {
		if !strings.Contains(problems, want) {
			t.Errorf("%q is not among\n%s", want, problems)
		}
	}
}

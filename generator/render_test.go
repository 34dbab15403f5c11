package generator

import (
	"strings"
	"testing"
	"testing/fstest"
)

// plain is a kind with one option, as the core sees one.
type plain struct{}

func (plain) Name() string                { return "plain" }
func (plain) Help() string                { return "does nothing" }
func (plain) DefaultFunctionName() string { return "worker" }
func (plain) Unprefixed() bool            { return true }
func (plain) Limits() Limits              { return Limits{Memory: 128, Timeout: 3} }
func (plain) Resources() []string         { return []string{"Bucket", "ExistingBucket"} }
func (plain) Golden() []Variant           { return nil }
func (plain) Options() []Option {
	return []Option{Choices(Option{Key: "color", After: "module", Choices: []Choice{{Value: "red", Features: []string{"red"}}, {Value: "blue"}}})}
}

func (plain) Packages() []string { return []string{"parts"} }

func (plain) Needs(FunctionData) Needs {
	return Needs{
		Summary: "a plain function", Description: "Does little", Subject: "the plain function",
		Settings: []Setting{{Name: "Size", Default: "small", Allowed: []string{"small", "big"}}},
	}
}

func (plain) Data(function FunctionData) any {
	return struct {
		FunctionData
		Color string
	}{function, function.Function.Answers["color"]}
}

func testSpec(t *testing.T) Spec {
	t.Helper()
	spec, err := Catalog{plain{}}.Resolve(Answers{"name": "demo"})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// files is a file system of layers.
func files(contents map[string]string) fstest.MapFS {
	layers := fstest.MapFS{}
	for name, content := range contents {
		layers[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return layers
}

func TestRender(t *testing.T) {
	tree, err := render(files(map[string]string{
		"project/dot_config/dot_rc.tmpl":                "name <% .Name %> {{ kept }}\n",
		"project/cmd/x/main.go.tmpl":                    "package main\n",
		"project/cmd/x/settings.json.tmpl":              "{\"a\": <% json .Module %>}\n",
		"project+sam+official/both.txt.tmpl":            "both\n",
		"project+sam+slim/none.txt.tmpl":                "none\n",
		"iac/sam/scripts/run.sh.tmpl":                   "#!/bin/sh\n",
		"iac/cdk/none.txt.tmpl":                         "none\n",
		"kinds/plain/cmd/{function}/color.txt.tmpl":     "<% .Color %> of <% .Function.Name %><% template \"end\" %>\n",
		"kinds/plain+red/internal/{package}/a.txt.tmpl": "red: <% .Has \"red\" %>\n",
		"kinds/plain+blue/none/{function}.txt.tmpl":     "none\n",
		"kinds/plain/once.txt.tmpl":                     "<% range .Functions %><% .Color %><% end %>\n",
		"platform/parts/parts.go.tmpl":                  "package parts\n",
		"platform/parts+otlp/sub/more.txt.tmpl":         "more\n",
		"platform/others/others.go.tmpl":                "package others\n",
		"partials/words.tmpl":                           `<% define "end" %>, the end<% end %>`,
		"project/included.txt.tmpl":                     "<% range .Functions %><% include (print .Function.Kind.Name \"+sam\") . %><% end %>\n",
		"kinds/plain+sam/partials/words.tmpl":           `<% define "plain+sam" %><% .Color %> for <% .IaC %><% end %>`,
	}), testSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		".config/.rc":                          "name demo {{ kept }}\n",
		"both.txt":                             "both\n",
		"cmd/worker/color.txt":                 "red of worker, the end\n",
		"cmd/x/settings.json":                  "{\"a\": \"example.com/demo\"}\n",
		"internal/worker/a.txt":                "red: true\n",
		"internal/platform/parts/parts.go":     "package parts\n",
		"internal/platform/parts/sub/more.txt": "more\n",
		"included.txt":                         "red for sam\n",
		"once.txt":                             "red\n",
	} {
		if file, ok := tree.Lookup(path); !ok || string(file.Content) != want || file.Executable {
			t.Errorf("%s: got %q (executable: %v), want %q", path, file.Content, file.Executable, want)
		}
	}
	for _, file := range tree {
		if strings.Contains(file.Path, "none") || strings.Contains(file.Path, "others") {
			t.Errorf("%s belongs to a layer that the project does not have", file.Path)
		}
	}
	if file, ok := tree.Lookup("scripts/run.sh"); !ok || !file.Executable {
		t.Errorf("scripts/run.sh is there: %v, executable: %v", ok, file.Executable)
	}
	lock, ok := tree.Lookup(LockFile)
	// git hash-object of the script is 1a2485251c33a70432394c93fb89330ef214bfc9.
	if want := "100755 1a2485251c33a70432394c93fb89330ef214bfc9 scripts/run.sh\n"; !ok || !strings.Contains(string(lock.Content), want) {
		t.Errorf("%s does not hold %q:\n%s", LockFile, want, lock.Content)
	}
}

func TestRenderRefuses(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"two owners":          {map[string]string{"project/a.tmpl": "x\n", "iac/sam/a.tmpl": "x\n"}, "both want a"},
		"file and folder":     {map[string]string{"project/a.tmpl": "x\n", "iac/sam/a/b.tmpl": "x\n"}, "wants it to be a folder"},
		"golam's own file":    {map[string]string{"project/golam.yaml.tmpl": "a: b\n"}, "two files want"},
		"no suffix":           {map[string]string{"project/a": "x\n"}, "does not end in .tmpl"},
		"unknown field":       {map[string]string{"project/a.tmpl": "<% .Nothing %>\n"}, "Nothing"},
		"unknown function":    {map[string]string{"project/a.tmpl": "<% env \"HOME\" %>\n"}, "env"},
		"broken template":     {map[string]string{"project/a.tmpl": "<% if %>\n"}, "missing value"},
		"left-over delimiter": {map[string]string{"project/a.tmpl": "100 %> \n"}, "delimiter"},
		"unresolved value":    {map[string]string{"project/a.tmpl": "<no value>\n"}, "unresolved"},
		"empty":               {map[string]string{"project/a.tmpl": "<% if false %>x<% end %>\n"}, "empty"},
		"no line feed":        {map[string]string{"project/a.tmpl": "x"}, "line feed"},
		"two line feeds":      {map[string]string{"project/a.tmpl": "x\n\n"}, "line feed"},
		"carriage return":     {map[string]string{"project/a.tmpl": "x\r\n"}, "carriage return"},
		"broken go.mod":       {map[string]string{"project/go.mod.tmpl": "modul x\n"}, "unknown directive"},
		"go.mod of nothing":   {map[string]string{"project/go.mod.tmpl": "go 1.26\n"}, "no module"},
		"go.mod, not tidy":    {map[string]string{"project/go.mod.tmpl": "module  x\n"}, `line 1 is "module  x"`},
		"broken YAML":         {map[string]string{"project/a.yml.tmpl": "a: [\n"}, "yaml"},
		"second YAML, broken": {map[string]string{"project/a.yaml.tmpl": "a: b\n---\na: [\n"}, "yaml"},
		"broken JSON":         {map[string]string{"project/a.json.tmpl": "{a: b}\n"}, "not JSON"},
		"path that leads out": {map[string]string{"project/dot_./evil.tmpl": "x\n"}, "evil"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := render(files(test.files), testSpec(t))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("spec that Resolve did not make", func(t *testing.T) {
		if _, err := Render(Spec{Name: "x"}); err == nil {
			t.Error("want an error")
		}
	})
}

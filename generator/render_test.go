package generator

import (
	"strings"
	"testing"
	"testing/fstest"
)

// plain is a kind with one option, as the core sees one.
type plain struct{}

func (plain) Name() string         { return "plain" }
func (plain) Help() string         { return "does nothing" }
func (plain) FunctionName() string { return "function" }
func (plain) Limits() Limits       { return Limits{Memory: 128, Timeout: 3} }
func (plain) Resources() []string  { return []string{"Bucket", "ExistingBucket"} }
func (plain) Golden() []Variant    { return nil }
func (plain) Options() []Option {
	return []Option{Choices(Option{Key: "color", After: "module", Choices: []Choice{{Value: "red", Layers: []string{"red"}}, {Value: "blue"}}})}
}

func (plain) Data(project Data, function Function) any {
	return struct {
		Data
		Color string
	}{project, function.Answers["color"]}
}

func testSpec(t *testing.T) Spec {
	t.Helper()
	spec, err := Catalog{plain{}}.Resolve(Answers{"name": "demo"})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// layersWith returns file systems that have every layer of the default spec, and the files.
func layersWith(t *testing.T, files map[string]string) fstest.MapFS {
	t.Helper()
	layers := fstest.MapFS{}
	names, err := Layers(testSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range names {
		layers[layer+"/"+layer+".txt.tmpl"] = &fstest.MapFile{Data: []byte("x\n")}
	}
	for name, content := range files {
		layers[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return layers
}

func TestRender(t *testing.T) {
	tree, err := render(layersWith(t, map[string]string{
		"base/dot_config/dot_rc.tmpl":   "name <% .Name %> {{ kept }}\n",
		"base/cmd/x/main.go.tmpl":       "package main\n",
		"sam/scripts/run.sh.tmpl":       "#!/bin/sh\n",
		"red/cmd/x/color.txt.tmpl":      "<% .Color %> of <% (index .Functions 0).Name %>\n",
		"base/cmd/x/settings.json.tmpl": "{\"a\": <% json .Module %>}\n",
	}), testSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		".config/.rc":         "name demo {{ kept }}\n",
		"cmd/x/color.txt":     "red of function\n",
		"cmd/x/settings.json": "{\"a\": \"example.com/demo\"}\n",
	} {
		if file, ok := tree.Lookup(path); !ok || string(file.Content) != want || file.Executable {
			t.Errorf("%s: got %q (executable: %v), want %q", path, file.Content, file.Executable, want)
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
		"two owners":          {map[string]string{"base/a.tmpl": "x\n", "sam/a.tmpl": "x\n"}, "both want a"},
		"file and folder":     {map[string]string{"base/a.tmpl": "x\n", "sam/a/b.tmpl": "x\n"}, "wants it to be a folder"},
		"golam's own file":    {map[string]string{"base/golam.yaml.tmpl": "a: b\n"}, "two files want"},
		"no suffix":           {map[string]string{"base/a": "x\n"}, "does not end in .tmpl"},
		"unknown field":       {map[string]string{"base/a.tmpl": "<% .Nothing %>\n"}, "Nothing"},
		"unknown function":    {map[string]string{"base/a.tmpl": "<% env \"HOME\" %>\n"}, "env"},
		"broken template":     {map[string]string{"base/a.tmpl": "<% if %>\n"}, "missing value"},
		"left-over delimiter": {map[string]string{"base/a.tmpl": "100 %> \n"}, "delimiter"},
		"unresolved value":    {map[string]string{"base/a.tmpl": "<no value>\n"}, "unresolved"},
		"empty":               {map[string]string{"base/a.tmpl": "<% if false %>x<% end %>\n"}, "empty"},
		"no line feed":        {map[string]string{"base/a.tmpl": "x"}, "line feed"},
		"two line feeds":      {map[string]string{"base/a.tmpl": "x\n\n"}, "line feed"},
		"carriage return":     {map[string]string{"base/a.tmpl": "x\r\n"}, "carriage return"},
		"broken go.mod":       {map[string]string{"base/go.mod.tmpl": "modul x\n"}, "unknown directive"},
		"go.mod of nothing":   {map[string]string{"base/go.mod.tmpl": "go 1.26\n"}, "no module"},
		"go.mod, not tidy":    {map[string]string{"base/go.mod.tmpl": "module  x\n"}, `line 1 is "module  x"`},
		"broken YAML":         {map[string]string{"base/a.yml.tmpl": "a: [\n"}, "yaml"},
		"second YAML, broken": {map[string]string{"base/a.yaml.tmpl": "a: b\n---\na: [\n"}, "yaml"},
		"broken JSON":         {map[string]string{"base/a.json.tmpl": "{a: b}\n"}, "not JSON"},
		"path that leads out": {map[string]string{"base/dot_./evil.tmpl": "x\n"}, "evil"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := render(layersWith(t, test.files), testSpec(t))
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

package watch

import (
	"strings"
	"testing"
)

// TestModuleOfOthers: in a module that golam did not make, golam.yaml says where functions are and how to run them. Two in folders of the
// same name are served, and what cannot be built holds up no other.
func TestModuleOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	answer := strings.Replace(function(`[]string{read("page.txt"), os.Getenv("FROM_FILE"), os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")}`), "func main", `func read(name string) string {
	content, _ := os.ReadFile(name)
	return string(content)
}

func main`, 1)
	root := makeProject(t, map[string]string{
		"go.mod":                    goMod,
		"text/text.go":              textGo("one"),
		"golam.yaml":                "functions: {api: {path: ./services/handler, memory: 512, env_file: .env, include: [page.txt]}}\n",
		".env":                      "FROM_FILE=file\n",
		"services/handler/main.go":  answer,
		"services/handler/page.txt": "page",
		"a/run/main.go":             function("text.Text"),
		"b/run/main.go":             function("text.Text + `b`"),
		"lost/main.go":              strings.Replace(function("1"), "import (", "import (\n\t_ \"example.com/absent\"", 1),
		"tool/main.go":              "package main\n\nimport _ \"example.com/absent\"\n\nfunc main() {}\n",
	})
	w := start(t, root)
	w.answers("api", `["page","file","512"]`)
	w.answers("a-run", `"one"`)
	w.answers("b-run", `"oneb"`)
	if _, err := w.invoke("lost"); err == nil || !strings.Contains(err.Error(), "no required module provides package example.com/absent") {
		t.Errorf("lost answers: %v", err)
	}
	w.sees("the note of what is left out", func(e Event) bool { return e.Type == EventNote && strings.Contains(e.Note, "tool is left out") })
	w.write("other/main.go", "package main\n\nimport _ \"example.com/missing\"\n\nfunc main() {}\n")
	w.settle()
	leftOut := func(folder string) (count int) {
		for _, e := range w.all() {
			if e.Type == EventNote && strings.HasPrefix(e.Note, folder+" is left out") {
				count++
			}
		}
		return count
	}
	w.sees("the note of another one", func(e Event) bool { return e.Type == EventNote && strings.HasPrefix(e.Note, "other is left out") })
	if got := leftOut("tool"); got != 1 {
		t.Errorf("the note of tool comes %d times", got)
	}
	w.write("text/text.go", textGo("two"))
	w.settle()
	w.answers("a-run", `"two"`)
	w.answers("b-run", `"twob"`)
	w.write("services/handler/page.txt", "new page")
	w.answers("api", `["new page","file","512"]`)
	w.write(".env", "FROM_FILE=edited\n")
	w.settle()
	w.answers("api", `["new page","edited","512"]`)
	w.write(".env", "no variable\n")
	w.settle()
	w.sees("the mistake in the environment file", func(e Event) bool {
		return e.Type == EventNote && strings.Contains(e.Note, "the environment file of api: .env: line 1 is not of the form NAME=value; what it was before")
	})
	w.answers("api", `["new page","edited","512"]`)
	w.write("golam.yaml", "functions: {api: {path: ./services/handler, memory: 256}}\n")
	w.settle()
	w.answers("api", `["","","256"]`)
	// The golam.yaml of a project that golam made says as much about its functions.
	w.write("cmd/api/main.go", answer)
	w.write(".env", "FROM_FILE=again\n")
	w.write("golam.yaml", "schema: 2\nname: demo\nfunctions: {api: {kind: cognito-token, memory: 1024, env_file: .env}}\n")
	w.settle()
	w.answers("api", `["","again","1024"]`)
	w.write("golam.yaml", "schema: 2\nname: demo\nfunctions: {api: {kind: cognito-token, env_file: .env}}\n")
	w.settle()
	w.answers("api", `["","again","256"]`)
}

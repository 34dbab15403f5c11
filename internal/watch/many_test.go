package watch

import (
	"fmt"
	"slices"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// many are functions that share a package.
func many(count int) (files map[string]string, names []string) {
	files = map[string]string{"cmd/hello/main.go": ""}
	for i := range count {
		name := fmt.Sprintf("f%02d", i)
		files["cmd/"+name+"/main.go"] = function("text.Text")
		names = append(names, name)
	}
	return files, names
}

// A save of what many functions share reaches the one that was used last first, and the others in parts.
func TestManyFunctions(t *testing.T) {
	testkit.Slow(t)
	files, names := many(14)
	w := start(t, makeProject(t, files))
	// The first build is not waited for as a whole either.
	w.answers("f11", `"one"`)
	w.settle()
	for _, name := range names {
		w.answers(name, `"one"`)
	}
	w.answers("f04", `"one"`)

	saved := w.count()
	w.write("text/text.go", textGo("two"))
	built := func(e Event) bool { return e.Type == EventBuilt }
	first := w.seesFrom(saved, "the first build", built)
	if !slices.Contains(first.Build.Changed, "f04") || len(first.Build.Changed) > fewFunctions {
		t.Errorf("built first: %q", first.Build.Changed)
	}
	pending := 0
	for _, f := range first.Functions {
		if !f.Serving || f.Broken {
			t.Errorf("%+v", f)
		}
		if f.Pending {
			pending++
		}
	}
	if pending != len(names)-len(first.Build.Changed) {
		t.Errorf("%d functions are pending", pending)
	}
	w.settle()
	for _, name := range names {
		w.answers(name, `"two"`)
	}
	var changed []string
	building := 0
	for _, e := range w.all()[saved:] {
		switch e.Type {
		case EventBuilt:
			changed = append(changed, e.Build.Changed...)
		case EventBuilding:
			building++
		}
	}
	slices.Sort(changed)
	if !slices.Equal(changed, names) || building != 1 {
		t.Errorf("%d builds have changed %q", building, changed)
	}

	// Who waits for one function does not wait for the others.
	saved = w.count()
	w.write("text/text.go", textGo("three"))
	if err := w.waitUntilServed(t.Context(), "f09"); err != nil {
		t.Fatal(err)
	}
	w.answers("f09", `"three"`)
	if first := w.seesFrom(saved, "the first build", built); len(first.Build.Changed) == len(names) {
		t.Errorf("built first: %q", first.Build.Changed)
	}
	w.settle()
}

// What was built stays for the next session, which builds only what has changed.
func TestStartAgain(t *testing.T) {
	testkit.Slow(t)
	files, names := many(3)
	root, cache := makeProject(t, files), t.TempDir()
	first := start(t, root, func(o *Options) { o.Cache = cache })
	first.settle()
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	second := start(t, root, func(o *Options) { o.Cache = cache })
	second.settle()
	for _, name := range names {
		second.answers(name, `"one"`)
	}
	for _, e := range second.all() {
		if e.Type == EventBuilding {
			t.Error("it is built again")
		}
	}
	second.write("text/text.go", textGo("two"))
	second.settle()
	second.answers("f01", `"two"`)
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	// What changes in between is built before it is served, and what is broken is not served at all.
	second.write("cmd/f01/main.go", function(`text.Text + "!"`))
	second.write("cmd/f02/main.go", "package main\n\nfunc broken")
	third := start(t, root, func(o *Options) { o.Cache = cache })
	third.answers("f01", `"two!"`)
	third.answers("f00", `"two"`)
	if answer, err := third.invoke("f02"); err == nil {
		t.Errorf("a function that does not build answers %s", answer)
	}
}

func TestNext(t *testing.T) {
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("f%02d", i))
	}
	for _, tt := range []struct {
		name         string
		stale        []string
		used, waited []string
		want         []string
	}{
		{"few", all[:4], []string{"f03"}, nil, all[:4]},
		{"many", all, nil, nil, all[:12]},
		{"used last", all, []string{"f03", "f05", "f07", "gone"}, nil, []string{"f07", "f05"}},
		{"used, and built by now", all[10:], []string{"f03", "f05", "f07"}, nil, all[10:20]},
		{"waited for", all, []string{"f03"}, []string{"f19"}, []string{"f19"}},
		{"waited for among few", all[:3], nil, []string{"f01"}, []string{"f01"}},
		{"waited for, and built by now", all[:3], nil, []string{"f19"}, all[:3]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Session{uses: newUses()}
			for _, name := range tt.used {
				s.uses.use(name)
			}
			for _, name := range tt.waited {
				defer s.await(name)()
			}
			if got := s.next(tt.stale); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

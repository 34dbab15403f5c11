package merge

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
)

// goldenProjects reads the projects that are checked in whole.
func goldenProjects(t testing.TB) map[string]map[string]string {
	t.Helper()
	locks, err := filepath.Glob("../../golden/*/" + generator.LockFile)
	if err != nil || len(locks) < 4 {
		t.Fatalf("%d golden projects (%v)", len(locks), err)
	}
	projects := map[string]map[string]string{}
	for _, lock := range locks {
		dir := filepath.Dir(lock)
		text, err := os.ReadFile(lock)
		if err != nil {
			t.Fatal(err)
		}
		locked, err := generator.ParseLock(text)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for name, file := range locked {
			content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			if file.Mode == "100755" {
				name += "*"
			}
			files[name] = string(content)
		}
		projects[filepath.Base(dir)] = files
	}
	return projects
}

// TestGoldenProjectsBecomeEachOther changes each into each other, unedited.
func TestGoldenProjectsBecomeEachOther(t *testing.T) {
	projects := goldenProjects(t)
	for from, one := range projects {
		for to, two := range projects {
			folder := work(one)
			plan, err := Merge(Input{Base: baseOf(t, one), Target: tree(t, two), Work: folder})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(contents(work(two)), contents(applied(t, folder, plan))); diff != "" {
				t.Errorf("%s to %s (-want +got):\n%s", from, to, diff)
			}
		}
	}
}

// TestEditedGoldenProjects edits a line in each Go file at random and changes the project into another. What was written is still there.
func TestEditedGoldenProjects(t *testing.T) {
	projects := goldenProjects(t)
	names := slices.Sorted(maps.Keys(projects))
	conflicts, edits := 0, 0
	for seed := range cases(t, 20) {
		random := rand.New(rand.NewPCG(seed, 10))
		one, two := projects[names[random.IntN(len(names))]], projects[names[random.IntN(len(names))]]
		folder := work(one)
		written := 0
		for _, name := range slices.Sorted(maps.Keys(folder)) {
			lines := splitLines(folder[name].Data)
			if !strings.HasSuffix(name, ".go") || len(lines) == 0 {
				continue
			}
			written++
			at := random.IntN(len(lines))
			lines = slices.Insert(lines, at, "// by the owner "+strconv.Itoa(written)+"\n")
			folder[name] = &fstest.MapFile{Data: joined(lines), Mode: 0o644}
		}
		plan, err := Merge(Input{Base: baseOf(t, one), Target: tree(t, two), Work: folder})
		if err != nil {
			t.Fatal(err)
		}
		conflicts += len(plan.With(ActionConflict))
		edits += written
		var all strings.Builder
		for _, file := range applied(t, folder, plan) {
			all.Write(file.Data)
		}
		for i := range written {
			if !strings.Contains(all.String(), "// by the owner "+strconv.Itoa(i+1)+"\n") {
				t.Errorf("seed %d: edit %d is lost", seed, i+1)
			}
		}
	}
	t.Logf("%d conflicts from %d edits", conflicts, edits)
}

// TestBaseFileIsSmall holds what docs/decisions.md says about its cost.
func TestBaseFileIsSmall(t *testing.T) {
	for name, files := range goldenProjects(t) {
		packed, err := baseOf(t, files).Pack()
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, content := range files {
			size += len(content)
		}
		t.Logf("%s: %d files of %d bytes, base file %d bytes", name, len(files), size, len(packed))
		if len(packed) > size*2/5 {
			t.Errorf("%s: the base file has %d bytes, for %d", name, len(packed), size)
		}
	}
}

// BenchmarkMerge is about a project as large as one with 50 functions, in which every second file is edited, in a folder on disk.
func BenchmarkMerge(b *testing.B) {
	one, two := map[string]string{}, map[string]string{}
	for i := range 6 {
		projects := goldenProjects(b)
		for name, content := range projects["sam-eventbridge-otlp-slim"] {
			one["part"+strconv.Itoa(i)+"/"+name] = content
		}
		for name, content := range projects["sam-otlp"] {
			two["part"+strconv.Itoa(i)+"/"+name] = content
		}
	}
	dir := b.TempDir()
	edit := false
	for name, file := range work(one) {
		if edit = !edit; edit {
			file.Data = append(slices.Clone(file.Data), "// mine\n"...)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, file.Mode); err != nil {
			b.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	base, target := baseOf(b, one), tree(b, two)
	b.ReportMetric(float64(len(base)), "files")
	for b.Loop() {
		if _, err := Merge(Input{Base: base, Target: target, Work: root.FS()}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMergeUnedited is about the default project and its other choices, in memory.
func BenchmarkMergeUnedited(b *testing.B) {
	projects := goldenProjects(b)
	one := projects["sam"]
	folder, base := work(one), baseOf(b, one)
	for _, to := range []string{"sam", "sam-otlp", "cdk-slim"} {
		target := tree(b, projects[to])
		b.Run(to, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Merge(Input{Base: base, Target: target, Work: folder}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

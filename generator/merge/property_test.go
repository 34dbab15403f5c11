package merge

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The tests here make two versions of a project, edit the first at random, and merge the second into it.

// project makes a project of random files, and another version of it. In both, some files have lines in common. Lines are unique in a file.
func project(random *rand.Rand) (one, two map[string]string) {
	one, two = map[string]string{}, map[string]string{}
	for i := range 3 + random.IntN(8) {
		name := fmt.Sprintf("folder%d/file%d.txt", random.IntN(3), i)
		if random.IntN(6) == 0 {
			name += "*"
		}
		lines := uniqueLines(random.IntN(30))
		for j := range lines {
			lines[j] = name + " " + lines[j]
		}
		content := string(joined(lines))
		switch random.IntN(6) {
		case 0:
			one[name] = content
		case 1:
			two[name] = content
		case 2:
			one[name], two[name] = content, content
		default:
			one[name] = content
			two[name] = string(joined(edited(lines, randomEdits(random, len(lines), 2+random.IntN(12), "golam"))))
		}
	}
	return one, two
}

// editFolder does to a folder what an owner may do, and returns what must not get lost: the owner's lines of each file.
func editFolder(random *rand.Rand, folder fstest.MapFS) map[string][]string {
	written := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		file := *folder[name]
		switch random.IntN(7) {
		case 0, 1, 2:
			lines := splitLines(file.Data)
			edits := randomEdits(random, len(lines), 2+random.IntN(12), "mine "+name)
			file.Data = joined(edited(lines, edits))
			if len(edits) > 0 {
				written[name] = inserted(edits)
			}
		case 3:
			file.Mode ^= 0o111
		case 4:
			file.Data = toCRLF(file.Data)
		case 5:
			delete(folder, name)
			continue
		}
		folder[name] = &file
	}
	if random.IntN(3) == 0 {
		name := fmt.Sprintf("folder%d/mine.txt", random.IntN(3))
		folder[name] = &fstest.MapFile{Data: []byte("all mine\n"), Mode: 0o644}
		written[name] = []string{"all mine\n"}
	}
	return written
}

// cases is how many seeds a property is tried with. In -short it is a tenth.
func cases(t *testing.T, usual uint64) uint64 {
	t.Helper()
	if text := os.Getenv("GOLAM_MERGES"); text != "" {
		count, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	if testing.Short() {
		return usual / 10
	}
	return usual
}

func TestNoLineOfTheOwnerIsLost(t *testing.T) {
	seen := map[Action]int{}
	for seed := range cases(t, 500) {
		random := rand.New(rand.NewPCG(seed, 6))
		one, two := project(random)
		folder := work(one)
		written := editFolder(random, folder)
		before := maps.Clone(folder)

		base := baseOf(t, one)
		for step, target := range []map[string]string{two, one, two} {
			plan, err := Merge(Input{Base: base, Target: tree(t, target), Work: folder})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for _, change := range plan.Changes {
				seen[change.Action]++
			}
			folder = applied(t, folder, plan)
			base = storedBase(t, folder)
			for name, lines := range written {
				file, found := folder[name]
				if !found {
					t.Fatalf("seed %d: step %d removes %s, which its owner edited", seed, step, name)
				}
				checkKept(t, seed, toLF(file.Data), lines)
			}
			checkDeleted(t, seed, before, folder, one, two)
			again, err := Merge(Input{Base: base, Target: tree(t, target), Work: folder})
			if err != nil || len(again.Changes) > 0 {
				t.Fatalf("seed %d: step %d has something to do the second time: %v %v", seed, step, again.Changes, err)
			}
		}
	}
	t.Log("changes:", seen)
}

// checkDeleted finds files that the owner deleted and that came back although both versions have them.
func checkDeleted(t *testing.T, seed uint64, before, after fstest.MapFS, one, two map[string]string) {
	t.Helper()
	for name := range one {
		_, inBoth := two[name]
		name = strings.TrimSuffix(name, "*")
		if _, stayed := before[name]; stayed || !inBoth {
			continue
		}
		if _, back := after[name]; back {
			t.Fatalf("seed %d: %s was deleted and is back", seed, name)
		}
	}
}

// TestUneditedProjects updates there and back: the bytes are those of a new project, each time.
func TestUneditedProjects(t *testing.T) {
	if testing.Short() {
		t.Skip("renders every golden project")
	}
	for seed := range cases(t, 500) {
		random := rand.New(rand.NewPCG(seed, 7))
		one, two := project(random)
		folder := work(one)
		base := baseOf(t, one)
		for step, target := range []map[string]string{two, one, two} {
			plan, err := Merge(Input{Base: base, Target: tree(t, target), Work: folder})
			if err != nil {
				t.Fatal(err)
			}
			if kept := slices.Concat(plan.With(ActionKeep), plan.With(ActionConflict), plan.With(ActionMerge)); len(kept) > 0 {
				t.Fatalf("seed %d: step %d: nobody edited %v", seed, step, kept)
			}
			folder = applied(t, folder, plan)
			base = storedBase(t, folder)
			if diff := cmp.Diff(contents(work(target)), contents(folder)); diff != "" {
				t.Fatalf("seed %d: step %d (-want +got):\n%s", seed, step, diff)
			}
		}
	}
}

// TestThereAndBack edits lines that the other version does not change: there are no conflicts, and after the way back each file is as its
// owner had it.
func TestThereAndBack(t *testing.T) {
	for seed := range cases(t, 500) {
		random := rand.New(rand.NewPCG(seed, 8))
		files := 1 + random.IntN(6)
		one, two, mine := map[string]string{}, map[string]string{}, map[string]string{}
		for i := range files {
			name := fmt.Sprintf("file%d", i)
			lines, gap := uniqueLines(random.IntN(60)), 2+random.IntN(20)
			theirs := randomEdits(random, len(lines), gap, "golam")
			ours := apart(randomEdits(random, len(lines), gap, "mine"), theirs)
			if touch(theirs, ours) {
				ours = nil
			}
			one[name], two[name], mine[name] = string(joined(lines)), string(joined(edited(lines, theirs))), string(joined(edited(lines, ours)))
			if random.IntN(4) == 0 {
				delete(two, name)
			}
		}
		folder := work(mine)
		base := baseOf(t, one)
		for _, target := range []map[string]string{two, one} {
			plan, err := Merge(Input{Base: base, Target: tree(t, target), Work: folder})
			if err != nil {
				t.Fatal(err)
			}
			if conflicts := plan.With(ActionConflict); len(conflicts) > 0 {
				t.Fatalf("seed %d: conflicts without a cause: %v", seed, conflicts)
			}
			folder = applied(t, folder, plan)
			base = storedBase(t, folder)
		}
		if diff := cmp.Diff(mine, contents(folder)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func FuzzMerge(f *testing.F) {
	f.Add(uint64(1), []byte("mine\n"))
	f.Fuzz(func(t *testing.T, seed uint64, text []byte) {
		random := rand.New(rand.NewPCG(seed, 9))
		one, two := project(random)
		one["go.mod"], two["go.mod"] = baseMod, strings.ReplaceAll(baseMod, "v1.0.0", "v1.1.0")
		one["golam.yaml"], two["golam.yaml"] = "schema: 2\niac: sam\n", "schema: 2\niac: cdk\n"
		folder := work(one)
		names := slices.Sorted(maps.Keys(folder))
		name := names[random.IntN(len(names))]
		folder[name] = &fstest.MapFile{Data: text, Mode: 0o644}
		plan, err := Merge(Input{Base: baseOf(t, one), Target: tree(t, two), Work: folder})
		if err != nil {
			t.Fatal(err)
		}
		result, found := applied(t, folder, plan)[name]
		if original, ok := work(one)[name]; ok && bytes.Equal(original.Data, text) {
			return
		}
		if !found {
			t.Fatalf("%s is gone", name)
		}
		if name != "go.mod" && name != "golam.yaml" { // where the meaning counts, not the lines
			was := map[string]bool{}
			for _, line := range splitLines(toLF(work(one)[name].Data)) {
				was[strings.TrimSuffix(line, "\n")] = true
			}
			for _, line := range splitLines(toLF(text)) {
				if line = strings.TrimSuffix(line, "\n"); !was[line] && !bytes.Contains(result.Data, []byte(line)) && !bytes.Contains(toLF(result.Data), []byte(line)) {
					t.Fatalf("the line %q of %s is lost", line, name)
				}
			}
		}
	})
}

package build

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Most edits change nothing that the go command would list differently: neither the files of a package nor its imports. Then golam brings
// its index up to date without the go command, which would take as long as a small build. What the listing depends on in a Go file is its
// head.

// heads returns the heads of files, in their order: sums of what the listing depends on in each. The head of a file that is not Go, or
// cannot be read, is "".
func heads(names []string) []string {
	found := make([]string, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		if filepath.Ext(name) != ".go" {
			continue
		}
		group.Go(func() error {
			if source, err := readSource(name); err == nil {
				found[i] = headOf(source)
			}
			return nil
		})
	}
	_ = group.Wait()
	return found
}

// headOf sums up everything up to the last import (build constraints, directives, cgo, the package's name), what the file embeds, and what
// makes its package a function in golam's eyes. It is "" if the go command would complain about the file.
func headOf(source []byte) string {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return ""
	}
	end := file.Name.End()
	for _, declaration := range file.Decls {
		if imports, ok := declaration.(*ast.GenDecl); ok && imports.Tok == token.IMPORT {
			end = max(end, imports.End())
		}
	}
	h := sha256.New()
	h.Write(source[:set.Position(end).Offset])
	for line := range bytes.Lines(source) {
		if bytes.Contains(line, []byte("go:embed")) {
			fmt.Fprintf(h, "%q\n", line)
		}
	}
	fmt.Fprintln(h, mentionsStart(source), bytes.Contains(source, []byte(lambdaPackage)), mentionsRuntime(source))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// edited returns the index as it would be after another look at the project. It is not ok if that takes the go command: if a file has come
// or gone, if another head or another kind of file has changed, or if the index is not sound.
func (x index) edited(project Project) (_ index, ok bool) {
	if x.Watched.Root != project.Root || len(x.Functions) == 0 || x.unsure || len(x.Sums) != len(x.Files) || len(x.Heads) != len(x.Files) ||
		slices.ContainsFunc(x.Functions, func(f indexed) bool { return f.Problem != "" }) {
		return index{}, false
	}
	began := project.opened.Add(-clockStep)
	names, looked, tree := x.Watched.names(x.Tree)
	if names != x.Names {
		return index{}, false
	}
	now, err := sums(x.Files)
	if err != nil {
		return index{}, false
	}
	var changed []int
	for i, name := range x.Files {
		if now[i] == x.Sums[i] {
			continue
		}
		// Whatever else is embedded may have any content.
		if base := filepath.Base(name); isSource(base) && !strings.HasSuffix(base, ".go") {
			return index{}, false
		}
		changed = append(changed, i)
	}
	var edits []string
	for _, i := range changed {
		edits = append(edits, x.Files[i])
	}
	for i, head := range heads(edits) {
		if isSource(filepath.Base(edits[i])) && head == "" || head != x.Heads[changed[i]] {
			return index{}, false
		}
	}
	x.Sums, x.Tree = now, tree
	x.unsure = slices.ContainsFunc(looked, changedAfter(began))
	for _, i := range changed {
		if changedAfter(began)(x.Files[i]) {
			x.doubtful = append(x.doubtful, i)
		}
	}
	x.Functions = slices.Clone(x.Functions)
	for i := range x.Functions {
		f := &x.Functions[i]
		if inputs := x.inputsOf(*f); inputs != f.Inputs {
			f.Inputs, f.Payload = inputs, Payload{}
		}
	}
	return x, true
}

// inputsOf sums up all that a function is built from.
func (x index) inputsOf(f indexed) string {
	h := sha256.New()
	fmt.Fprintln(h, x.Toolchain, f.Package)
	for _, n := range f.Files {
		fmt.Fprintf(h, "%q %s\n", x.Files[n], x.Sums[n])
	}
	return hex.EncodeToString(h.Sum(nil))
}

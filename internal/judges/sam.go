package judges

import (
	"context"
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed transform.py
var transform string

// SAMValidate runs `sam validate --lint`.
func (j Judges) SAMValidate(ctx context.Context, project string) error {
	_, err := judge(ctx, project, offline(), j.executable("sam"), "validate", "--lint")
	return err
}

// SAMBuild runs `sam build` on a copy of the project, and looks at what it makes: a bootstrap for Linux on the architecture that
// template.yaml promises, executable, static and stripped.
func (j Judges) SAMBuild(ctx context.Context, project string) (err error) {
	copied, remove, err := copyOf(project)
	if err != nil {
		return err
	}
	defer remove()
	if _, err := judge(ctx, copied, environment(), j.executable("sam"), "build"); err != nil {
		return err
	}

	architectures, err := property(project, "Resources", "TokenCustomizer", "Properties", "Architectures")
	if err != nil {
		return err
	}
	machine := map[string]elf.Machine{"[arm64]": elf.EM_AARCH64, "[x86_64]": elf.EM_X86_64}[fmt.Sprint(architectures)]

	bootstrap := filepath.Join(copied, ".aws-sam", "build", "TokenCustomizer", "bootstrap")
	info, err := os.Stat(bootstrap)
	if err != nil {
		return fmt.Errorf("sam build made no bootstrap: %w", err)
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("the bootstrap that sam build made has mode %v and is not executable", info.Mode())
	}
	program, err := elf.Open(bootstrap)
	if err != nil {
		return fmt.Errorf("the bootstrap that sam build made: %w", err)
	}
	defer func() { _ = program.Close() }()
	switch {
	case program.Machine != machine:
		return fmt.Errorf("the bootstrap that sam build made is for %v, template.yaml promises %v", program.Machine, architectures)
	case program.Section(".interp") != nil:
		return fmt.Errorf("the bootstrap that sam build made is not static")
	case program.Section(".symtab") != nil:
		return fmt.Errorf("the bootstrap that sam build made is not stripped")
	}
	return nil
}

// CFNLintTransformed lints what AWS makes of the SAM template: cfn-lint finds circular dependencies there, and not in the source.
func (j Judges) CFNLintTransformed(ctx context.Context, project string) error {
	return j.transformed(ctx, project, func(template string) error {
		_, err := judge(ctx, project, offline(), j.executable("cfn-lint"), "--template", template)
		return err
	})
}

// SAMTemplate returns what AWS makes of the project's SAM template: a CloudFormation template, JSON.
func (j Judges) SAMTemplate(ctx context.Context, project string) (template []byte, err error) {
	err = j.transformed(ctx, project, func(name string) (err error) {
		template, err = os.ReadFile(name)
		return err
	})
	return template, err
}

// transformed calls use with the path of the transformed SAM template.
func (j Judges) transformed(ctx context.Context, project string, use func(template string) error) error {
	folder, err := os.MkdirTemp("", "golam-judges-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	template := filepath.Join(folder, "transformed.json")
	python := filepath.Join(j.cache, "sam", "bin", "python")
	if _, err := judge(ctx, project, offline(), python, "-c", transform, "template.yaml", template); err != nil {
		return err
	}
	return use(template)
}

// Checkov looks for what checkov's rules find unsafe in the project's template and workflows, of which it must have one at least; a project
// may skip a rule where its template says why.
func (j Judges) Checkov(ctx context.Context, project string) error {
	environment := append(offline(), "CKV_IGNORE_HIDDEN_DIRECTORIES=false")
	report, err := judge(ctx, project, environment, j.executable("checkov"), "--directory", ".", "--skip-download", "--compact")
	if err != nil {
		return err
	}
	// checkov passes over what it cannot parse without a word.
	judged := 0
	for pattern, kind := range map[string]string{
		samTemplate: "cloudformation", cdkTemplate: "cloudformation", ".github/workflows/*.yml": "github_actions",
	} {
		if _, err := files(project, pattern); err != nil {
			continue
		}
		judged++
		if !strings.Contains(report, kind+" scan results") {
			return fmt.Errorf("checkov has not judged %s:\n%s", pattern, report)
		}
	}
	if judged == 0 {
		return errors.New("the project has nothing that checkov judges")
	}
	return nil
}

// copyOf copies the project to a new folder, which remove removes.
func copyOf(project string) (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "golam-judges-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) }
	if err := os.CopyFS(folder, os.DirFS(project)); err != nil {
		remove()
		return "", nil, err
	}
	return folder, remove, nil
}

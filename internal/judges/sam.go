package judges

import (
	"archive/zip"
	"context"
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed transform.py
var transform string

// SAMValidate runs `sam validate --lint`.
func (j Judges) SAMValidate(ctx context.Context, project string) error {
	_, err := judge(ctx, project, offline(), j.executable("sam"), "validate", "--lint")
	return err
}

// SAMBuild runs `sam build` under a strict umask on a copy of the project, and looks at what it makes for each function: files that Lambda may
// read, and a bootstrap for Linux on the architecture that template.yaml promises, executable, static and stripped.
func (j Judges) SAMBuild(ctx context.Context, project string) (err error) {
	copied, remove, err := copyOf(project)
	if err != nil {
		return err
	}
	defer remove()
	if err := private(copied); err != nil {
		return err
	}
	if _, err := strictUmask(ctx, copied, environment(), j.executable("sam"), "build"); err != nil {
		return err
	}

	functions, err := samFunctions(project)
	if err != nil {
		return err
	}
	for _, function := range functions {
		if err := checkSAMFunction(project, function, filepath.Join(copied, samBuild, function)); err != nil {
			return fmt.Errorf("%s: %w", function, err)
		}
	}
	return nil
}

// samFunctions returns the logical ids of the functions in the project's SAM template.
func samFunctions(project string) ([]string, error) {
	resources, err := property(project, "Resources")
	if err != nil {
		return nil, err
	}
	var ids []string
	for id, resource := range resources.(map[string]any) {
		if resource.(map[string]any)["Type"] == "AWS::Serverless::Function" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("template.yaml has no function")
	}
	slices.Sort(ids)
	return ids, nil
}

// checkSAMFunction checks the folder that `sam build` made for a function.
func checkSAMFunction(project, function, folder string) error {
	architectures, err := property(project, "Resources", function, "Properties", "Architectures")
	if err != nil {
		return err
	}
	machine := map[string]elf.Machine{"[arm64]": elf.EM_AARCH64, "[x86_64]": elf.EM_X86_64}[fmt.Sprint(architectures)]
	bootstrap := filepath.Join(folder, "bootstrap")
	if _, err := os.Stat(bootstrap); err != nil {
		return fmt.Errorf("sam build made no bootstrap: %w", err)
	}
	if err := checkModes(folder); err != nil {
		return err
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

// samBuild is the folder that `sam build` fills. `sam deploy` packs the folders in it, one for each function.
const samBuild = ".aws-sam/build"

// SAMPackage builds and packages a copy of the project under a strict umask with the SAM CLI, which uploads the package to a moto server,
// and looks at the package that Lambda would unpack.
func (j Judges) SAMPackage(ctx context.Context, project string) (err error) {
	copied, remove, err := copyOf(project)
	if err != nil {
		return err
	}
	defer remove()
	if err := private(copied); err != nil {
		return err
	}
	endpoint, stop, err := j.StartMoto(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	variables := environment("AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	for _, command := range [][]string{
		{"aws", "s3", "mb", "s3://packages"},
		{"sam", "build"},
		{"sam", "package", "--s3-bucket", "packages", "--s3-prefix", "one", "--output-template-file", "packaged.yaml"},
		{"aws", "s3", "cp", "--recursive", "s3://packages/one", "packages"},
	} {
		if _, err := strictUmask(ctx, copied, variables, j.executable(command[0]), command[1:]...); err != nil {
			return err
		}
	}
	packages, err := files(copied, "packages/*")
	if err != nil {
		return err
	}
	if len(packages) != 1 {
		return fmt.Errorf("sam package uploaded %v, not one package", packages)
	}
	archive, err := zip.OpenReader(filepath.Join(copied, packages[0]))
	if err != nil {
		return fmt.Errorf("the package that sam package made: %w", err)
	}
	defer func() { _ = archive.Close() }()
	functions, err := samFunctions(project)
	if err != nil {
		return err
	}
	built, err := os.ReadDir(filepath.Join(copied, samBuild, functions[0]))
	if err != nil {
		return err
	}
	if len(archive.File) != len(built) {
		return fmt.Errorf("the package has %d files, sam build made %d", len(archive.File), len(built))
	}
	var problems []error
	for _, file := range archive.File {
		problems = append(problems, checkMode(file.FileInfo()))
	}
	return errors.Join(problems...)
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

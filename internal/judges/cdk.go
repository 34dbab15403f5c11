package judges

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// CDKSynth runs `make synth` under a strict umask on a copy of the project, with no network and no module proxy. It looks at the packages
// in the cloud assembly, which the CDK's command line uploads as they are, and has cfn-lint judge the template.
func (j Judges) CDKSynth(ctx context.Context, project string) error {
	copied, remove, err := copyOf(project)
	if err != nil {
		return err
	}
	defer remove()
	if err := private(copied); err != nil {
		return err
	}
	if _, err := strictUmask(ctx, copied, append(offline(), "GOPROXY=off"), "make", "synth"); err != nil {
		return err
	}
	packages, err := files(copied, "infra/cdk.out/asset.*")
	if err != nil {
		return err
	}
	for _, folder := range packages {
		if err := checkModes(filepath.Join(copied, folder)); err != nil {
			return err
		}
	}
	template, err := files(copied, "infra/cdk.out/*.template.json")
	if err != nil {
		return err
	}
	// W3005: the CDK has the function depend on its role, which its reference to the role says already.
	_, err = judge(ctx, copied, offline(), j.executable("cfn-lint"), "--ignore-checks", "W3005", "--template", template[0])
	return err
}

// CDKTemplates synthesizes the project's stack once for each context, and returns the CloudFormation templates.
func (j Judges) CDKTemplates(ctx context.Context, project string, contexts ...map[string]string) ([][]byte, error) {
	copied, remove, err := copyOf(project)
	if err != nil {
		return nil, err
	}
	defer remove()
	if _, err := judge(ctx, copied, environment(), "make", "build"); err != nil {
		return nil, err
	}
	infra := filepath.Join(copied, "infra")
	if _, err := judge(ctx, infra, environment(), "go", "build", "-o", "app", "."); err != nil {
		return nil, err
	}
	templates := make([][]byte, len(contexts))
	for i, context := range contexts {
		encoded, err := json.Marshal(context)
		if err != nil {
			return nil, err
		}
		out := fmt.Sprintf("out-%d", i)
		variables := append(offline(), "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+string(encoded))
		if _, err := judge(ctx, infra, variables, filepath.Join(infra, "app")); err != nil {
			return nil, err
		}
		name, err := files(infra, out+"/*.template.json")
		if err != nil {
			return nil, err
		}
		if templates[i], err = os.ReadFile(filepath.Join(infra, name[0])); err != nil {
			return nil, err
		}
	}
	return templates, nil
}

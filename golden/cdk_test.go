package golden_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFeatureFlagsAreCurrent compares the feature flags of the CDK projects with those that their version of the library recommends.
func TestFeatureFlagsAreCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks the CDK's library")
	}
	const infra = "cdk-slim/infra"
	// On a new machine nothing has asked for the module before.
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "github.com/aws/aws-cdk-go/awscdk/v2")
	command.Dir = infra
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		t.Fatal(err)
	}
	libraries, err := filepath.Glob(filepath.Join(module.Dir, "jsii", "aws-cdk-lib-*.tgz"))
	if err != nil || len(libraries) != 1 {
		t.Fatalf("the module has %d libraries (%v)", len(libraries), err)
	}
	var want map[string]any
	if err := json.Unmarshal(fromArchive(t, libraries[0], "package/recommended-feature-flags.json"), &want); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(infra, "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Context map[string]any }
	if err := json.Unmarshal(file, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Context); diff != "" {
		t.Errorf("feature flags in templates/iac/cdk/infra/cdk.json.tmpl (-recommended +there):\n%s", diff)
	}
}

// fromArchive reads a file of a compressed archive.
func fromArchive(t *testing.T, archive, name string) []byte {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	compressed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if err != nil {
			t.Fatalf("%s in %s: %v", name, filepath.Base(archive), err)
		}
		if header.Name != name {
			continue
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
}

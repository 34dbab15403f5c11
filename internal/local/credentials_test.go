package local

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func TestEnvironment(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, ".aws", "config")
	const text = "[default]\nregion = eu-north-1\n\n[ profile  shop ]\ns3 =\n  region = us-east-2\nregion=eu-central-1 # Frankfurt\n[profile bare]\noutput = json\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(home, "other")
	environ := []string{homeVariable + "=" + home, "PATH=/my/bin", "AWS_REGION=ap-south-1", "AWS_ACCESS_KEY_ID=mine", "SECRET=1"}
	type vars = map[string]string
	nobody := vars{"AWS_ACCESS_KEY_ID": "golam", "AWS_SECRET_ACCESS_KEY": "golam", "AWS_SESSION_TOKEN": "golam"}
	files := vars{
		homeVariable: home, "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, ".aws", "credentials"),
		"PATH": lambdaPath + string(filepath.ListSeparator) + "/my/bin",
	}
	tests := []struct {
		name    string
		given   vars
		environ []string
		want    vars
	}{
		{"nothing", nil, environ, nobody},
		{"other variables", vars{"TABLE": "orders"}, environ, with(nobody, vars{"TABLE": "orders"})},
		{"a key", vars{"AWS_ACCESS_KEY_ID": "k"}, environ, vars{"AWS_ACCESS_KEY_ID": "k"}},
		{"an empty key", vars{"AWS_ACCESS_KEY_ID": ""}, environ, nobody},
		{"an empty profile", vars{"AWS_PROFILE": ""}, environ, with(nobody, vars{"AWS_PROFILE": ""})},
		{"a profile", vars{"AWS_PROFILE": "shop"}, environ, with(files, vars{"AWS_PROFILE": "shop", "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"})},
		{"the default profile", vars{"AWS_PROFILE": "default"}, environ, with(files, vars{"AWS_PROFILE": "default", "AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-north-1"})},
		{"a profile without a region", vars{"AWS_PROFILE": "bare"}, environ, with(files, vars{"AWS_PROFILE": "bare"})},
		{"a profile and a region", vars{"AWS_PROFILE": "shop", "AWS_REGION": "sa-east-1"}, environ, with(files, vars{"AWS_PROFILE": "shop", "AWS_REGION": "sa-east-1", "AWS_DEFAULT_REGION": "sa-east-1"})},
		{
			"a profile in another file",
			vars{"AWS_PROFILE": "shop"},
			append([]string{"AWS_CONFIG_FILE=" + other}, environ...),
			with(files, vars{"AWS_PROFILE": "shop", "AWS_CONFIG_FILE": other}),
		},
		{"a profile and nothing else", vars{"AWS_PROFILE": "shop"}, nil, vars{"AWS_PROFILE": "shop", "PATH": lambdaPath}},
		{"a role of a web identity", vars{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, environ, vars{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}},
		{"those of the instance", vars{"AWS_EC2_METADATA_DISABLED": "false"}, environ, vars{"AWS_EC2_METADATA_DISABLED": "false"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := maps.Clone(tt.given)
			if got := Environment(tt.given, tt.environ); !maps.Equal(got, tt.want) {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
			if !maps.Equal(tt.given, before) {
				t.Error("what was given has changed")
			}
		})
	}
}

func with(some, more map[string]string) map[string]string {
	all := maps.Clone(some)
	maps.Copy(all, more)
	return all
}

// The AWS SDK asks the metadata service of an instance for credentials, and waits for it, where nothing tells it not to.
func TestNoMetadataService(t *testing.T) {
	fn := newFunction(Function{Name: "fn", Dir: "/"}, &Lambda{})
	if !slices.Contains(fn.variables("address", "stream"), "AWS_EC2_METADATA_DISABLED=true") {
		t.Error("functions look for the metadata service")
	}
	fn.Env = map[string]string{"AWS_EC2_METADATA_DISABLED": "false"}
	if !slices.Contains(fn.variables("address", "stream"), "AWS_EC2_METADATA_DISABLED=false") {
		t.Error("the user cannot say otherwise")
	}
	if runtime.GOOS != "windows" && !slices.Contains(fn.variables("address", "stream"), "PATH="+lambdaPath) {
		t.Error("the PATH is not Lambda's")
	}
}

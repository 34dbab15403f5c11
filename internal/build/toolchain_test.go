package build

import (
	"strings"
	"testing"
)

// TestGoError: progress is no reason, and what the machine or the network is at fault for is not blamed on the project.
func TestGoError(t *testing.T) {
	for name, test := range map[string]struct {
		output, want string
		machine      bool
	}{
		"a mistake": {
			output: "go: downloading example.com/a v1.0.0\ngo: downloading example.com/b v1.0.0\n# example.com/p\n./main.go:3:1: syntax error\n",
			want:   "the project does not build, go build says:\n# example.com/p\n./main.go:3:1: syntax error",
		},
		"a full disk": {
			output: "go: creating work dir: mkdir /tmp/go-build1: no space left on device\n", machine: true,
			want: "the machine could not build the project, go build says:\ngo: creating work dir",
		},
		"memory": {
			output: "example.com/p: /usr/local/go/pkg/tool/linux_amd64/link: signal: killed\n", machine: true,
			want: "the machine could not build the project, go build says:\n",
		},
		"the network": {
			output: "go: downloading example.com/a v1.0.0\nmain.go:3:8: example.com/a@v1.0.0: Get \"https://proxy.example.com\": dial tcp: lookup proxy.example.com: no such host\n",
			want:   "the go command could not download a module, go build says:\nmain.go:3:8: example.com/a@v1.0.0: Get",
		},
		"no network wanted": {
			output: "main.go:3:8: module lookup disabled by GOPROXY=off\n",
			want:   "the go command could not download a module, go build says:\nmain.go:3:8",
		},
	} {
		err := newGoError("build", t.TempDir(), test.output)
		if !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "downloading") {
			t.Errorf("%s: %q, want %q", name, err, test.want)
		}
		if MachineFault(err) != test.machine {
			t.Errorf("%s: a fault of the machine: %v", name, MachineFault(err))
		}
	}
}

package watch

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/golam-cli/golam/internal/build"
)

// impostor is a program of another user at the address of a golam watch that has died. It knows the project and answers every request,
// and its proofs are those of a secret that it has made up.
type impostor struct {
	*httptest.Server
	root   string
	secret string

	mu       sync.Mutex
	requests []string // but for challenges
	secrets  []string
}

func newImpostor(t *testing.T, root string) *impostor {
	t.Helper()
	i := &impostor{root: root, secret: newSecret()}
	own := &server{secret: i.secret}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == provePath {
			own.prove(w, r)
			return
		}
		i.mu.Lock()
		i.requests = append(i.requests, r.Method+" "+r.URL.Path)
		i.secrets = append(i.secrets, r.Header.Get("Authorization"))
		i.mu.Unlock()
		_, _ = w.Write([]byte(`{"root":"` + root + `","functions":[{"name":"f","serving":true}]}`))
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *impostor) got() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append(i.requests, i.secrets...)
}

func TestFind(t *testing.T) {
	root := makeProject(t, map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n"})
	var cache string
	w := start(t, root, func(o *Options) { cache = o.Cache })
	project, err := build.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(build.LiveFolder(cache, project), addressName)
	announced := read(t, name)
	find := func(t *testing.T, wanted bool) *Running {
		t.Helper()
		running, err := Find(t.Context(), cache, root, "")
		if err != nil || (running != nil) != wanted {
			t.Fatalf("found %+v, %v, want one: %v", running, err, wanted)
		}
		return running
	}
	if running := find(t, true); running.URL != w.URL() {
		t.Errorf("found %s, want %s", running.URL, w.URL())
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the secret: %v, %v", info.Mode(), err)
	}
	rewrite := func(t *testing.T, content string, mode os.FileMode) {
		t.Helper()
		_ = os.Remove(name) // it may be another user's
		write(t, name, content)
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	other := newImpostor(t, project.Root)
	_, secret, _ := strings.Cut(announced, "\n")
	for what, content := range map[string]string{
		"another secret":          w.URL() + "\n" + newSecret() + "\n",
		"no secret":               w.URL() + "\n",
		"an address of old":       w.URL(),
		"a port that was taken":   other.URL + "\n" + secret,
		"a port that nobody took": "http://127.0.0.1:1\n" + secret,
	} {
		t.Run(what, func(t *testing.T) {
			rewrite(t, content, 0o600)
			find(t, false)
		})
	}
	if got := other.got(); len(got) > 0 {
		t.Errorf("whoever took the port gets %q", got)
	}
	t.Run("a file that others may write", func(t *testing.T) {
		rewrite(t, other.URL+"\n"+other.secret+"\n", 0o622)
		find(t, false)
	})
	t.Run("a link", func(t *testing.T) {
		elsewhere := filepath.Join(t.TempDir(), "address")
		write(t, elsewhere, announced)
		remove(t, name)
		if err := os.Symlink(elsewhere, name); err != nil {
			t.Fatal(err)
		}
		find(t, false)
	})
	if os.Geteuid() == 0 {
		t.Run("a file of another user", func(t *testing.T) {
			rewrite(t, announced, 0o600)
			if err := os.Chown(name, 65534, 65534); err != nil {
				t.Fatal(err)
			}
			find(t, false)
		})
	}
	rewrite(t, announced, 0o600)
	find(t, true)
}

// TestPortTakenAfterFind has a session die between two requests.
func TestPortTakenAfterFind(t *testing.T) {
	other := newImpostor(t, "/")
	client := http.Client{Transport: (&Running{URL: other.URL, secret: newSecret()}).Transport()}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, other.URL+"/2015-03-31/functions/f/invocations", strings.NewReader("secret"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err == nil {
		response.Body.Close()
	}
	if !errors.Is(err, errNotProven) {
		t.Errorf("error %v", err)
	}
	if got := other.got(); len(got) > 0 {
		t.Errorf("whoever took the port gets %q", got)
	}
}

// TestStatusIsPrivate asks for paths and mistakes of the project without the secret.
func TestStatusIsPrivate(t *testing.T) {
	root := makeProject(t, map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n"})
	w := start(t, root)
	for _, authorization := range []string{"", "Bearer ", "Bearer " + newSecret(), w.server.secret} {
		for method, path := range map[string]string{http.MethodGet: "/_golam/", http.MethodPost: "/_golam/settle"} {
			request, err := http.NewRequestWithContext(t.Context(), method, w.URL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", authorization)
			client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusUnauthorized || response.ContentLength > 0 {
				t.Errorf("%s %s with %q: %s", method, path, authorization, response.Status)
			}
		}
	}
}

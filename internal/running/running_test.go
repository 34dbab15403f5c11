package running

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/testkit"
)

// impostor is a program of another user at the address of a golam watch that has died. It knows the project and answers every request,
// and its proofs are those of a secret that it has made up.
type impostor struct {
	*httptest.Server
	secret string

	mu       sync.Mutex
	requests []string // but for challenges
	secrets  []string
}

func newImpostor(t *testing.T, root string) *impostor {
	t.Helper()
	own := NewServer(func() Status { return Status{} }, func(context.Context, string) error { return nil })
	i := &impostor{secret: own.secret}
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

// watched is a project in whose folder of the cache the address of a golam watch is.
type watched struct {
	*httptest.Server
	own         *Server
	cache, root string
	name        string // of the file with the address

	mu      sync.Mutex
	settled []string // the functions that were waited for
	broken  error
}

func watch(t *testing.T) *watched {
	t.Helper()
	root := testkit.Folder(t, map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n"})
	project, err := build.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{cache: t.TempDir(), root: root}
	w.own = NewServer(
		func() Status { return Status{Root: root, Functions: []Function{{Name: "f", Serving: true}}} },
		func(_ context.Context, function string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.settled = append(w.settled, function)
			return w.broken
		})
	w.Server = httptest.NewServer(w.own)
	t.Cleanup(w.Close)
	folder := build.LiveFolder(w.cache, project)
	w.name = filepath.Join(folder, addressName)
	if err := errors.Join(os.MkdirAll(folder, 0o700), w.own.Announce(folder, w.URL)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) find(t *testing.T, wanted bool) *Watch {
	t.Helper()
	found, err := Find(t.Context(), w.cache, w.root, "f")
	if err != nil || (found != nil) != wanted {
		t.Fatalf("found %+v, %v, want one: %v", found, err, wanted)
	}
	return found
}

// rewrite replaces the file with the address.
func (w *watched) rewrite(t *testing.T, content string, mode os.FileMode) {
	t.Helper()
	_ = os.Remove(w.name) // it may be another user's
	testkit.Write(t, w.name, content)
	if err := os.Chmod(w.name, mode); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	w := watch(t)
	content, err := os.ReadFile(w.name)
	if err != nil {
		t.Fatal(err)
	}
	announced := string(content)
	found := w.find(t, true)
	w.mu.Lock()
	settled := w.settled
	w.mu.Unlock()
	if found.URL != w.URL || found.Root != w.root || len(found.Functions) != 1 || !slices.Equal(settled, []string{"f"}) {
		t.Errorf("found %+v at %s, which has built %v", found.Status, found.URL, settled)
	}
	if info, err := os.Stat(w.name); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the secret: %v, %v", info.Mode(), err)
	}
	other := newImpostor(t, w.root)
	_, secret, _ := strings.Cut(announced, "\n")
	for what, content := range map[string]string{
		"another secret":          w.URL + "\n" + newSecret() + "\n",
		"no secret":               w.URL + "\n",
		"an address of old":       w.URL,
		"a port that was taken":   other.URL + "\n" + secret,
		"a port that nobody took": "http://127.0.0.1:1\n" + secret,
	} {
		t.Run(what, func(t *testing.T) {
			w.rewrite(t, content, 0o600)
			w.find(t, false)
		})
	}
	if got := other.got(); len(got) > 0 {
		t.Errorf("whoever took the port gets %q", got)
	}
	t.Run("a file that others may write", func(t *testing.T) {
		w.rewrite(t, other.URL+"\n"+other.secret+"\n", 0o622)
		w.find(t, false)
	})
	t.Run("a link", func(t *testing.T) {
		elsewhere := filepath.Join(t.TempDir(), "address")
		testkit.Write(t, elsewhere, announced)
		if err := errors.Join(os.Remove(w.name), os.Symlink(elsewhere, w.name)); err != nil {
			t.Fatal(err)
		}
		w.find(t, false)
	})
	if os.Geteuid() == 0 {
		t.Run("a file of another user", func(t *testing.T) {
			w.rewrite(t, announced, 0o600)
			if err := os.Chown(w.name, 65534, 65534); err != nil {
				t.Fatal(err)
			}
			w.find(t, false)
		})
	}
	w.rewrite(t, announced, 0o600)
	w.find(t, true)
	w.mu.Lock()
	w.broken = errors.New("it ends")
	w.mu.Unlock()
	w.find(t, false)
}

// TestPortTakenAfterFind has a session die between two requests.
func TestPortTakenAfterFind(t *testing.T) {
	other := newImpostor(t, "/")
	client := http.Client{Transport: (&Watch{URL: other.URL, secret: newSecret()}).Transport()}
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
	w := watch(t)
	for _, authorization := range []string{"", "Bearer ", "Bearer " + newSecret(), w.own.secret} {
		for method, path := range map[string]string{http.MethodGet: statusPath, http.MethodPost: settlePath} {
			request, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, nil)
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

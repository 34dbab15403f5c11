package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golam-cli/golam/internal/build"
)

// addressName is the file in a session's folder that tells where it serves, and its secret. It goes when the session ends.
const addressName = "address"

// announce tells other golams of this user where the session serves.
func announce(live *build.Live, url, secret string) error {
	name := filepath.Join(live.Dir(), addressName)
	// As a whole or not at all: somebody may be reading.
	err := os.WriteFile(name+".new", []byte(url+"\n"+secret+"\n"), 0o600)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("tell other golams the address: %w", err)
	}
	return nil
}

// readAddress reads what announce wrote. It finds nothing in a file that is not this user's alone.
func readAddress(name string) (url, secret string, found bool) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || !onlyOwn(info) {
		return "", "", false
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", "", false
	}
	url, secret, found = strings.Cut(strings.TrimSuffix(string(content), "\n"), "\n")
	return url, secret, found && strings.HasPrefix(url, "http://") && len(secret) == len(newSecret())
}

// Running is a session of another golam.
type Running struct {
	// URL is the base of its addresses.
	URL string
	// Problem says why the newest source is not what is served, or is "".
	Problem string
	// Functions are those that it serves.
	Functions []FunctionState

	secret string
}

// Transport is for requests to URL. The session proves on each connection that it is the one that was found, before it gets anything.
func (r *Running) Transport() *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true, // and no proxy: it is on this machine
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, network, address, r.secret)
		},
	}
}

// maxStatus is more than a session tells of itself, in bytes.
const maxStatus = 4 << 20

// Find finds the session that watches the project that dir is in, and waits until it has built what has been saved: the function of that
// name, or all if it is empty. It gives nil if there is none.
func Find(ctx context.Context, cache, dir, function string) (*Running, error) {
	project, err := build.Open(dir)
	if err != nil {
		return nil, err
	}
	address, secret, found := readAddress(filepath.Join(build.LiveFolder(cache, project), addressName))
	if !found {
		return nil, nil //nolint:nilnil // as documented
	}
	// A golam that was killed leaves its address behind, where somebody else may serve by now.
	running := &Running{URL: address, secret: secret}
	if told, err := running.ask(ctx, http.MethodGet, "/_golam/", proofTime); err != nil || told.Root != project.Root {
		return nil, ctx.Err()
	}
	const patience = 5 * time.Minute // for a build, at most
	told, err := running.ask(ctx, http.MethodPost, "/_golam/settle?function="+url.QueryEscape(function), patience)
	if err != nil {
		return nil, ctx.Err()
	}
	running.Problem, running.Functions = told.Problem, told.Functions
	return running, nil
}

func (r *Running) ask(ctx context.Context, method, path string, patience time.Duration) (status, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, r.URL+path, nil)
	if err != nil {
		return status{}, err
	}
	request.Header.Set("Authorization", "Bearer "+r.secret)
	client := http.Client{Transport: r.Transport()}
	response, err := client.Do(request)
	if err != nil {
		return status{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return status{}, fmt.Errorf("%s: HTTP status %s", r.URL+path, response.Status)
	}
	var told status
	err = json.NewDecoder(io.LimitReader(response.Body, maxStatus)).Decode(&told)
	return told, err
}

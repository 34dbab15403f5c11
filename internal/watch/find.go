package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golam-cli/golam/internal/build"
)

// addressName is the file in a session's folder that tells where it serves. It goes when the session ends.
const addressName = "address"

// announce tells other golams where the session serves.
func announce(live *build.Live, url string) error {
	name := filepath.Join(live.Dir(), addressName)
	// As a whole or not at all: somebody may be reading.
	err := os.WriteFile(name+".new", []byte(url), 0o600)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("tell other golams the address: %w", err)
	}
	return nil
}

// Running is a session of another golam.
type Running struct {
	// URL is the base of its addresses.
	URL string
	// Problem says why the newest source is not what is served, or is "".
	Problem string
	// Functions are those that it serves.
	Functions []FunctionState
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
	address, err := os.ReadFile(filepath.Join(build.LiveFolder(cache, project), addressName))
	if err != nil || !strings.HasPrefix(string(address), "http://") {
		return nil, nil //nolint:nilerr,nilnil // as documented
	}
	// A golam that was killed leaves its address behind, where somebody else may serve by now.
	found, err := ask(ctx, http.MethodGet, string(address)+"/_golam/", time.Second)
	if err != nil || found.Root != project.Root {
		return nil, ctx.Err()
	}
	const patience = 5 * time.Minute // for a build, at most
	if found, err = ask(ctx, http.MethodPost, string(address)+"/_golam/settle?function="+url.QueryEscape(function), patience); err != nil {
		return nil, ctx.Err()
	}
	return &Running{URL: string(address), Problem: found.Problem, Functions: found.Functions}, nil
}

func ask(ctx context.Context, method, url string, patience time.Duration) (status, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return status{}, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is on this machine
	response, err := client.Do(request)
	if err != nil {
		return status{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return status{}, fmt.Errorf("%s: HTTP status %s", url, response.Status)
	}
	var told status
	err = json.NewDecoder(io.LimitReader(response.Body, maxStatus)).Decode(&told)
	return told, err
}

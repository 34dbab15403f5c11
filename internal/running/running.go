// Package running is how one golam finds another that is busy with the same project: a golam watch, which golam invoke then uses.
//
// What belongs here: what a golam watch says about itself, where it leaves its address, and how the two prove to each other that they
// belong to the same user. What does not belong here: the work of golam watch (internal/watch).
package running

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/golam-cli/golam/internal/build"
)

// Status is what a golam watch says about itself.
type Status struct {
	// Root is the project's folder.
	Root string `json:"root"`
	// Problem says why the newest source is not what is served, or is "".
	Problem string `json:"problem,omitempty"`
	// Functions are the project's functions, sorted by name.
	Functions []Function `json:"functions"`
}

// Function is a function of a project that golam watches.
type Function struct {
	Name string `json:"name"`
	// Serving says that there has been a good build, which answers invocations.
	Serving bool `json:"serving"`
	// Broken says that the newest source has not been built.
	Broken bool `json:"broken,omitempty"`
	// Pending says that the newest source is about to be built.
	Pending bool `json:"pending,omitempty"`
	// URL is the base of the function's own address, for HTTP requests.
	URL string `json:"url"`
	// Payload is the format in which it gets them, and why.
	Payload build.Payload `json:"payload"`
	// Debug is host:port of the function's debugger, or "".
	Debug string `json:"debug,omitempty"`
}

// Watch is a golam watch that [Find] has found.
type Watch struct {
	Status
	// URL is the base of its addresses.
	URL string

	secret string
}

// Transport is for requests to URL. On each connection, golam watch proves its identity before it receives a request.
func (w *Watch) Transport() *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true, // and no proxy: it is on this machine
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, network, address, w.secret)
		},
	}
}

// Find finds the golam watch of the project that dir is in. It waits until that one has built what has been saved: the named function, or
// all functions if the name is empty. It returns nil if there is no golam watch.
func Find(ctx context.Context, cache, dir, function string) (*Watch, error) {
	project, err := build.Open(dir)
	if err != nil {
		return nil, err
	}
	address, secret, found := readAddress(filepath.Join(build.LiveFolder(cache, project), addressName))
	if !found {
		return nil, nil //nolint:nilnil // as documented
	}
	// A golam that was killed leaves its address behind, and another program may have that port by now.
	watch := &Watch{URL: address, secret: secret}
	if status, err := watch.ask(ctx, http.MethodGet, statusPath, proofTime); err != nil || status.Root != project.Root {
		return nil, ctx.Err()
	}
	const patience = 5 * time.Minute // for a build, at most
	watch.Status, err = watch.ask(ctx, http.MethodPost, settlePath+"?function="+url.QueryEscape(function), patience)
	if err != nil {
		return nil, ctx.Err()
	}
	return watch, nil
}

// maxStatus is more than any status takes, in bytes.
const maxStatus = 4 << 20

func (w *Watch) ask(ctx context.Context, method, path string, patience time.Duration) (status Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, w.URL+path, nil)
	if err != nil {
		return Status{}, err
	}
	request.Header.Set("Authorization", bearer+w.secret)
	client := http.Client{Transport: w.Transport()}
	response, err := client.Do(request)
	if err != nil {
		return Status{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return Status{}, fmt.Errorf("%s: HTTP status %s", w.URL+path, response.Status)
	}
	err = json.NewDecoder(io.LimitReader(response.Body, maxStatus)).Decode(&status)
	return status, err
}

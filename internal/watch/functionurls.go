package watch

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/golam-cli/golam/internal/httpevent"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/localhttp"
)

// functionURLs turns HTTP requests into invocations, as function URLs, API Gateway and load balancers do. Each function has a path below
// urlPrefix, and a host name, <function>.localhost.
type functionURLs struct{ session *Session }

const urlPrefix = "/lambda-url/"

func (s *Session) newFunctionURLs() functionURLs { return functionURLs{s} }

// functionURL is where HTTP requests reach a function of a session at a URL.
func functionURL(base, function string) string { return base + urlPrefix + function + "/" }

func (functionURLs) variables(string) map[string]string { return nil }

func (functionURLs) accepts(r *http.Request) bool {
	_, _, found := splitFunctionURL(r)
	return found
}

// splitFunctionURL finds the function that a request is for, and the rest of its path.
func splitFunctionURL(r *http.Request) (function, path string, found bool) {
	path = r.URL.EscapedPath()
	if name, found := strings.CutSuffix(strings.ToLower(localhttp.Hostname(r.Host)), ".localhost"); found {
		return name, path, true
	}
	rest, found := strings.CutPrefix(path, urlPrefix)
	if !found || rest == "" {
		return "", "", false
	}
	escaped, _, _ := strings.Cut(rest, "/")
	function, err := url.PathUnescape(escaped)
	return function, strings.TrimPrefix(rest, escaped), err == nil
}

func (u functionURLs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, path, _ := splitFunctionURL(r)
	if path == "" {
		path = "/"
	}
	function, format, err := u.session.byHost(r.Context(), name)
	if err != nil {
		httpevent.Refuse(w, err)
		return
	}
	httpevent.Serve(w, r, path, format, func(ctx context.Context, in local.Invocation) (local.Result, error) {
		return u.session.Invoke(ctx, function, in)
	})
}

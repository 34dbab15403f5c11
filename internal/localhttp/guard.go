package localhttp

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard keeps pages of other sites away from what is served on this machine. Three things that a page cannot forge tell where a request
// comes from: Host, Origin, and the Sec-Fetch headers (W3C Fetch Metadata).
//
// Browsers send the Sec-Fetch headers only to addresses that they trust: HTTPS, real loopback addresses, and localhost. So only these,
// and the address that golam listens at, may be in the Host header. 0.0.0.0 and ::ffff:127.0.0.1 lead to this machine too, but a browser
// says nothing about the page that asks for them.
type guard struct {
	host   string // as configured
	url    string
	pages  bool
	refuse func(w http.ResponseWriter, status int, message string)
}

func newGuard(options Options, url string) guard {
	return guard{host: options.Host, url: url, pages: options.Pages, refuse: options.Refuse}
}

func (g guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reason := g.check(r)
		switch {
		case reason == "":
			next.ServeHTTP(w, r)
		case r.Header.Get("Sec-Fetch-Mode") == "navigate":
			refusePage(w, reason)
		default:
			g.refuse(w, http.StatusForbidden, reason)
		}
	})
}

// refusePage refuses what a browser would show as a page. It is a page with an icon of its own: without one, the browser would ask for
// /favicon.ico next, as a page of this server.
func refusePage(w http.ResponseWriter, reason string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, "<!doctype html><title>403 Forbidden</title><link rel=\"icon\" href=\"data:,\"><p>golam: "+reason+"\n")
}

// check returns why a request may not be served, or "".
func (g guard) check(r *http.Request) string {
	// Every browser names a host. Of the programs that speak HTTP by themselves, as runtimes do, some name none.
	nameless := r.Host == "" && !g.pages
	if !nameless && !g.own(r, r.Host) {
		return "the Host header names another server: use " + g.url
	}
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	browser := origin != "" || site != "" || isBrowser(r)
	switch {
	case !browser:
		return ""
	case !g.pages:
		return "browsers may not send requests to this address"
	case origin != "":
		if from, err := url.Parse(origin); err != nil || !g.own(r, from.Host) {
			return "a page of another site may not send requests to this address"
		}
		return ""
	}
	switch site {
	case "none", "same-origin":
		return ""
	case "same-site":
		// Another port of this machine. A name that the user configured may have neighbors that belong to somebody else.
		if isLoopback(Hostname(r.Host)) {
			return ""
		}
	case "":
		return "the browser does not say which page sends the request: use " + g.url
	}
	if followed(r) {
		return ""
	}
	return "a page of another site may not send requests to this address"
}

// own reports whether host, with a port or without, is this server, or for an Origin, a server on this machine.
func (g guard) own(r *http.Request, host string) bool {
	name := Hostname(host)
	if isLoopback(name) {
		return true
	}
	address, err := netip.ParseAddr(name)
	if err != nil {
		return name != "" && strings.EqualFold(name, g.host)
	}
	// The address that the connection was made to is one that golam listens at.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	return err == nil && !address.IsUnspecified() && at.Addr().Unmap().WithZone("") == address
}

// isLoopback reports whether browsers take a name for this machine: localhost, a name below it, or a loopback address in its usual form.
func isLoopback(name string) bool {
	name = strings.ToLower(name)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback() && !address.Is4In6() && address.Zone() == ""
}

// Hostname is the name or the address in a Host header, without the port.
func Hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	if inner, found := strings.CutPrefix(hostport, "["); found {
		return strings.TrimSuffix(inner, "]")
	}
	return hostport
}

// isBrowser reports whether a browser that sends neither Origin nor Sec-Fetch headers may have sent the request. Every browser calls
// itself Mozilla; so does PowerShell, whose name no page can take.
func isBrowser(r *http.Request) bool {
	agent := r.UserAgent()
	return strings.HasPrefix(agent, "Mozilla/") && !strings.Contains(agent, "PowerShell/")
}

// followed reports whether a person clicked a link that leads to a page of its own. Sec-Fetch-User says that it was a person: pages
// can also navigate, submit forms and load images, frames and pages ahead of time by themselves.
func followed(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" &&
		r.Header.Get("Sec-Fetch-User") == "?1" && r.Header.Get("Sec-Purpose") == ""
}

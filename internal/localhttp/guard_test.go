package localhttp

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
	window   = "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1"
)

// Each row is a request as a program or a browser sends it.
func TestGuard(t *testing.T) {
	const loopback, lan = "127.0.0.1:9001", "192.0.2.7:9001"
	type header = map[string]string
	page := func(site string, more header) header {
		h := header{"User-Agent": chromium, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"}
		for name, value := range more {
			h[name] = value
		}
		return h
	}
	click := header{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
	alone := header{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	tests := []struct {
		name   string
		at     string // the address of the connection on this side
		host   string
		method string
		header header
		passes bool
	}{
		// Hosts, for programs that are no browsers.
		{"curl", loopback, "127.0.0.1:9001", "POST", nil, true},
		{"curl without a port", loopback, "127.0.0.1", "POST", nil, true},
		{"localhost", loopback, "LocalHost:9001", "POST", nil, true},
		{"a name below localhost", loopback, "hello.localhost:9001", "GET", nil, true},
		{"IPv6", "[::1]:9001", "[::1]:9001", "GET", nil, true},
		{"IPv6 without a port", "[::1]:9001", "[::1]", "GET", nil, true},
		{"another loopback address", loopback, "127.8.9.10:9001", "GET", nil, true},
		{"the configured name", lan, "box.example:9001", "GET", nil, true},
		{"the address of the connection", lan, "192.0.2.7:9001", "GET", nil, true},
		{"the address of the connection, IPv6", "[2001:db8::7]:9001", "[2001:db8::7]:9001", "GET", nil, true},
		{"every address", loopback, "0.0.0.0:9001", "GET", nil, false},
		{"every address, IPv6", "[::1]:9001", "[::]:9001", "GET", nil, false},
		{"an address of every kind that listens", "0.0.0.0:9001", "0.0.0.0:9001", "GET", nil, false},
		{"IPv4 in IPv6", loopback, "[::ffff:127.0.0.1]:9001", "GET", nil, false},
		{"IPv4 in IPv6, hexadecimal", loopback, "[::ffff:7f00:1]:9001", "GET", nil, false},
		{"IPv4 in IPv6, of the connection", "[::ffff:192.0.2.7]:9001", "[::ffff:192.0.2.7]:9001", "GET", nil, false},
		{"IPv4 that came through IPv6", "[::ffff:192.0.2.7]:9001", "192.0.2.7:9001", "GET", nil, true},
		{"short form", loopback, "127.1:9001", "GET", nil, false},
		{"octal", loopback, "0177.0.0.1:9001", "GET", nil, false},
		{"another address", loopback, "192.0.2.7:9001", "GET", nil, false},
		{"another address of the network", lan, "192.0.2.8:9001", "GET", nil, false},
		{"a rebound name", loopback, "evil.example:9001", "GET", nil, false},
		{"a name that ends in localhost", loopback, "notlocalhost:9001", "GET", nil, false},
		{"localhost in the middle", loopback, "localhost.evil.example:9001", "GET", nil, false},
		{"a zone", loopback, "[::1%25lo]:9001", "GET", nil, false},
		{"no host", loopback, "", "GET", nil, false},
		{"only a port", loopback, ":9001", "GET", nil, false},
		{"PowerShell", loopback, "127.0.0.1:9001", "POST", header{"User-Agent": window}, true},

		// Pages of this machine.
		{"typed by hand", loopback, "127.0.0.1:9001", "GET", page("none", alone), true},
		{"own page", loopback, "127.0.0.1:9001", "GET", page("same-origin", nil), true},
		{"own page, form", loopback, "127.0.0.1:9001", "POST", page("same-origin", header{"Origin": "http://127.0.0.1:9001"}), true},
		{"page of another port", loopback, "localhost:9001", "POST", page("same-site", header{"Origin": "http://localhost:5173"}), true},
		{"image on a page of another port", loopback, "localhost:9001", "GET", page("same-site", nil), true},
		{"page of localhost asks an address", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "http://localhost:5173"}), true},
		{"page of this machine, over HTTPS", loopback, "localhost:9001", "POST", page("cross-site", header{"Origin": "https://localhost"}), true},
		{"page of the address of the connection", lan, "192.0.2.7:9001", "POST", header{"User-Agent": chromium, "Origin": "http://192.0.2.7:8000"}, true},

		// Pages of other sites.
		{"fetch", loopback, "127.0.0.1:9001", "GET", page("cross-site", header{"Origin": "https://evil.example"}), false},
		{"fetch without CORS", loopback, "127.0.0.1:9001", "GET", page("cross-site", nil), false},
		{"preflight", loopback, "127.0.0.1:9001", "OPTIONS", page("cross-site", header{"Origin": "https://evil.example"}), false},
		{"image", loopback, "127.0.0.1:9001", "GET", page("cross-site", header{"Sec-Fetch-Dest": "image"}), false},
		{"script", loopback, "127.0.0.1:9001", "GET", page("cross-site", header{"Sec-Fetch-Dest": "script"}), false},
		{"frame", loopback, "127.0.0.1:9001", "GET", page("cross-site", header{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}), false},
		{"frame with a click", loopback, "127.0.0.1:9001", "GET", page("cross-site", header{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-User": "?1"}), false},
		{"link that was clicked", loopback, "127.0.0.1:9001", "GET", page("cross-site", click), true},
		{"navigation by script, form with GET", loopback, "127.0.0.1:9001", "GET", page("cross-site", alone), false},
		{"form with POST, clicked", loopback, "127.0.0.1:9001", "POST", page("cross-site", click), false},
		{"form with POST and Origin", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "https://evil.example"}), false},
		{"page that is loaded ahead of time", loopback, "127.0.0.1:9001", "GET", page("cross-site", header{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1", "Sec-Purpose": "prefetch;prerender"}), false},
		{"sandboxed page", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "null"}), false},
		{"page of every address", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "http://0.0.0.0:8000"}), false},
		{"page of IPv4 in IPv6", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "http://[::ffff:127.0.0.1]:8000"}), false},
		{"page of another address", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "http://192.0.2.1"}), false},
		{"page with a name in its address", loopback, "127.0.0.1:9001", "POST", page("cross-site", header{"Origin": "http://localhost@evil.example"}), false},
		{"neighbor of the configured name", lan, "box.example:9001", "GET", page("same-site", nil), false},
		{"a value that nobody knows", loopback, "127.0.0.1:9001", "GET", page("near-site", nil), false},

		// Browsers do not say where a request comes from unless they trust its address.
		{"image, no metadata", loopback, "127.0.0.1:9001", "GET", header{"User-Agent": chromium}, false},
		{"image at the address of the network", lan, "192.0.2.7:9001", "GET", header{"User-Agent": chromium}, false},
		{"image at the configured name", lan, "box.example:9001", "GET", header{"User-Agent": chromium}, false},
		{"image at IPv4 in IPv6", loopback, "[::ffff:7f00:1]:9001", "GET", header{"User-Agent": chromium}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "/", nil)
			r.Host = tt.host
			at, err := net.ResolveTCPAddr("tcp", tt.at)
			if err != nil {
				t.Fatal(err)
			}
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(at)))
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			served, body := false, ""
			serve := func(options Options) int {
				served = false
				w := httptest.NewRecorder()
				newGuard(options.complete(), "http://"+tt.at).protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true })).ServeHTTP(w, r)
				body = w.Body.String()
				return w.Code
			}
			status := serve(Options{Host: "box.example", Pages: true})
			if icon := strings.Contains(body, `<link rel="icon" href="data:,">`); icon != (!served && tt.header["Sec-Fetch-Mode"] == "navigate") {
				t.Errorf("a page with an icon of its own: %t", icon)
			}
			if served != tt.passes || !served && status != http.StatusForbidden {
				t.Errorf("served: %t, status %d", served, status)
			}
			// Where no browser has any business, only programs pass, and need not name a host.
			serve(Options{Host: "box.example"})
			if program := tt.header["User-Agent"] != chromium; served != ((tt.passes || tt.host == "") && program) {
				t.Errorf("without pages, served: %t", served)
			}
		})
	}
}

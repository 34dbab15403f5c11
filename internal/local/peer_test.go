package local

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

const next = "/2018-06-01/runtime/invocation/next"

// apiOf is the AWS_LAMBDA_RUNTIME_API that a function describes.
func apiOf(t *testing.T, payload []byte) string {
	t.Helper()
	_, rest, found := bytes.Cut(payload, []byte(`"AWS_LAMBDA_RUNTIME_API=`))
	address, _, ended := bytes.Cut(rest, []byte(`"`))
	if !found || !ended {
		t.Fatalf("there is no address in %s", payload)
	}
	return string(address)
}

// status is that of a GET request with headers.
func status(t *testing.T, url string, header http.Header) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header, request.Host = header, header.Get("Host")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// TestRuntimeAPIByPath keeps others away by a path where the system cannot tell who they are.
func TestRuntimeAPIByPath(t *testing.T) {
	for name, bare := range map[string]bool{"with a path": false, "bare": true} {
		t.Run(name, func(t *testing.T) {
			l := one(t, official, "describe", func(_ *Config, f *Function) { f.BareRuntimeAPI = bare })
			l.tellsPeers = false
			for range 2 {
				address := apiOf(t, l.invoke("{}").Payload)
				port, path, found := strings.Cut(address, "/")
				if found == bare || !bare && len(path) != 32 {
					t.Fatalf("address %s", address)
				}
				if bare {
					continue
				}
				for _, url := range []string{port + next, port + "/" + strings.Repeat("0", 32) + next} {
					if got := status(t, "http://"+url, http.Header{}); got != http.StatusNotFound {
						t.Errorf("%s: status %d", url, got)
					}
				}
			}
		})
	}
}

// TestRuntimeAPIOfPages refuses what a page in a browser can make it send.
func TestRuntimeAPIOfPages(t *testing.T) {
	for _, shared := range []bool{false, true} {
		l := one(t, official, "describe", func(c *Config, _ *Function) { c.SharedRuntimeAPI = shared })
		url := "http://" + apiOf(t, l.invoke("{}").Payload) + "/nothing" // which is 404 for whoever may ask
		for name, header := range map[string]http.Header{
			"another name":       {"Host": {"rebound.example:80"}},
			"another address":    {"Host": {"192.0.2.1"}},
			"a script":           {"Origin": {"https://attacker.example"}},
			"an image":           {"Sec-Fetch-Site": {"cross-site"}},
			"a page served here": {"Sec-Fetch-Site": {"same-site"}},
		} {
			if got := status(t, url, header); got != http.StatusForbidden {
				t.Errorf("%s: status %d", name, got)
			}
		}
		for _, host := range []string{"localhost", "127.0.0.1", "[::1]:80", "localhost:9001"} {
			if got := status(t, url, http.Header{"Host": {host}}); got != http.StatusNotFound {
				t.Errorf("host %s: status %d", host, got)
			}
		}
		if r := l.invoke("{}"); r.FunctionError != "" || r.Cold {
			t.Errorf("the function is disturbed: %+v", r)
		}
	}
}

// TestOwnPeers takes connections of one user only.
func TestOwnPeers(t *testing.T) {
	if !canTellPeers() {
		t.Skip("this system does not tell whose a connection is")
	}
	for name, test := range map[string]struct {
		listen, dial string
		user         int
		taken        bool
	}{
		"own":             {"127.0.0.1:0", "127.0.0.1", os.Geteuid(), true},
		"another's":       {"127.0.0.1:0", "127.0.0.1", os.Geteuid() + 1, false},
		"own over IPv6":   {"[::1]:0", "::1", os.Geteuid(), true},
		"another's, IPv6": {"[::1]:0", "::1", os.Geteuid() + 1, false},
		"IPv4 in IPv6":    {"[::]:0", "127.0.0.1", os.Geteuid(), true},
	} {
		t.Run(name, func(t *testing.T) {
			inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", test.listen)
			if err != nil {
				t.Fatal(err)
			}
			defer inner.Close()
			go greet(ownPeers{inner, test.user})
			_, port, _ := net.SplitHostPort(inner.Addr().String())
			connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", net.JoinHostPort(test.dial, port))
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			requireGreeting(t, connection, test.taken)
		})
	}
}

// greet says hello to every connection.
func greet(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(connection, "hello")
		_ = connection.Close()
	}
}

func requireGreeting(t *testing.T, connection io.Reader, taken bool) {
	t.Helper()
	text, err := io.ReadAll(connection)
	if want := map[bool]string{true: "hello"}[taken]; string(text) != want {
		t.Errorf("it says %q, %v, want %q", text, err, want)
	}
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

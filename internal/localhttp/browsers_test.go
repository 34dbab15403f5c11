//go:build browsers

// These tests attack a server from real browsers: go test -tags browsers ./internal/localhttp -run Browsers. They need Debian's packages
// chromium and firefox-esr.

package localhttp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// record remembers which paths reached a handler.
type record struct {
	mu    sync.Mutex
	paths map[string]bool
}

func (r *record) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paths == nil {
		r.paths = map[string]bool{}
	}
	r.paths[request.Method+" "+request.URL.Path] = true
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<title>reached</title>")
}

func (r *record) reached(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paths[path]
}

// attacks are what a page does by itself. %s is a URL that the test recognizes.
var attacks = map[string]string{
	"img":      `<img src="%s">`,
	"script":   `<script src="%s"></script>`,
	"style":    `<link rel="stylesheet" href="%s">`,
	"iframe":   `<iframe src="%s" referrerpolicy="no-referrer"></iframe>`,
	"object":   `<object data="%s"></object>`,
	"audio":    `<audio src="%s" autoplay></audio>`,
	"prefetch": `<link rel="prefetch" href="%s">`,
	"get":      `<script>fetch("%s", {mode: "no-cors"})</script>`,
	"post":     `<script>fetch("%s", {method: "POST", mode: "no-cors", body: "{}"})</script>`,
	"beacon":   `<script>navigator.sendBeacon("%s", "{}")</script>`,
	"form":     `<iframe name="NAME"></iframe><form target="NAME" action="%s"></form><script>document.forms[document.forms.length-1].submit()</script>`,
	"postform": `<iframe name="NAME"></iframe><form target="NAME" method="post" action="%s"></form><script>document.forms[document.forms.length-1].submit()</script>`,
	"sandbox":  `<iframe sandbox="allow-scripts allow-forms" srcdoc='<form method="post" action="%s"></form><script>document.forms[0].submit()</script>'></iframe>`,
}

// navigations replace the page.
var navigations = map[string]string{
	"location": `<script>location = "%s"</script>`,
	"refresh":  `<meta http-equiv="refresh" content="0; url=%s">`,
	"formget":  `<form action="%s"></form><script>document.forms[0].submit()</script>`,
	"formpost": `<form method="post" action="%s"></form><script>document.forms[0].submit()</script>`,
}

var hosts = []string{"127.0.0.1", "localhost", "hello.localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"}

// browser opens pages, and clicks on them as a person does.
type browser interface {
	open(url string)
	click(url string)
}

func TestBrowsers(t *testing.T) {
	for name, start := range map[string]func(*testing.T) browser{"chromium": startChromium, "firefox": startFirefox} {
		t.Run(name, func(t *testing.T) {
			guarded, open := &record{}, &record{}
			target := serve(t, Options{Handler: guarded, Pages: true})
			came := &record{} // to the guard
			guard := target.http.Handler
			target.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				came.ServeHTTP(httptest.NewRecorder(), r)
				guard.ServeHTTP(w, r)
			})
			// The same attacks reach a server without a guard, or the test would prove nothing.
			control := serveAt(t, listener(t), Options{})
			control.http.Handler = open
			done := make(chan struct{}, 1)
			pages := &http.ServeMux{}
			attacker := serveAt(t, listener(t), Options{})
			attacker.http.Handler = pages
			_, port, err := net.SplitHostPort(attacker.Address)
			if err != nil {
				t.Fatal(err)
			}
			site := "http://evil.example:" + port
			address := func(server *Server, host, path string) string {
				_, port, _ := net.SplitHostPort(server.Address)
				return "http://" + host + ":" + port + path
			}
			page := func(name, body string) string {
				pages.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprintf(w, "<!doctype html><title>%s</title>%s", name, body)
				})
				return site + "/" + name
			}
			pages.HandleFunc("/done", func(http.ResponseWriter, *http.Request) { done <- struct{}{} })
			var all strings.Builder
			for kind, html := range attacks {
				for i, host := range hosts {
					path := fmt.Sprintf("/%s/%d", kind, i)
					for _, server := range []*Server{target, control} {
						frame := fmt.Sprintf("%s-%d-%p", kind, i, server)
						fmt.Fprintf(&all, strings.ReplaceAll(html, "NAME", frame), address(server, host, path))
					}
				}
			}
			// The page gives its requests the time that the control shows them to need.
			all.WriteString(`<script>setTimeout(() => fetch("/done"), 6000)</script>`)
			b := start(t)
			b.open(page("all", all.String()))
			<-done
			for kind, html := range navigations {
				for i, host := range hosts {
					path := fmt.Sprintf("/%s/%d", kind, i)
					method := map[bool]string{false: "GET ", true: "POST "}[kind == "formpost"]
					b.open(page(fmt.Sprintf("%s-%d-open", kind, i), fmt.Sprintf(html, address(control, host, path))))
					if !soonly(func() bool { return open.reached(method + path) }) {
						t.Logf("%s to %s does not reach a server without a guard", kind, host)
						continue
					}
					attack := page(fmt.Sprintf("%s-%d", kind, i), fmt.Sprintf(html, address(target, host, path)))
					tried := false
					for range 5 { // a page may be replaced before it has navigated
						b.open(attack)
						if tried = soonly(func() bool { return came.reached(method + path) }); tried {
							break
						}
					}
					if !tried {
						t.Errorf("%s to %s was not tried", kind, host)
					}
				}
			}
			for kind := range attacks {
				method := "GET "
				if slices.Contains([]string{"post", "beacon", "postform", "sandbox"}, kind) {
					method = "POST "
				}
				if path := "/" + kind + "/0"; !open.reached(method + path) {
					t.Logf("%s does not reach a server without a guard in this browser", kind)
				}
			}
			came.mu.Lock()
			t.Logf("%d attacks reach the guard", len(came.paths))
			came.mu.Unlock()
			open.mu.Lock()
			t.Logf("%d attacks reach a server without a guard", len(open.paths))
			if len(open.paths) < 2*len(attacks) {
				t.Errorf("only %v", open.paths)
			}
			open.mu.Unlock()
			guarded.mu.Lock()
			for path := range guarded.paths {
				t.Errorf("reached: %s", path)
			}
			guarded.mu.Unlock()

			// What may reach it: an address that a person types, and a link that a person clicks.
			b.open(address(target, "127.0.0.1", "/typed"))
			testkit.Eventually(t, "an address that was typed", func() bool { return guarded.reached("GET /typed") })
			b.click(page("link", fmt.Sprintf(`<a href=%q style="position:fixed;inset:0;background:#ccc">link</a>`, address(target, "localhost", "/clicked"))))
			testkit.Eventually(t, "a link that was clicked", func() bool { return guarded.reached("GET /clicked") })
		})
	}
}

// soonly waits for what not every browser does.
func soonly(condition func() bool) bool {
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run starts a browser that ends with the test.
func run(t *testing.T, command *exec.Cmd) {
	t.Helper()
	command.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}

// chromiumBrowser is driven with the Chrome DevTools Protocol over a pipe.
type chromiumBrowser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	id      int
	session string
}

func startChromium(t *testing.T) browser {
	toBrowser, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--user-data-dir="+t.TempDir(), "--host-resolver-rules=MAP evil.example 127.0.0.1", "--remote-debugging-pipe", "about:blank")
	command.ExtraFiles = []*os.File{toBrowser, fromBrowser} // 3 and 4, as the option wants
	run(t, command)
	_, _ = toBrowser.Close(), fromBrowser.Close()
	b := &chromiumBrowser{t: t, to: to, from: bufio.NewReader(from)}
	created := b.call("Target.createTarget", map[string]any{"url": "about:blank"})
	attached := b.call("Target.attachToTarget", map[string]any{"targetId": created["targetId"], "flatten": true})
	b.session, _ = attached["sessionId"].(string)
	b.call("Page.enable", nil)
	return b
}

func (b *chromiumBrowser) call(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method, "params": params}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	return b.await(func(answer map[string]any) bool { return answer["id"] == float64(b.id) })
}

func (b *chromiumBrowser) await(is func(map[string]any) bool) map[string]any {
	b.t.Helper()
	for {
		text, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(text[:len(text)-1], &answer); err != nil {
			b.t.Fatal(err)
		}
		if is(answer) {
			result, _ := answer["result"].(map[string]any)
			return result
		}
	}
}

func (b *chromiumBrowser) open(url string) { b.call("Page.navigate", map[string]any{"url": url}) }

func (b *chromiumBrowser) click(url string) {
	b.open(url)
	b.await(func(answer map[string]any) bool { return answer["method"] == "Page.loadEventFired" })
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": 100, "y": 100, "button": "left", "clickCount": 1})
	}
}

// firefoxBrowser is driven with Marionette.
type firefoxBrowser struct {
	t    *testing.T
	conn net.Conn
	from *bufio.Reader
	id   int
}

func startFirefox(t *testing.T) browser {
	profile := t.TempDir()
	free := listener(t)
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	preferences := fmt.Sprintf(`user_pref("marionette.port", %s);
user_pref("network.dns.localDomains", "evil.example");
user_pref("dom.disable_open_during_load", true);
`, port)
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, exec.CommandContext(t.Context(), "firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", profile))
	b := &firefoxBrowser{t: t}
	testkit.Eventually(t, "Firefox listens", func() bool {
		var dialer net.Dialer
		conn, err := dialer.DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
		b.conn = conn
		return err == nil
	})
	t.Cleanup(func() { _ = b.conn.Close() })
	b.from = bufio.NewReader(b.conn)
	b.read() // its greeting
	b.call("WebDriver:NewSession", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"pageLoadStrategy": "none"}}})
	return b
}

func (b *firefoxBrowser) read() (message []any) {
	b.t.Helper()
	_ = b.conn.SetReadDeadline(time.Now().Add(patience))
	text, err := b.from.ReadString(':')
	if err != nil {
		b.t.Fatal(err)
	}
	length, err := strconv.Atoi(strings.TrimSuffix(text, ":"))
	if err != nil {
		b.t.Fatal(err)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(b.from, body); err != nil {
		b.t.Fatal(err)
	}
	_ = json.Unmarshal(body, &message) // the greeting is an object
	return message
}

func (b *firefoxBrowser) call(method string, params map[string]any) (result any, failed bool) {
	b.t.Helper()
	b.id++
	text, err := json.Marshal([]any{0, b.id, method, params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s", len(text), text); err != nil {
		b.t.Fatal(err)
	}
	answer := b.read()
	return answer[3], answer[2] != nil
}

func (b *firefoxBrowser) open(url string) {
	// A page that navigates at once, or an address that Firefox refuses, is no failure.
	b.call("WebDriver:Navigate", map[string]any{"url": url})
}

func (b *firefoxBrowser) click(url string) {
	b.open(url)
	var element map[string]any
	testkit.Eventually(b.t, "the page is there", func() bool {
		result, failed := b.call("WebDriver:FindElement", map[string]any{"using": "css selector", "value": "a"})
		found, _ := result.(map[string]any)
		element, _ = found["value"].(map[string]any)
		return !failed && element != nil
	})
	for _, id := range element {
		if _, failed := b.call("WebDriver:ElementClick", map[string]any{"id": id}); failed {
			b.t.Error("the click failed")
		}
	}
}

// Command raw is a runtime that speaks the Runtime API itself, well or badly. The handler's name (_HANDLER) says what it does.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	handler    = os.Getenv("_HANDLER")
	base       = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API")
	runtimeAPI = base + "/2018-06-01/runtime/"
	extensions = base + "/2020-01-01/extension/"
)

func main() {
	debug.SetGCPercent(-1)
	if len(os.Args) > 1 {
		hog(os.Args[1])
		time.Sleep(time.Hour)
	}
	switch handler {
	case "exit0":
		os.Exit(0)
	case "exit1":
		fmt.Println("giving up")
		os.Exit(1)
	case "init-error":
		request("POST", runtimeAPI+"init/error", `{"errorType":"Config.Missing","errorMessage":"no table"}`,
			"Lambda-Runtime-Function-Error-Type", "Config.Missing")
		os.Exit(1)
	case "init-hang":
		fmt.Println("hanging in the init phase")
		time.Sleep(time.Hour)
	case "init-twice":
		// The first init phase fails, the second doesn't.
		if err := os.Mkdir("first", 0o755); err == nil {
			os.Exit(1)
		}
	case "ignore-sigterm":
		signal.Ignore(syscall.SIGTERM)
		go poll(register("stubborn"))
	case "extension":
		go poll(register("good", "INVOKE"))
	case "extension-refused":
		go poll(describeRegistrations())
	case "extension-late":
		go func() {
			// Some invocation is under way by then.
			gate()
			r := request("POST", extensions+"register", `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "late")
			fmt.Println("late registration", r.status, strings.TrimSpace(r.body))
		}()
	case "extension-gives-up-waiting":
		id := register("impatient", "INVOKE")
		client := http.Client{Timeout: 20 * time.Millisecond}
		req, _ := http.NewRequest("GET", extensions+"event/next", nil)
		req.Header.Set("Lambda-Extension-Identifier", id)
		_, err := client.Do(req)
		again := request("GET", extensions+"event/next", "", "Lambda-Extension-Identifier", id)
		fmt.Println("gave up:", err != nil, "asked again:", again.status)
	case "extension-never-polls":
		register("lazy", "INVOKE")
	case "extension-dies":
		id := register("mortal", "INVOKE")
		go request("GET", extensions+"event/next", "", "Lambda-Extension-Identifier", id)
		fmt.Println("one event only")
	case "extension-init-error", "extension-exit-error":
		id := register("sorry", "INVOKE")
		kind, _, _ := strings.Cut(strings.TrimPrefix(handler, "extension-"), "-")
		r := request("POST", extensions+kind+"/error", "{}", "Lambda-Extension-Identifier", id,
			"Lambda-Extension-Function-Error-Type", "Sorry.Really")
		fmt.Println("posted:", r.status)
		os.Exit(7)
	case "faults":
		initFault()
	case "telemetry":
		// What it is told of itself it passes on to the test.
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go http.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			request("POST", os.Getenv("SINK")+r.URL.Path, string(body))
		}))
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		id, other := register("telemetry", "INVOKE"), register("logs", "INVOKE")
		subscribe := func(id, path, version, types string) int {
			return request("PUT", base+path, fmt.Sprintf(`{"schemaVersion":%q,"types":%s,"buffering":{"timeoutMs":25},`+
				`"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:%s/%s"}}`, version, types, port, version),
				"Lambda-Extension-Identifier", id).status
		}
		fmt.Println("in the init phase")
		fmt.Println(`{"level":"INFO"}`)
		telemetry := subscribe(id, "/2022-07-01/telemetry", "2022-12-13", `["platform","function"]`)
		again := subscribe(id, "/2022-07-01/telemetry", "2022-12-13", `["platform","function"]`)
		both := subscribe(id, "/2020-08-15/logs", "2021-03-18", `["platform","function"]`)
		logs := subscribe(other, "/2020-08-15/logs", "2021-03-18", `["platform","function"]`)
		nothing := subscribe(id, "/2022-07-01/telemetry", "2022-12-13", `["nothing"]`)
		fmt.Println("subscriptions:", telemetry, again, both, logs, nothing)
		go poll(id)
		go poll(other)
	case "telemetry-flush":
		// Like an extension that sends on what it is told: it asks for the next event when the runtime is known to be done.
		done := make(chan struct{}, 1)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go http.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var batch []struct{ Type string }
			_ = json.NewDecoder(r.Body).Decode(&batch)
			for _, e := range batch {
				if e.Type == "platform.runtimeDone" || e.Type == "platform.initRuntimeDone" {
					done <- struct{}{}
				}
			}
		}))
		id := register("flush", "INVOKE")
		logs := os.Getenv("LOGS") != ""
		path := "/2022-07-01/telemetry"
		if logs {
			path = "/2020-08-15/logs"
		}
		fmt.Println("subscribed:", request("PUT", base+path, fmt.Sprintf(`{"schemaVersion":"2022-12-13","types":["platform"],`+
			`"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://%s"}}`, listener.Addr()),
			"Lambda-Extension-Identifier", id).status)
		go func() {
			if !logs { // which does not tell of the init phase
				<-done
			}
			for {
				request("GET", extensions+"event/next", "", "Lambda-Extension-Identifier", id)
				<-done
			}
		}()
	case "telemetry-stranger":
		for _, path := range []string{"/2020-08-15/logs", "/2022-07-01/telemetry"} {
			fmt.Println(path, request("PUT", base+path, "{}").status)
		}
	}
	for served := 0; ; served++ {
		inv := request("GET", runtimeAPI+"invocation/next", "")
		if inv.status != http.StatusOK {
			fmt.Println("next:", inv.status, inv.body)
			os.Exit(4)
		}
		serve(inv, served)
	}
}

func serve(inv reply, served int) {
	id := inv.header.Get("Lambda-Runtime-Aws-Request-Id")
	respond := func(body string) reply { return request("POST", runtimeAPI+"invocation/"+id+"/response", body) }
	switch handler {
	case "exit-in-invocation":
		os.Exit(5)
	case "exit-after-answer":
		respond(`"done"`)
		os.Exit(6)
	case "signal-itself":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Hour)
	case "hang", "ignore-sigterm":
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "hang-once":
		// Which instance this is says a file.
		if err := os.Mkdir("hung", 0o755); err == nil {
			time.Sleep(time.Hour)
		}
		respond(inv.body)
	case "answer-twice":
		respond(`"first"`)
		second := request("POST", runtimeAPI+"invocation/"+id+"/response", `"second"`)
		fmt.Println("second answer:", second.status)
	case "wrong-id":
		wrong := request("POST", runtimeAPI+"invocation/not-an-id/response", `"wrong"`)
		wrongError := request("POST", runtimeAPI+"invocation/not-an-id/error", `"wrong"`)
		respond(strconv.Quote(fmt.Sprint(wrong.status, wrongError.status)))
	case "late-init-error":
		late := request("POST", runtimeAPI+"init/error", "{}")
		respond(strconv.Itoa(late.status))
	case "next-twice":
		again := request("GET", runtimeAPI+"invocation/next", "")
		respond(strconv.FormatBool(again.header.Get("Lambda-Runtime-Aws-Request-Id") == id))
	case "stream":
		// A chunk, another one when the gate opens, and what the event says.
		body, write := io.Pipe()
		go func() {
			_, _ = io.WriteString(write, "first,")
			gate()
			_, _ = io.WriteString(write, "second")
			switch inv.body {
			case `"hang"`:
				fmt.Println("hanging")
				time.Sleep(time.Hour)
			case `"exit"`:
				os.Exit(3)
			}
			write.Close()
		}()
		req, _ := http.NewRequest("POST", runtimeAPI+"invocation/"+id+"/response", body)
		req.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
		req.Header.Set("Content-Type", "text/x-raw")
		if inv.body == `"fail"` {
			req.Trailer = http.Header{
				"Lambda-Runtime-Function-Error-Type": {"Sorry"},
				"Lambda-Runtime-Function-Error-Body": {base64.StdEncoding.EncodeToString([]byte(`{"errorType":"Sorry","errorMessage":"dry"}`))},
			}
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println("stream:", err)
			return
		}
		res.Body.Close()
		fmt.Println("stream:", res.StatusCode)
	case "streaming":
		r := request("POST", runtimeAPI+"invocation/"+id+"/response", "{}", "Lambda-Runtime-Function-Response-Mode", "streaming")
		fmt.Println("streaming:", r.status)
	case "print":
		fmt.Println("out 1")
		fmt.Fprintln(os.Stderr, "err 1")
		fmt.Println("out 2")
		fmt.Print("no end of line")
		respond("{}")
	case "print-hostile":
		_, _ = os.Stdout.Write([]byte("\x00\xff\x1b[2J\r\n\n"))
		fmt.Println(strings.Repeat("l", 600<<10))
		fmt.Print(strings.Repeat("m", 300<<10))
		respond("{}")
	case "print-much":
		for i := range 2000 {
			fmt.Println("line", i)
		}
		respond("{}")
	case "fork":
		respond(fork(false))
	case "fork-detached":
		respond(fork(true))
	case "hog":
		respond(hog(inv.body))
	case "hog-and-hang":
		hog(inv.body)
		time.Sleep(time.Hour)
	case "hog-child":
		_ = exec.Command(os.Args[0], inv.body).Run()
	case "faults":
		fault(inv, respond)
	case "exit-when-idle":
		respond(inv.body)
		go func() {
			gate()
			os.Exit(0)
		}()
	case "gate":
		gate()
		respond(inv.body)
	case "pid":
		respond(fmt.Sprintf(`{"pid":%d,"served":%d,"api":%q}`, os.Getpid(), served, os.Getenv("AWS_LAMBDA_RUNTIME_API")))
	default:
		respond(inv.body)
	}
}

// initFault does what the first file in the working directory says that no other process has taken.
func initFault() {
	for _, fault := range []string{"crash", "hang", "slow", "extension", "stubborn"} {
		files, _ := filepath.Glob(fault + "-*")
		for _, file := range files {
			if os.Remove(file) != nil {
				continue
			}
			switch fault {
			case "crash":
				os.Exit(2)
			case "hang":
				time.Sleep(time.Hour)
			case "slow":
				time.Sleep(20 * time.Millisecond)
			case "stubborn":
				signal.Ignore(syscall.SIGTERM)
				go poll(register("stubborn"))
			case "extension":
				go poll(register("good", "INVOKE"))
			}
			return
		}
	}
}

// fault does what the event says.
func fault(inv reply, respond func(string) reply) {
	var event struct{ Fault string }
	if err := json.Unmarshal([]byte(inv.body), &event); err != nil {
		panic(err)
	}
	switch event.Fault {
	case "":
		respond(inv.body)
	case "gate":
		gate()
		respond(inv.body)
	case "slow":
		time.Sleep(10 * time.Millisecond)
		respond(inv.body)
	case "error":
		request("POST", runtimeAPI+"invocation/"+inv.header.Get("Lambda-Runtime-Aws-Request-Id")+"/error", inv.body)
	case "crash":
		panic("crash")
	case "exit":
		os.Exit(0)
	case "crash-after-answer":
		respond(inv.body)
		os.Exit(6)
	case "hang":
		time.Sleep(time.Hour)
	case "hang-after-answer":
		respond(inv.body)
		time.Sleep(time.Hour)
	case "answer-twice":
		respond(inv.body)
		respond("{}")
	case "print":
		fmt.Print(strings.Repeat(strings.Repeat("x", 100)+"\n", 2000))
		respond(inv.body)
	case "fork":
		fork(false)
		respond(inv.body)
	case "fork-detached":
		fork(true)
		respond(inv.body)
	default:
		panic("unknown fault " + event.Fault)
	}
}

type reply struct {
	status int
	header http.Header
	body   string
}

// request sends a request with pairs of headers. The process ends when the server is gone.
func request(method, url, body string, headers ...string) reply {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		os.Exit(9)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		fmt.Println(err)
		os.Exit(9)
	}
	return reply{res.StatusCode, res.Header, string(data)}
}

// register registers an internal extension and gives its identifier.
func register(name string, events ...string) string {
	body, _ := json.Marshal(map[string][]string{"events": events})
	r := request("POST", extensions+"register", string(body), "Lambda-Extension-Name", name)
	if r.status != http.StatusOK {
		fmt.Println("register:", r.status, r.body)
		os.Exit(8)
	}
	return r.header.Get("Lambda-Extension-Identifier")
}

// poll asks for events for ever and passes the gate for each.
func poll(id string) {
	for {
		event := request("GET", extensions+"event/next", "", "Lambda-Extension-Identifier", id)
		gate()
		fmt.Println("event:", event.status, event.body)
	}
}

// gate waits until the test lets it go on.
func gate() {
	if url := os.Getenv("GATE"); url != "" {
		request("GET", url, "")
	}
}

// describeRegistrations prints what is said to registrations that are not in order, and gives the identifier of the one that is.
func describeRegistrations() string {
	try := func(name, body string) string {
		r := request("POST", extensions+"register", body, "Lambda-Extension-Name", name)
		fmt.Println(name, body, r.status, strings.TrimSpace(r.body))
		return r.header.Get("Lambda-Extension-Identifier")
	}
	id := try("a", `{"events":["INVOKE"]}`)
	try("a", `{"events":["INVOKE"]}`)
	try("b", `{"events":["SHUTDOWN"]}`)
	try("", `{"events":[]}`)
	try("c", `nonsense`)
	r := request("GET", extensions+"event/next", "")
	fmt.Println("no identifier", r.status, strings.TrimSpace(r.body))
	r = request("GET", extensions+"event/next", "", "Lambda-Extension-Identifier", "nobody")
	fmt.Println("unknown identifier", r.status, strings.TrimSpace(r.body))
	return id
}

// fork starts a child that never ends, and gives its process id.
func fork(detached bool) string {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "_HANDLER=init-hang")
	child.Stdout = os.Stdout
	if detached {
		child.SysProcAttr = newSession()
	}
	if err := child.Start(); err != nil {
		panic(err)
	}
	return strconv.Itoa(child.Process.Pid)
}

var kept [][]byte

// hog takes up memory, in MB, and keeps it.
func hog(megabytes string) string {
	n, _ := strconv.Atoi(megabytes)
	for range n {
		kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
	}
	return megabytes
}

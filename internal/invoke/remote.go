package invoke

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
)

// maxAnswer is more than an Invoke API may answer, in bytes: a response or an error of [quotas.MaxPayload], and a little.
const maxAnswer = quotas.MaxPayload + 1<<20

// runRemote speaks the Invoke API (Lambda API Reference, "Invoke") without a signature, which only a local server takes.
func runRemote(ctx context.Context, options Options) (Result, error) {
	base, err := parseAddress(options.Address)
	if err != nil {
		return Result{}, err
	}
	function := options.Function
	if function == "" {
		if function, err = onlyFunction(ctx, options); err != nil {
			return Result{}, err
		}
	}
	target := base + "/2015-03-31/functions/" + url.PathEscape(function) + "/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(options.Event))
	if err != nil {
		return Result{}, fmt.Errorf("invoke %s at %s: %w", function, base, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Amz-Log-Type", "Tail")
	if len(options.ClientContext) > 0 {
		request.Header.Set("X-Amz-Client-Context", base64.StdEncoding.EncodeToString(options.ClientContext))
	}
	if options.TraceID != "" {
		request.Header.Set("X-Amzn-Trace-Id", options.TraceID)
	}
	transport := options.transport
	if transport == nil {
		transport = &http.Transport{DisableKeepAlives: true} // no proxy: it is somewhere near
	}
	client := http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	switch {
	case ctx.Err() != nil:
		return Result{}, fmt.Errorf("invoke %s: %w", function, ctx.Err())
	case errors.Is(err, syscall.ECONNREFUSED):
		return Result{}, fmt.Errorf("nothing listens at %s: start the server, or leave --address out to run the function here", base)
	case err != nil:
		return Result{}, fmt.Errorf("invoke %s at %s: %w", function, base, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	if err != nil {
		return Result{}, fmt.Errorf("invoke %s at %s: %w", function, base, err)
	}
	if response.StatusCode != http.StatusOK {
		return Result{}, fmt.Errorf("%s refuses to invoke %s: %s", base, function, exception(response, body))
	}
	if options.Log != nil {
		logTail(options.Log, function, response.Header.Get("X-Amz-Log-Result"))
	}
	return Result{
		Function: function, RequestID: response.Header.Get("X-Amzn-Requestid"), TraceID: response.Header.Get("X-Amzn-Trace-Id"),
		FunctionError: response.Header.Get("X-Amz-Function-Error"), Response: body,
	}, nil
}

// parseAddress takes host:port or a URL of it and returns a URL without a slash at its end.
func parseAddress(text string) (string, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "http://" + text
	}
	address, err := url.Parse(full)
	if err != nil || address.Scheme != "http" || address.Hostname() == "" || strings.Trim(address.Path, "/") != "" || address.User != nil ||
		address.RawQuery != "" || address.Fragment != "" {
		return "", misuse.New("--address %q: use the address of a local Invoke API, such as http://127.0.0.1:9001", text)
	}
	if _, _, err := net.SplitHostPort(address.Host); err != nil {
		return "", misuse.New("--address %q has no port: use an address such as http://127.0.0.1:9001", text)
	}
	return "http://" + address.Host, nil
}

// onlyFunction looks into the project for the name, which a server is not asked for.
func onlyFunction(ctx context.Context, options Options) (string, error) {
	functions, err := build.Functions(ctx, options.Dir, options.Environ)
	if err != nil {
		return "", err
	}
	if len(functions) > 1 {
		return "", misuse.New("the project has several functions: name the one to invoke")
	}
	return functions[0].Name, nil
}

// exception reads the form of Lambda's errors, and falls back to the HTTP status.
func exception(response *http.Response, body []byte) string {
	kind, _, _ := strings.Cut(response.Header.Get("X-Amzn-Errortype"), ":")
	var message struct{ Message string } // the key is written with and without a capital letter
	_ = json.Unmarshal(body, &message)
	if kind == "" && message.Message == "" {
		return "HTTP status " + response.Status
	}
	return strings.TrimPrefix(strings.TrimSuffix(kind+": "+message.Message, ": "), ": ")
}

// logTail hands on the end of the function's log, which is all that an Invoke API tells.
func logTail(log func(local.Line), function, header string) {
	tail, err := base64.StdEncoding.DecodeString(header)
	if err != nil || len(tail) == 0 {
		return
	}
	for line := range bytes.Lines(tail) {
		log(local.Line{Time: time.Now(), Function: function, Text: bytes.TrimRight(line, "\r\n")})
	}
}

package build

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// TestPayload finds out how functions take HTTP requests, from their source alone.
func TestPayload(t *testing.T) {
	const imports = `package main

import (
	"context"
	"net/http"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"

	"example.com/functions/internal/shop"
)

`
	const v1, v2, url, alb = "its handler takes events.APIGatewayProxyRequest", "its handler takes events.APIGatewayV2HTTPRequest",
		"its handler takes events.LambdaFunctionURLRequest", "its handler takes events.ALBTargetGroupRequest"
	tests := []struct {
		name, source   string
		format, reason string
	}{
		{"rest", `func main() { lambda.Start(func(r events.APIGatewayProxyRequest) (any, error) { return nil, nil }) }`, "1.0", v1},
		{"http", `func main() { lambda.Start(handle) }
func handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayProxyResponse, error) { panic("") }`, "2.0", v2},
		{"balancer", `func main() { lambda.StartWithOptions(handle, lambda.WithContext(context.Background())) }
func handle(ctx context.Context, r *events.ALBTargetGroupRequest) (any, error) { panic("") }`, "alb", alb},
		{"url", `func main() { lambda.Start(func(ctx context.Context, r events.LambdaFunctionURLRequest) error { return nil }) }`, "2.0", url},
		{"streamed", `func main() { lambdaurl.Start(http.NotFoundHandler()) }`, "2.0", "it calls lambdaurl.Start"},
		{"method", `func main() { lambda.Start(shop.New().Handle) }`, "1.0", v1},
		{"elsewhere", `func main() { shop.Run(handle) }
func handle(r events.APIGatewayV2HTTPRequest) error { return nil }`, "2.0", v2},
		{"alias", `type request = events.ALBTargetGroupRequest
func main() { lambda.Start(func(r request) error { return nil }) }`, "alb", alb},
		{"middleware", `func main() { lambda.Start(wrap(handle)) }
func wrap(any) any { return nil }
func handle(r events.APIGatewayProxyRequest) error { _ = events.APIGatewayV2HTTPRequest{}; return nil }`, "1.0", v1},
		{"generic", `func main() { lambda.StartHandlerFunc(handle) }
func handle(ctx context.Context, r events.APIGatewayProxyRequest) (int, error) { return 0, nil }`, "1.0", v1},
		{"variable", `func main() {
	h := shop.New()
	serve := h.Handle
	lambda.Start(serve)
}`, "1.0", v1},
		{"raw", `type handler struct{}
func (handler) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var r events.ALBTargetGroupRequest
	return nil, json.Unmarshal(payload, &r)
}
func main() { lambda.StartHandler(handler{}) }`, "alb", alb},
		{"both", `func main() { lambda.Start(func(payload json.RawMessage) error {
	var a events.ALBTargetGroupRequest
	var b events.APIGatewayProxyRequest
	_, _ = a, b
	return nil
}) }`, "2.0", ""},
		{"queue", `func main() { lambda.Start(func(e events.SQSEvent) error { return nil }) }`, "2.0", ""},
		{"mistaken", `func main() { lambda.Start(func(r events.APIGatewayProxyRequest) (any, error) { return nothing }) }`, "1.0", v1},
		{"chosen", `func main() { lambda.Start(func(r events.APIGatewayProxyRequest) error { return nil }) }`, "2.0", "golam.yaml says so"},
	}
	files := lambdaModule(t)
	files["golam.yaml"] = "functions:\n  - name: chosen\n    payload: \"2.0\"\n"
	files["internal/shop/shop.go"] = `package shop

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

type Shop struct{}

func New() *Shop { return &Shop{} }

func (*Shop) Handle(context.Context, events.APIGatewayProxyRequest) error { return nil }

func Run(handler any) { lambda.Start(handler) }
`
	uses := map[string]string{
		"context.": "context", "http.": "net/http", "json.": "encoding/json", "events.": eventsPackage, "lambda.": lambdaPackage,
		"lambdaurl.": urlPackage, "shop.": "example.com/functions/internal/shop",
	}
	for _, tt := range tests {
		source := imports
		for used, path := range uses {
			if !strings.Contains(tt.source, used) {
				source = strings.Replace(source, "\t\""+path+"\"\n", "", 1)
			}
		}
		files["cmd/"+tt.name+"/main.go"] = source + tt.source + "\n"
	}
	root := testkit.Folder(t, files)
	project, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	toolchain, err := findToolchain(t.Context(), root, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	list, err := toolchain.list(t.Context(), project, platform(runtime.GOOS, runtime.GOARCH), nil)
	if err != nil {
		t.Fatal(err)
	}
	// What was found while golam.yaml was being edited is not taken over.
	again := func(last index) index {
		t.Helper()
		known, list, err := look(t.Context(), toolchain, project, platform(runtime.GOOS, runtime.GOARCH), last)
		if err != nil {
			t.Fatal(err)
		}
		known.findPayloads(list)
		return known
	}
	known := again(index{})
	known.unsure, known.Functions[0].Payload.Format = true, "old"
	if known = again(known); known.Functions[0].Payload.Format == "old" {
		t.Errorf("it takes over %+v", known.Functions[0].Payload)
	}
	known.unsure, known.Functions[0].Payload.Format = false, "known"
	if known = again(known); known.Functions[0].Payload.Format != "known" {
		t.Errorf("it finds out again: %+v", known.Functions[0].Payload)
	}
	found := newPayloads(list)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := found.of(Function{Name: tt.name, Package: "example.com/functions/cmd/" + tt.name})
			if got != (Payload{tt.format, tt.reason, tt.name == "chosen"}) {
				t.Errorf("got %+v", got)
			}
		})
	}

	for _, file := range []string{"functions:\n  - name: a\n    payload: \"3.0\"\n", "functions:\n  - name: a\n    payload: [1]\n"} {
		testkit.Write(t, filepath.Join(root, "golam.yaml"), file)
		if _, err := Open(root); err == nil {
			t.Errorf("taken: %s", file)
		}
	}
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions:\n  - name: a\n    payload: 1.0\n")
	if project, err := Open(root); err != nil || project.entry("a").Payload != PayloadV1 {
		t.Errorf("a format without quotes: %+v, %v", project.named, err)
	}
}

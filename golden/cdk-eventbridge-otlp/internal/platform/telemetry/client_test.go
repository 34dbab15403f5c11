package telemetry

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHungConnection expects a new connection after an abandoned request, also with TLS, where HTTP/2 would keep the old one.
func TestHungConnection(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			arrived := make(chan string, 2) // the client's address
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				arrived <- r.RemoteAddr
				if r.URL.Path == "/hangs" {
					<-r.Context().Done()
				}
			}))
			client := newClient(nil)
			if server.EnableHTTP2 = true; scheme == "https" {
				server.StartTLS()
				client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
			} else {
				server.Start()
			}
			defer server.Close()
			post := func(ctx context.Context, path string) error {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+path, nil)
				if err != nil {
					return err
				}
				response, err := client.Do(request)
				if err != nil {
					return err
				}
				return response.Body.Close()
			}
			ctx, cancel := context.WithCancel(t.Context())
			hung := make(chan error, 1)
			go func() { hung <- post(ctx, "/hangs") }()
			first := await(t, arrived, "the request arrives")
			cancel()
			if err := await(t, hung, "the request is given up"); err == nil {
				t.Error("a request that hangs is answered")
			}
			if err := post(t.Context(), "/"); err != nil {
				t.Fatal(err)
			}
			if second := await(t, arrived, "the next request arrives"); second == first {
				t.Error("the next request goes over the connection that hangs")
			}
		})
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

type event struct {
	Nonce string `json:"nonce"`
}

type answer struct {
	event

	RequestID string `json:"requestId"`
}

// function answers each event with its nonce and request id: a bare loop around the Runtime API at a host:port.
func function(ctx context.Context, api string) error {
	base := "http://" + api + "/2018-06-01/runtime/invocation/"
	for {
		var a answer
		res, err := request(ctx, http.MethodGet, base+"next", nil)
		if err != nil {
			return err
		}
		err = json.NewDecoder(res.Body).Decode(&a.event)
		res.Body.Close()
		if err != nil {
			return err
		}
		a.RequestID = res.Header.Get("Lambda-Runtime-Aws-Request-Id")
		body, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if res, err = request(ctx, http.MethodPost, base+a.RequestID+"/response", body); err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != http.StatusAccepted {
			return fmt.Errorf("the response was answered with %s", res.Status)
		}
	}
}

func request(ctx context.Context, method, url string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

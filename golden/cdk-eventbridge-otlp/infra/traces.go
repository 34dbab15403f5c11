package main

import (
	"errors"
	"net"
	"net/url"
)

// checkHeaders refuses to send the headers of the secret over a connection that others can read.
func (s settings) checkHeaders() error {
	if s.otlpHeadersSecretARN != "" && isExposed(s.otlpEndpoint) {
		return errors.New("context otlpEndpoint begins with http://, so others can read the headers of the secret on the way: use https://")
	}
	return nil
}

// isExposed reports whether others can read what is sent to the endpoint: it uses neither TLS nor the loopback interface.
func isExposed(endpoint string) bool {
	address, err := url.Parse(endpoint)
	if err != nil || address.Scheme != "http" {
		return false
	}
	return address.Hostname() != "localhost" && !net.ParseIP(address.Hostname()).IsLoopback()
}

package lambdaruntime

import (
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"
	"syscall"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/http1"
)

// stdout is standard output, the destination of the log.
var stdout io.Writer = socket(1)

// socket is a file descriptor with blocking system calls, because this package waits for one thing at a time. It does not need Go's network poller,
// resolver and package os, which would make the function larger.
type socket int

// dial connects to host:port, where the host is an IP address, an IPv6 one in brackets, or localhost.
func dial(address string) (http1.Stream, error) {
	remote, family, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errors.New("open a socket: " + err.Error())
	}
	for {
		err = syscall.Connect(fd, remote)
		if err != syscall.EINTR { //nolint:errorlint // system calls return bare numbers
			break
		}
	}
	if err == nil || err == syscall.EISCONN { //nolint:errorlint // likewise; it was connected before the interruption
		// Send data at once: each write is a whole request, or the end of one.
		err = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	}
	if err != nil {
		_ = socket(fd).Close()
		return nil, errors.New("connect to " + address + ": " + err.Error())
	}
	return socket(fd), nil
}

// Read implements io.Reader.
func (s socket) Read(to []byte) (int, error) {
	for {
		n, err := syscall.Read(int(s), to)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(to) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Write implements io.Writer.
func (s socket) Write(from []byte) (int, error) {
	written := 0
	for written < len(from) {
		n, err := syscall.Write(int(s), from[written:])
		if err != nil && err != syscall.EINTR {
			return written, err
		}
		written += max(n, 0)
	}
	return written, nil
}

// Quiet implements http1.Stream.
func (s socket) Quiet() bool {
	var first [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(s), first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if err != syscall.EINTR {
			return err == syscall.EAGAIN
		}
	}
}

// Close implements io.Closer.
func (s socket) Close() error { return syscall.Close(int(s)) }

// parseAddress parses host:port. It has no resolver, because the host is always an IP address on Lambda.
func parseAddress(address string) (syscall.Sockaddr, int, error) {
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return nil, 0, errors.New("address " + strconv.Quote(address) + " has no port")
	}
	host := address[:colon]
	port, err := strconv.ParseUint(address[colon+1:], 10, 16)
	if err != nil || port == 0 {
		return nil, 0, errors.New("address " + strconv.Quote(address) + " has no port from 1 to 65535")
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		if inner, found = strings.CutSuffix(inner, "]"); found {
			if ip, ok := parseIPv6(inner); ok {
				return &syscall.SockaddrInet6{Port: int(port), Addr: ip}, syscall.AF_INET6, nil
			}
		}
	} else if ip, ok := parseIPv4(host); ok {
		return &syscall.SockaddrInet4{Port: int(port), Addr: ip}, syscall.AF_INET, nil
	}
	return nil, 0, errors.New("host of address " + strconv.Quote(address) + " is neither an IP address nor localhost")
}

// parseIPv4 reads four decimal numbers. It does without package net/netip.
func parseIPv4(text string) (ip [4]byte, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != len(ip) {
		return ip, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) > 1 && part[0] == '0' || part[0] == '+' {
			return ip, false
		}
		ip[i] = byte(n)
	}
	return ip, true
}

// parseIPv6 parses up to eight groups of hexadecimal digits, in which :: replaces groups of zeros. It supports neither zones nor a tail in the form
// of an IPv4 address.
func parseIPv6(text string) (ip [16]byte, ok bool) {
	front, back, gap := strings.Cut(text, "::")
	first, ok := parseGroups(front)
	if !ok {
		return ip, false
	}
	last, ok := parseGroups(back)
	if !ok || !gap && len(first) != len(ip) || gap && len(first)+len(last) >= len(ip) {
		return ip, false
	}
	copy(ip[:], first)
	copy(ip[len(ip)-len(last):], last)
	return ip, true
}

func parseGroups(text string) ([]byte, bool) {
	if text == "" {
		return nil, true
	}
	var groups []byte
	for group := range strings.SplitSeq(text, ":") {
		n, err := strconv.ParseUint(group, 16, 16)
		if err != nil || len(group) > 4 || len(groups) == 16 {
			return nil, false
		}
		groups = binary.BigEndian.AppendUint16(groups, uint16(n))
	}
	return groups, true
}

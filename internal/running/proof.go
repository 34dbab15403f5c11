package running

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// A golam watch and another golam of the same user prove their identity to each other with a secret in a file that only that user can
// read. Otherwise a program that takes the port of a dead golam watch would receive events and could make up answers, and other users of
// the machine could read the paths and error messages of a project.
//
// The other golam first sends a random challenge on each connection. The golam watch answers with a keyed hash of it, which takes the
// secret to compute. Only then does it receive requests, which carry the secret if they need it.

const (
	challengeHeader = "Golam-Challenge"
	proofHeader     = "Golam-Proof"
)

// newSecret is 32 random bytes as text.
func newSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // it never fails
	return hex.EncodeToString(secret[:])
}

// proof answers a challenge.
func proof(secret, challenge string) string {
	hash := hmac.New(sha256.New, []byte(secret))
	hash.Write([]byte("golam watch " + challenge))
	return hex.EncodeToString(hash.Sum(nil))
}

// proofTime is how long a golam watch may take to prove its identity. It does nothing else first.
const proofTime = 2 * time.Second

var errNotProven = errors.New("the server there is not a golam watch of this user")

// dial connects to a golam watch, which proves its identity before anything else is sent.
func dial(ctx context.Context, network, address, secret string) (net.Conn, error) {
	connection, err := (&net.Dialer{Timeout: proofTime}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) })
	err = connection.SetDeadline(time.Now().Add(proofTime))
	if err == nil {
		err = demandProof(connection, address, secret)
	}
	if err == nil {
		err = connection.SetDeadline(time.Time{})
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = connection.Close()
		return nil, err
	}
	return connection, nil
}

// maxProof is more than a proof takes, in bytes.
const maxProof = 4 << 10

func demandProof(connection net.Conn, address, secret string) error {
	challenge := newSecret()
	_, err := fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\n\r\n", provePath, address, challengeHeader, challenge)
	if err != nil {
		return err
	}
	answer := bufio.NewReader(io.LimitReader(connection, maxProof))
	response, err := http.ReadResponse(answer, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotProven, err)
	}
	_ = response.Body.Close()
	given := response.Header.Get(proofHeader)
	// Nothing follows: it has not been asked for anything else.
	if answer.Buffered() > 0 || response.StatusCode != http.StatusNoContent || !hmac.Equal([]byte(given), []byte(proof(secret, challenge))) {
		return errNotProven
	}
	return nil
}

package watch

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A session and another golam of the same user prove to each other who they are with a secret in a file that only that user can read.
// Without it, whoever takes the port of a session that has died would get events and make up answers, and other users of the machine
// could read the paths and mistakes of a project.
//
// The other golam sends a random challenge first on each connection. The session answers with a keyed hash of it, which only the owner of
// the secret can make, and only then gets requests, with the secret where it is asked for.

const (
	challengeHeader = "Golam-Challenge"
	proofHeader     = "Golam-Proof"
	provePath       = "/_golam/prove"
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

// prove answers the challenge of another golam.
func (s *server) prove(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(proofHeader, proof(s.secret, r.Header.Get(challengeHeader)))
	w.WriteHeader(http.StatusNoContent)
}

// ownerOnly takes requests with the secret.
func (s *server) ownerOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !found || subtle.ConstantTimeCompare([]byte(given), []byte(s.secret)) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// proofTime is how long a session may take to prove that it is one. It has nothing else to do for it.
const proofTime = 2 * time.Second

var errNotProven = errors.New("what listens there is no golam watch of this user")

// dial connects to a session and has it prove itself before anything else is sent.
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

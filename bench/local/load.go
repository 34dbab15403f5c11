package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// result is what a number of clients got to see.
type result struct {
	clients       int
	took          time.Duration
	invocations   int   // with an answer
	lost          int   // without one, or with an error
	crossed       int   // with someone else's answer
	failure       error // the first
	p50, p99      time.Duration
	before, after usage // at rest, without environments
	warm, end     usage // with the environments that the clients need
}

// measure lets 1, 8 and 64 clients invoke as fast as they can, one number after the other.
func measure(ctx context.Context, s *server, duration time.Duration) ([]result, error) {
	var results []result
	for _, clients := range numbersOfClients {
		r, err := measureClients(ctx, s, clients, duration)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

func measureClients(ctx context.Context, s *server, clients int, duration time.Duration) (result, error) {
	r := result{clients: clients}
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	url := s.url + "/2015-03-31/functions/" + functionName(clients) + "/invocations"

	var err error
	ask := func(u *usage, command string) {
		if err == nil {
			*u, err = s.ask(command)
		}
	}
	ask(&r.before, "usage")
	const warmUp = 20 // invocations of each client
	warm := load(ctx, transport, url, clients, func(n int, _ time.Duration) bool { return n < warmUp })
	ask(&r.warm, "usage")
	main := load(ctx, transport, url, clients, func(_ int, since time.Duration) bool { return since < duration })
	ask(&r.end, "usage")
	transport.CloseIdleConnections()
	ask(&r.after, "reset")
	for since := time.Now(); err == nil && r.after.Files > r.before.Files && time.Since(since) < patience; {
		// The server has yet to see that its clients hung up.
		ask(&r.after, "usage")
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		return r, err
	}

	r.took = main.took
	r.invocations = len(main.latencies)
	r.lost, r.crossed = warm.lost+main.lost, warm.crossed+main.crossed
	r.failure = errors.Join(warm.failure, main.failure)
	slices.Sort(main.latencies)
	if n := len(main.latencies); n > 0 {
		r.p50, r.p99 = main.latencies[n/2], main.latencies[n*99/100]
	}
	return r, nil
}

// outcome is what some clients got to see together.
type outcome struct {
	took          time.Duration
	latencies     []time.Duration // of invocations with their own answer
	lost, crossed int
	failure       error
}

func (o *outcome) add(other outcome) {
	o.latencies = append(o.latencies, other.latencies...)
	o.lost += other.lost
	o.crossed += other.crossed
	if o.failure == nil {
		o.failure = other.failure
	}
}

// load runs clients, each of which invokes one time after the other as long as more, given the number of its invocations so far and the
// time since all began, says so.
func load(ctx context.Context, transport http.RoundTripper, url string, clients int, more func(int, time.Duration) bool) outcome {
	var (
		mu    sync.Mutex
		total outcome
		all   sync.WaitGroup
	)
	begin := time.Now()
	for range clients {
		all.Go(func() {
			var own outcome
			for n := 0; ctx.Err() == nil && more(n, time.Since(begin)); n++ {
				sent := time.Now()
				switch err := invoke(ctx, transport, url); {
				case err == nil:
					own.latencies = append(own.latencies, time.Since(sent))
				case errors.Is(err, errCrossed):
					own.crossed++
					own.failure = err
				default:
					own.lost++
					own.failure = err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(own)
		})
	}
	all.Wait()
	total.took = time.Since(begin)
	return total
}

// patience is how long a client waits for an answer before it is lost.
const patience = 30 * time.Second

var errCrossed = errors.New("somebody else's answer")

// invoke sends an event that nobody else sends and expects the answer to it.
func invoke(ctx context.Context, transport http.RoundTripper, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nonce := rand.Text()
	event, err := json.Marshal(event{nonce})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("X-Amz-Function-Error") != "" {
		return fmt.Errorf("%s: %s", res.Status, body)
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.Nonce != nonce || a.RequestID != res.Header.Get("X-Amzn-Requestid") {
		return fmt.Errorf("%w: %+v for %s in request %s", errCrossed, a, nonce, res.Header.Get("X-Amzn-Requestid"))
	}
	return nil
}

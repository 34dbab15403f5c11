package judges

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// StartCollector starts an OpenTelemetry Collector that takes spans with OTLP over HTTP at the endpoint, and sends them on to sink, the
// base of an address, as JSON.
func (j Judges) StartCollector(ctx context.Context, sink string) (endpoint string, stop func() error, err error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return "", nil, err
	}
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: %q}}}}
exporters: {otlphttp: {endpoint: %q, encoding: json, compression: none, sending_queue: {enabled: false}}}
service:
  pipelines: {traces: {receivers: [otlp], exporters: [otlphttp]}}
  telemetry: {metrics: {level: none}}
`, address, sink)
	collector := exec.CommandContext(ctx, j.executable("otelcol"), "--config", "yaml:"+config)
	collector.Env = environment()
	log, err := collector.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := collector.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error {
		if err := collector.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping the collector: %w", err)
		}
		_ = collector.Wait() // it was killed
		return nil
	}
	lines := bufio.NewScanner(log)
	var said strings.Builder
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Everything is ready") {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return "http://" + address, stop, nil
		}
		fmt.Fprintln(&said, lines.Text())
	}
	return "", nil, errors.Join(fmt.Errorf("the collector does not start:\n%s", said.String()), stop())
}

// freeAddress is an address of the loopback that nobody listened at a moment ago: the collector does not say which port it got.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

package judges

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/golam-cli/golam/internal/ports"
)

// StartCollector starts an OpenTelemetry Collector that takes spans with OTLP over HTTP at the endpoint, and sends them on to sink, the
// base of an address, as JSON.
func (j Judges) StartCollector(ctx context.Context, sink string) (endpoint string, stop func() error, err error) {
	port, err := ports.Reserve() // the collector doesn't say which port it got, so it's told one
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = port.Close() }()
	if err := port.HandOver(); err != nil {
		return "", nil, err
	}
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: %q}}}}
exporters: {otlphttp: {endpoint: %q, encoding: json, compression: none, sending_queue: {enabled: false}}}
service:
  pipelines: {traces: {receivers: [otlp], exporters: [otlphttp]}}
  telemetry: {metrics: {level: none}}
`, port.Address, sink)
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
			return "http://" + port.Address, stop, nil
		}
		fmt.Fprintln(&said, lines.Text())
	}
	return "", nil, errors.Join(fmt.Errorf("the collector does not start:\n%s", said.String()), stop())
}

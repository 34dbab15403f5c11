#!/usr/bin/env python3
"""Measure `golam watch` beside `cargo lambda watch`: the time from a save to the first answer of the new code, warm caches, interleaved.

Usage: bench/watch.py [TRIALS]

Each trial writes another number into the function's source, then invokes the function until it answers with it. The functions are the
smallest that their runtimes allow: aws-lambda-go for golam, lambda_runtime for cargo-lambda. How long `go build` alone takes for such an edit
is measured in the same turns, on a copy of the project that nobody watches. Nothing measured here uses the network; building the Rust function for the first time does, unless cargo has its crates.
"""

import http.client
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARGO_LAMBDA = ROOT / ".cache/peers/cargo-lambda/bin/cargo-lambda"
RUST = ROOT / "bench/peers/rust-hello"
TARGET = ROOT / ".cache/bench/rust-hello-target"
PATIENCE = 90  # seconds for the right answer
AIM, LIMIT = 0.6, 0.8  # seconds for golam's median

GO_MAIN = """package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

const number = 0

func answer(context.Context) (map[string]int, error) { return map[string]int{"number": number}, nil }

func main() { lambda.Start(answer) }
"""
GO_MOD = "module example.com/hello\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.55.1\n"


class NotMeasured(Exception):
    """Why a row has no figures."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def save(path, pattern, number):
    """Saves a source with another number."""
    path.write_text(re.sub(pattern, rf"\g<1>{number}", path.read_text(), count=1))


def go_project(folder):
    """Writes the project in Go."""
    (folder / "cmd/hello").mkdir(parents=True)
    (folder / "cmd/hello/main.go").write_text(GO_MAIN)
    (folder / "go.mod").write_text(GO_MOD)
    shutil.copy(ROOT / "internal/local/testdata/functions/go.sum", folder)


class Watcher:
    """A program that watches a project, and serves its function."""

    name, source, pattern, function = "", "", "", ""

    def __init__(self, folder, command, environment, port):
        self.folder, self.port = folder, port
        self.number = 0
        self.log = open(folder.parent / f"{self.function}.log", "w+b")
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, **environment},
            start_new_session=True)

    def ask(self):
        """Invokes the function once; None if there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", f"/2015-03-31/functions/{self.function}/invocations", "{}", {"Content-Type": "application/json"})
            found = re.search(rb'"number":\s*(\d+)', connection.getresponse().read())
            return int(found[1]) if found else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def wait(self, number):
        """Invokes until the answer is the number; returns when that was."""
        end = time.perf_counter() + PATIENCE
        while self.ask() != number:
            if self.process.poll() is not None or time.perf_counter() > end:
                self.log.seek(0)
                raise NotMeasured(f"{self.name} does not answer with {number}:\n{self.log.read().decode(errors='replace')[-2000:]}")
            time.sleep(0.002)
        return time.perf_counter()

    def warm(self):
        self.wait(0)
        for _ in range(2):
            self.trial()

    def trial(self):
        """Seconds from a save to the first answer of the new code."""
        start = time.perf_counter()
        self.number += 1
        save(self.folder / self.source, self.pattern, self.number)
        return self.wait(self.number) - start

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Golam(Watcher):
    name, source, pattern, function = "golam watch", "cmd/hello/main.go", r"(const number = )\d+", "hello"

    def __init__(self, work):
        program = work / "golam"
        subprocess.run(["go", "build", "-o", program, "./cmd/golam"], cwd=ROOT, check=True, env={**os.environ, "CGO_ENABLED": "0"})
        folder = work / "hello"
        go_project(folder)
        port = free_port()
        super().__init__(folder, [program, "watch", "--address", f"127.0.0.1:{port}"], {}, port)


class GoBuild:
    """The compiler alone, with golam's flags, on a copy of golam's project."""

    name = "  go build alone"

    def __init__(self, work):
        self.folder = work / "alone"
        go_project(self.folder)
        self.number = 1_000_000  # none that golam watch has built and left in the compiler's cache

    def warm(self):
        for _ in range(3):
            self.trial()

    def trial(self):
        """Seconds that it takes after a save."""
        self.number += 1
        save(self.folder / Golam.source, Golam.pattern, self.number)
        start = time.perf_counter()
        subprocess.run(
            ["go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", "../hello-alone", "./cmd/hello"],
            cwd=self.folder, check=True, capture_output=True, env={**os.environ, "CGO_ENABLED": "0"})
        return time.perf_counter() - start

    def close(self):
        pass


class CargoLambda(Watcher):
    name, source, pattern, function = "cargo lambda watch", "src/main.rs", r"(const NUMBER: u32 = )\d+", "rust-hello"

    def __init__(self, work):
        if not shutil.which("cargo"):
            raise NotMeasured("there is no cargo")
        if not CARGO_LAMBDA.exists():
            raise NotMeasured("cargo-lambda is not installed: run scripts/install-peers.sh")
        folder = work / "rust-hello"
        shutil.copytree(RUST, folder)
        subprocess.run(["cargo", "build", "--quiet", "--locked"], cwd=folder, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})
        port = free_port()
        super().__init__(
            folder, [CARGO_LAMBDA, "lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", str(port)],
            {"CARGO_TARGET_DIR": str(TARGET), "CARGO_NET_OFFLINE": "true"}, port)

    def wait(self, number):
        """Waits until the function has been restarted before it invokes: an invocation that comes meanwhile gets no answer at all."""
        end = time.perf_counter() + PATIENCE
        # The first invocation is what starts the function at all.
        while number > 0 and pathlib.Path(self.log.name).read_bytes().count(b"Running `") <= number:
            if self.process.poll() is not None or time.perf_counter() > end:
                break
            time.sleep(0.002)
        return super().wait(number)


def row(name, times):
    ordered = sorted(times)
    print(f"{name:34} {statistics.median(times):7.3f} {ordered[0]:7.3f} {ordered[-1]:7.3f}")


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{trials} trials, {platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder).resolve()
        watchers, reasons = [], []
        try:
            for kind in (Golam, GoBuild, CargoLambda):
                try:
                    watchers.append(kind(work))
                except (NotMeasured, subprocess.CalledProcessError) as reason:
                    reasons.append(f"{kind.name}: not measured: {reason}")
            times = {watcher: [] for watcher in watchers}
            for _ in range(trials):
                for watcher in list(times):
                    try:
                        if not times[watcher]:
                            watcher.warm()
                        times[watcher].append(watcher.trial())
                    except (NotMeasured, subprocess.CalledProcessError) as reason:
                        reasons.append(f"{watcher.name.strip()}: not measured: {reason}")
                        del times[watcher]
            print(f"{'seconds from save to first answer':34} {'median':>7} {'least':>7} {'most':>7}")
            for watcher, seconds in times.items():
                row(watcher.name, seconds)
            medians = {type(watcher): statistics.median(seconds) for watcher, seconds in times.items()}
            if Golam in medians and CargoLambda in medians:
                print(f"golam watch is {medians[CargoLambda] / medians[Golam]:.1f} times as fast")
            for reason in reasons:
                print(reason)
            if Golam not in medians:
                return 1
            verdict = "reached" if medians[Golam] <= AIM else "not reached"
            print(f"aim of {AIM} s {verdict}; limit of {LIMIT} s {'kept' if medians[Golam] <= LIMIT else 'NOT kept'}")
            return 0 if medians[Golam] <= LIMIT else 1
        finally:
            for watcher in watchers:
                watcher.close()


if __name__ == "__main__":
    sys.exit(main())

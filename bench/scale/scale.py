#!/usr/bin/env python3
"""Measure what golam costs in projects of 1, 10 and 50 functions, with `go build` beside it.

Usage: bench/scale/scale.py [--functions 1,10,50] [--trials 5] [--minutes 20] [--only build,invoke,watch,bench] [--write]

--write also writes the table to bench/scale/growth.md, which docs/benchmarks.md includes.

Each project has functions on aws-lambda-go that share a package. Rows are measured in turns with `go build` of the same functions for the
same edit, and the table gives medians and ratios of medians. Nothing uses the network if the modules are in the cache. A row that would
begin after the given time, or that fails, is printed as not measured.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECIPE = ["go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w"]
GOCACHE = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()  # golam's own cache is another
PATIENCE = 300  # seconds for one measurement
UNRELATED = 20_000  # files beside the code
MAIN = """package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"example.com/scale/shared"
)

const number = 0

func main() {{ lambda.Start(func() (int, error) {{ return shared.Number + number, nil }}) }}

// Function {}.
"""
SHARED = "package shared\n\n// Number is a part of all answers.\nconst Number = 0\n"


class NotMeasured(Exception):
    """Why a row has no figures."""


class Project:
    """A module of many functions, with a cache of golam's and a folder of go build's."""

    def __init__(self, folder, golam, functions):
        self.golam, self.count = golam, functions
        self.root, self.cache, self.out = folder / "project", folder / "cache", folder / "out"
        (self.root / "shared").mkdir(parents=True)
        self.cache.mkdir()
        (self.root / "go.mod").write_text("module example.com/scale\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.55.1\n")
        shutil.copy(ROOT / "internal/local/testdata/functions/go.sum", self.root)
        (self.root / "shared/shared.go").write_text(SHARED)
        for i in range(functions):
            main = self.root / f"cmd/f{i:02}/main.go"
            main.parent.mkdir(parents=True)
            main.write_text(MAIN.format(i))

    def environment(self, **more):
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache), "GOCACHE": GOCACHE, "GOWORK": "off", "CGO_ENABLED": "0", "GOFLAGS": "", **more}

    def edit(self, name="cmd/f00/main.go"):
        """Saves another number, and returns it."""
        number = random.randrange(1, 1_000_000)
        path = self.root / name
        path.write_text(re.sub(r"(const [nN]umber = )\d+", rf"\g<1>{number}", path.read_text(), count=1))
        return number

    def run(self, command, **environment):
        """Returns the seconds that a command takes."""
        began = time.perf_counter()
        done = subprocess.run(command, cwd=self.root, env=self.environment(**environment), capture_output=True, text=True, timeout=PATIENCE)
        took = time.perf_counter() - began
        if done.returncode:
            raise NotMeasured(f"{' '.join(map(str, command[:3]))}: {done.stderr.strip().splitlines()[-1:]}")
        return took

    def go_build(self):
        return self.run([*RECIPE, "-o", f"{self.out}{os.sep}", "./cmd/..."], GOOS="linux", GOARCH="arm64")

    def golam_build(self):
        return self.run([self.golam, "build", "--quiet"])

    def golam_invoke(self):
        return self.run([self.golam, "invoke", "f00", "--here", "--quiet", "--data", "{}"])

    def peak(self):
        """Returns golam's own peak memory in MB for a build from nothing, without the processes that it starts."""
        shutil.rmtree(self.cache)
        self.cache.mkdir()
        process = subprocess.Popen([self.golam, "build", "--quiet"], cwd=self.root, env=self.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        status, peak = pathlib.Path(f"/proc/{process.pid}/status"), 0
        began = time.monotonic()
        while process.poll() is None:
            try:
                found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
            except OSError:
                found = None
            if found:
                peak = max(peak, int(found[1]) / 1024)
            if time.monotonic() - began > PATIENCE:
                process.kill()
                raise NotMeasured("golam build takes too long")
            time.sleep(0.005)
        if process.returncode or not peak:
            raise NotMeasured("golam build failed, or the system has no /proc")
        return peak


class Watch:
    """A golam watch of a project."""

    def __init__(self, project):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.process = subprocess.Popen(
            [project.golam, "watch", "--address", f"127.0.0.1:{self.port}", "--output", "json"], cwd=project.root,
            env=project.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_for(self, answer):
        """Returns when the function answers so, anything if the answer is None."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                connection.request("POST", "/2015-03-31/functions/f00/invocations", "{}")
                response = connection.getresponse()
                body = response.read()
                if response.status == 200 and (answer is None or json.loads(body) == answer):
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            finally:
                connection.close()
            if self.process.poll() is not None:
                raise NotMeasured("golam watch ended")
            time.sleep(0.002)
        raise NotMeasured("golam watch never gave the right answer")


def turns(trials, first, second=None, before=lambda: None):
    """Measures two things in turns, each after a change."""
    ours, theirs = [], []
    for _ in range(trials):
        before()
        if second:
            theirs.append(second())
            before()
        ours.append(first())
    return ours, theirs


def measure_build(project, trials):
    project.golam_build(), project.go_build()
    yield "build, nothing changed", 3, *turns(trials, project.golam_build, project.go_build)
    yield "build, one main edited", 1.5, *turns(trials, project.golam_build, project.go_build, project.edit)
    yield "build, shared package edited", None, *turns(min(trials, 2), project.golam_build, project.go_build, lambda: project.edit("shared/shared.go"))
    yield "build from nothing, golam's peak in MB (limit 150)", None, [project.peak()], []


def measure_invoke(project, trials):
    project.golam_invoke()
    time.sleep(2.1)  # a folder that has just changed is looked at more closely
    project.golam_invoke()
    yield "invoke, nothing changed", None, *turns(trials, project.golam_invoke)
    beside = project.root / "beside"
    for i in range(UNRELATED):
        path = beside / f"{i // 100:03}" / f"{i}.txt"
        if not i % 100:
            path.parent.mkdir(parents=True)
        path.touch()
    time.sleep(2.1)
    project.golam_invoke()
    yield f"invoke, {UNRELATED} files beside the code", None, *turns(trials, project.golam_invoke)
    yield f"invoke after an edit, {UNRELATED} files beside", None, *turns(trials, project.golam_invoke, None, project.edit)
    shutil.rmtree(beside)
    yield "invoke after an edit", None, *turns(trials, project.golam_invoke, None, project.edit)


def measure_watch(project, trials):
    def start():
        began = time.perf_counter()
        with Watch(project) as watch:
            watch.wait_for(None)
            return time.perf_counter() - began

    start()
    yield "watch, start to first answer, nothing changed", None, *turns(min(trials, 3), start)
    with Watch(project) as watch:
        watch.wait_for(None)
        for name in "cmd/f00/main.go", "shared/shared.go":
            times = []
            for _ in range(min(trials, 3)):
                project.edit(name)
                began = time.perf_counter()
                numbers = [int(re.search(r"const [nN]umber = (\d+)", (project.root / n).read_text())[1]) for n in ("cmd/f00/main.go", "shared/shared.go")]
                watch.wait_for(sum(numbers))
                times.append(time.perf_counter() - began)
            yield f"watch, save of {name} to answer", None, times, []


def measure_bench(project, _):
    event = project.root / "event.json"
    event.write_text("{}")
    names = [f"f{i:02}" for i in range(project.count)]
    yield "bench of all, one run each", None, [project.run([project.golam, "bench", *names, "--event", str(event), "--runs", "1"])], []


def page(rows, trials):
    """Returns the table as Markdown."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    lines = [
        f"Medians in seconds of up to {trials} trials, in turns with `go build` of the same functions for the same edit, on {os.cpu_count()} processors. Load",
        f"averages at the end: {load}. `bench/scale/scale.py --write` wrote this table.",
        "",
        "| functions | what | golam | go build | ratio |",
        "| --: | --- | --: | --: | --: |",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


PARTS = {"build": measure_build, "invoke": measure_invoke, "watch": measure_watch, "bench": measure_bench}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functions", default="1,10,50")
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    parts = [part for part in options.only.split(",") if part]
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}: use {', '.join(PARTS)}")
    deadline = time.monotonic() + 60 * options.minutes
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="golam-scale-") as folder:
        folder = pathlib.Path(folder)
        golam = folder / "golam"
        subprocess.run(["go", "build", "-o", golam, "./cmd/golam"], cwd=ROOT, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
        print(f"{'functions':>9}  {'what':52} {'golam':>8} {'go build':>8} {'ratio':>6}")
        late, rows = False, []
        for count in map(int, options.functions.split(",")):
            for part in parts:
                home = folder / f"{count}-{part}"
                home.mkdir()
                try:
                    if time.monotonic() > deadline:
                        raise NotMeasured("the time is up")
                    project = Project(home, golam, count)
                    for what, limit, ours, theirs in PARTS[part](project, options.trials):
                        mine = statistics.median(ours)
                        line = f"{count:9}  {what:52} {mine:8.3f}"
                        rows.append([str(count), what, f"{mine:.3f}", "", ""])
                        if theirs:
                            rows[-1][3:] = f"{statistics.median(theirs):.3f}", f"{mine / statistics.median(theirs):.2f}"
                            ratio = mine / statistics.median(theirs)
                            line += f" {statistics.median(theirs):8.3f} {ratio:6.2f}"
                            if limit and ratio > limit:
                                line, late = line + f"  above the limit of {limit}", True
                        print(line, flush=True)
                        if time.monotonic() > deadline:
                            raise NotMeasured("the time is up")
                except (NotMeasured, subprocess.TimeoutExpired) as reason:
                    print(f"{count:9}  {part}: not measured: {reason}", flush=True)
                    rows.append([str(count), f"{part}: not measured, because {reason}", "", "", ""])
                finally:
                    shutil.rmtree(home, ignore_errors=True)
        if options.write:
            (ROOT / "bench/scale/growth.md").write_text(page(rows, options.trials), encoding="utf-8")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())

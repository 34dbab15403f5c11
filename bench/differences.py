#!/usr/bin/env python3
"""See what `golam bench --compare` makes of programs whose difference is known.

Usage: bench/differences.py [COMPARISONS]

The same program beside itself must show no difference, and a handler that takes 6 ms of processor time in place of 5 must be found slower.
Each is compared ten times, or as often as is said, with the defaults of golam bench but for the warm invocations of the second, of which
30 follow a start. The exit code is 1 if more than one in ten of the first differ, or any of the second does not.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BURN = """package main

import (
	"context"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// used is the processor time of this process.
func used() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	lambda.Start(func(context.Context) error {
		for start := used(); used()-start < %d*time.Millisecond; {
		}
		return nil
	})
}
"""


def golam(program: pathlib.Path, project: pathlib.Path, *arguments: str) -> dict:
    """The result of golam bench in a project."""
    output = subprocess.run([program, "bench", "--output", "json", "--quiet", *arguments], cwd=project, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def measured(result: dict) -> dict[str, dict]:
    """The comparisons that have noise, by key."""
    return {c["key"]: c for c in result["functions"][0]["comparisons"] if not c["exact"]}


def describe(comparison: dict) -> str:
    return f"{comparison['ratio']:.3f} ({comparison['low']:.3f} - {comparison['high']:.3f}) {comparison['verdict']}"


def load() -> str:
    return " ".join(f"{average:.1f}" for average in os.getloadavg())


def same(program: pathlib.Path, project: pathlib.Path, times: int) -> bool:
    """Compare a generated project with itself."""
    golam(program, project, "--save", "baseline.json")
    differing = 0
    print(f"one program beside itself, {times} times")
    for i in range(times):
        comparisons = measured(golam(program, project, "--compare", "baseline.json"))
        differences = {key: c for key, c in comparisons.items() if c["verdict"] != "no difference"}
        differing += bool(differences)
        found = ", ".join(f"{key} {describe(c)}" for key, c in differences.items()) or f"no difference in {len(comparisons)} figures"
        print(f"  {i + 1:2}  {found}; warm p50 {describe(comparisons['warmP50'])}; load {load()}", flush=True)
    print(f"  {times - differing} of {times} show no difference\n")
    return differing <= times // 10


def slower(program: pathlib.Path, project: pathlib.Path, times: int) -> bool:
    """Compare a handler of 6 ms with one of 5."""
    source = project / "main.go"
    plan = ("--data", "{}", "--invocations", "30")
    source.write_text(BURN % 5)
    golam(program, project, "--save", "baseline.json", *plan)
    source.write_text(BURN % 6)
    found = 0
    print(f"a handler of 6 ms of processor time beside one of 5, {times} times")
    for i in range(times):
        comparisons = measured(golam(program, project, "--compare", "baseline.json", *plan))
        cpu, warm = comparisons["cpuWarm"], comparisons["warmP50"]
        found += cpu["verdict"] == "worse"
        print(f"  {i + 1:2}  CPU {describe(cpu)}; warm p50 {describe(warm)}; load {load()}", flush=True)
    print(f"  found {found} of {times} times\n")
    return found == times


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    environment = {**os.environ, "CGO_ENABLED": "0"}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = folder / "golam"
        subprocess.run(["go", "build", "-o", program, "./cmd/golam"], cwd=ROOT, check=True, env=environment)
        subprocess.run([program, "new", "generated", "--yes", "--no-git", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        burn = folder / "burn"
        burn.mkdir()
        for file in ("go.mod", "go.sum"):
            shutil.copy(folder / "generated" / file, burn)
        passed = [same(program, folder / "generated", times), slower(program, burn, times)]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measure `golam new` as a whole process: median wall time and peak resident memory of RUNS runs, without git.

Usage: bench/new.py [RUNS]
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(arguments: list[str], folder: str) -> tuple[float, int]:
    """Run a program; return its wall time in seconds and its peak resident memory in bytes."""
    start = time.perf_counter()
    process = subprocess.Popen(arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed with {process.returncode}")
    return elapsed, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 51
    with tempfile.TemporaryDirectory() as folder:
        golam = os.path.join(folder, "golam")
        subprocess.run(["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", golam, "./cmd/golam"], cwd=ROOT, check=True,
                       env={**os.environ, "CGO_ENABLED": "0"})
        samples = {"golam version": [], "golam new": []}
        for i in range(runs):
            samples["golam version"].append(run([golam, "version"], folder))
            samples["golam new"].append(run([golam, "new", f"demo-{i}", "--yes", "--no-git"], folder))
    print(f"{'command':<16} {'median ms':>10} {'fastest ms':>11} {'peak MB':>8}   ({runs} runs each, interleaved)")
    for name, measured in samples.items():
        times = [elapsed * 1000 for elapsed, _ in measured]
        peak = statistics.median(memory for _, memory in measured) / 1e6
        print(f"{name:<16} {statistics.median(times):>10.1f} {min(times):>11.1f} {peak:>8.1f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measure `golam new` and its peers as whole processes: wall time, peak resident memory and files made, interleaved in one run.

Usage: bench/new.py [RUNS]

Nothing measured here uses the network: what a peer would fetch it gets as a local template, and proxies lead to a closed port.
"""

import dataclasses
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
JUDGES, PEERS = ROOT / ".cache/judges", ROOT / ".cache/peers"
NAME = "bench-project"  # occurs in a rendered project only where the project's name belongs
TIMEOUT = 60  # seconds; the slowest peer takes 2
CLOSED_PORT = "http://127.0.0.1:9"  # the discard port, where nothing listens

# Starts a program, its output on stderr, and prints its wall time, peak memory and exit code. Linux counts the memory of a program's parent
# at the start as the program's own, so the parent has to be smaller than what it measures: this script, with its imports, is not.
LAUNCHER = """
import posix, sys, time
start = time.perf_counter()
process = posix.posix_spawn(sys.argv[1], sys.argv[1:], posix.environ, file_actions=[(posix.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = posix.wait4(process, 0)
print(time.perf_counter() - start, usage.ru_maxrss, posix.waitstatus_to_exitcode(status))
"""


class Row(NamedTuple):
    """A program that makes a project in the current folder, and what is to be known about it."""

    name: str
    program: pathlib.Path
    arguments: list[str]
    version: list[str] = ["--version"]
    note: str = ""
    aim: int | None = None  # how many times faster golam is to be
    here: bool = False  # makes the project in the current folder itself, not in a folder of the project's name
    git: bool = False  # makes a git repository
    same: bool = False  # makes the files that golam makes


class Sample(NamedTuple):
    """What one run took."""

    seconds: float
    memory: int  # bytes; of the largest process, if the program starts others


@dataclasses.dataclass
class Result:
    """What was measured of a row, or why nothing was."""

    row: Row
    version: str = ""
    files: int = 0
    samples: list[Sample] = dataclasses.field(default_factory=list)
    reason: str = ""

    def median(self) -> float:
        """Seconds."""
        return statistics.median(sample.seconds for sample in self.samples)

    def fastest(self) -> float:
        """Seconds."""
        return min(sample.seconds for sample in self.samples)


class NotMeasured(Exception):
    """Why a row has no figures."""


def contents(folder: pathlib.Path) -> dict[pathlib.Path, bytes]:
    """The project's files, without the git repository."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder): path.read_bytes() for path in paths}
    return {path: content for path, content in files.items() if path.parts[0] != ".git"}


def offline(home: pathlib.Path) -> dict[str, str]:
    """The environment of what is measured: little more than what keeps it from the network and from reporting on its use."""
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        **dict.fromkeys(proxies, CLOSED_PORT),
        "SAM_CLI_TELEMETRY": "0",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }


def run(row: Row, folder: pathlib.Path, environment: dict[str, str]) -> tuple[Sample, pathlib.Path]:
    """Make the row's project below a new folder; return what it took and where the project is."""
    project = folder / NAME
    (project if row.here else folder).mkdir(parents=True)
    with tempfile.TemporaryFile() as log, subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, str(row.program), *row.arguments], cwd=project if row.here else folder,
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
    ) as launcher:
        try:
            output, _ = launcher.communicate(timeout=TIMEOUT)
        except BaseException as reason:
            os.killpg(launcher.pid, signal.SIGKILL)
            if isinstance(reason, subprocess.TimeoutExpired):
                raise NotMeasured(f"it took longer than {TIMEOUT} s") from None
            raise
        log.seek(0)
        lines = log.read().decode(errors="replace").strip().splitlines()
    if launcher.returncode != 0 or output.split()[2] != "0":
        raise NotMeasured("it failed: " + next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "no output"))
    seconds, memory, _ = output.split()
    return Sample(float(seconds), int(memory) * (1 if sys.platform == "darwin" else 1024)), project


def check(row: Row, project: pathlib.Path, expected: dict[pathlib.Path, bytes]) -> int:
    """Refuse a row that did not make what its figures are said to be of; return the number of files."""
    made = contents(project) if project.is_dir() else {}
    if not made:
        raise NotMeasured("it made nothing")
    if row.same and made != expected:
        raise NotMeasured("it made other files than golam")
    if (project / ".git").exists() != row.git:
        raise NotMeasured("it made a git repository" if not row.git else "it made no git repository")
    return len(made)


def version(row: Row, environment: dict[str, str]) -> str:
    """The version of a row's program."""
    output = subprocess.run([row.program, *row.version], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
                            timeout=TIMEOUT).stdout
    found = re.search(r"devel|\d+\.\d+\.\d+", output)
    return found[0] if found else "?"


def make_template(project: dict[pathlib.Path, bytes], folder: pathlib.Path) -> None:
    """Turn golam's project into a template from which copier (Jinja) and cargo-lambda (Liquid) can make the same project again."""
    for path, content in project.items():
        escaped = re.sub(r"\{[{%#]", lambda match: '{{ "%s" }}' % match[0], content.decode())
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(escaped.replace(NAME, "{{ project_name }}"))
    (folder / "copier.yml").write_text('project_name:\n  type: str\n_templates_suffix: ""\n')


def make_crate(folder: pathlib.Path) -> None:
    """Make a template of cargo-lambda with the fewest files that are a Rust project."""
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text('[package]\nname = "{{ project_name }}"\nversion = "0.1.0"\nedition = "2021"\n')
    (folder / "src/main.rs").write_text("fn main() {}\n")


def peers(project: dict[pathlib.Path, bytes], folder: pathlib.Path) -> list[Row]:
    """The peers' rows, with the templates they need made in the folder."""
    make_template(project, folder / "template")
    make_crate(folder / "crate")
    bundled = next(JUDGES.glob("sam/lib/python*/site-packages/samcli/lib/init/templates/cookiecutter-aws-sam-hello-golang"),
                   folder / "missing")
    cargo_lambda = PEERS / "cargo-lambda/bin/cargo-lambda"
    render = [f"--render-file={path}" for path in project]
    return [
        Row("sam init", JUDGES / "bin/sam", ["init", "--no-interactive", "--no-input", "--name", NAME, "--location", str(bundled)], aim=80,
            note="from the Go hello world that it brings along (go1.x); the one for provided.al2023 is a clone from GitHub"),
        Row("cdk init", PEERS / "cdk/node_modules/.bin/cdk", ["init", "app", "--language", "go", "--generate-only", "--no-notices"],
            aim=130, here=True, note="--generate-only: without git and without go mod tidy"),
        Row("copier copy", PEERS / "copier/bin/copier",
            ["copy", "--defaults", "--quiet", "--data", f"project_name={NAME}", str(folder / "template"), NAME], aim=60, same=True,
            note="from a template of golam's project: it makes the same files"),
        Row("cargo lambda new", cargo_lambda,
            ["lambda", "new", "--no-interactive", "--template", str(folder / "template"), "--ignore-file=copier.yml", *render, NAME],
            ["lambda", "--version"], aim=6, same=True, note="from the same template, every file rendered; started without cargo"),
        Row("  2 files", cargo_lambda, ["lambda", "new", "--no-interactive", "--template", str(folder / "crate"), NAME],
            ["lambda", "--version"], note="from the smallest template; its own comes from the network"),
    ]


def measure(rows: list[Row], runs: int, expected: dict[pathlib.Path, bytes], folder: pathlib.Path,
            environment: dict[str, str]) -> list[Result]:
    """Run every row the given number of times, in turns."""
    results = [Result(row) for row in rows]
    for i in range(runs + 1):  # the first fills the caches of the system and of the programs, and does not count
        first = i % len(rows)
        for result in results[first:] + results[:first]:
            if result.reason:
                continue
            try:
                if not result.row.program.exists():
                    raise NotMeasured("it is not installed; the logs of what was tried are in .cache")
                sample, project = run(result.row, folder / "run", environment)
                if i == 0:
                    result.files = check(result.row, project, expected)
                    result.version = version(result.row, environment)
                else:
                    result.samples.append(sample)
            except NotMeasured as reason:
                result.reason = str(reason)
            finally:
                shutil.rmtree(folder / "run", ignore_errors=True)
    return results


def report(results: list[Result], runs: int) -> None:
    """Print the table; the first result is what the others are compared with."""
    print(f"{runs} runs each, interleaved; {os.cpu_count()} cores, {platform.system()} {platform.release()} {platform.machine()}, "
          f"load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':<16} {'version':>9} {'median ms':>10} {'fastest ms':>11} {'peak MB':>8} {'files':>6} {'x golam':>8} {'aim':>5}")
    for result in results:
        if result.reason:
            print(f"{result.row.name:<16} not measured: {result.reason}")
            continue
        peak = statistics.median(sample.memory for sample in result.samples) / 1e6
        print(f"{result.row.name:<16} {result.version:>9} {result.median() * 1000:>10.1f} {result.fastest() * 1000:>11.1f} {peak:>8.1f} "
              f"{result.files:>6} {result.median() / results[0].median():>8.1f} {result.row.aim or '':>5}")
    print("\npeak MB: of the largest process, not the sum of those a program starts. x golam: medians, beside golam new without git.")
    for result in results:
        print(f"{result.row.name.strip()}: {result.row.note}")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    # What it cannot install is found missing later, and reported.
    subprocess.run([ROOT / "scripts/install-peers.sh"], stdout=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "home").mkdir()
        (folder / "home/.gitconfig").write_text("[user]\n\tname = Bench\n\temail = bench@example.com\n")
        environment = offline(folder / "home")
        golam = folder / "golam"
        subprocess.run(["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", golam, "./cmd/golam"], cwd=ROOT, check=True,
                       env={**os.environ, "CGO_ENABLED": "0"})
        bare = Row("golam new", golam, ["new", NAME, "--yes", "--no-git"], ["version"], same=True, note="--no-git")
        git = Row("  with git", golam, ["new", NAME, "--yes"], ["version"], same=True, git=True,
                  note="git init and a first commit; no peer makes them here")
        try:
            _, project = run(bare, folder / "first", environment)
        except NotMeasured as reason:
            raise SystemExit(f"golam new: {reason}") from None
        expected = contents(project)
        results = measure([bare, git, *peers(expected, folder)], runs, expected, folder, environment)
    if results[0].reason:
        raise SystemExit(f"golam new: {results[0].reason}")
    report(results, runs)


if __name__ == "__main__":
    main()

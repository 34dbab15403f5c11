#!/usr/bin/env python3
"""Build the golden projects for arm64 and hold their bootstraps, compressed by zlib level 9, against the budgets.

Prints a table, writes it to docs/sizes.md, and exits with 1 when a budget is broken. The compressor is named because others differ: Go's is
2.7% larger.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Bytes, by what a function has beyond a customizer.
BUDGETS = {
    "": 2_480_000,
    "eventbridge": 2_970_000,
    "traces": 2_910_000,
    "eventbridge-traces": 3_350_000,
    "slim": 850_000,
    "eventbridge-slim": 2_100_000,
    "traces-slim": 2_600_000,
    "eventbridge-traces-slim": 2_700_000,
}
PAGE = """# Sizes of the golden projects' functions

This page is written by `make sizes`, which fails where a budget is broken. Bytes, for arm64, with the recipe of the projects; compressed by zlib
at level 9.

| project | bootstrap | compressed | budget |
| --- | ---: | ---: | ---: |
"""
# What golam build fixes: the user's settings would change what is built. GOENV=off drops the file of go env -w, so what it says of the
# module proxy and the caches is asked before.
FIXED = {
    "CGO_ENABLED": "0", "GO111MODULE": "on", "GOARM64": "v8.0", "GOENV": "off", "GOEXPERIMENT": "", "GOFIPS140": "off", "GOFLAGS": "-mod=readonly",
    "GOWORK": "off", "GOOS": "linux", "GOARCH": "arm64",
}  # fmt: skip
KEPT = ["GOCACHE", "GOMODCACHE", "GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"]
RECIPE = ["go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w"]


def budget_of(main: pathlib.Path) -> int:
    """The budget of a function, by the packages that its project has and that its main.go imports."""
    platform = main.parents[2] / "internal/platform"
    features = {
        "eventbridge": "internal/platform/publisher" in main.read_text(encoding="utf-8"),
        "traces": (platform / "telemetry").exists(),
        "slim": (platform / "lambdaruntime").exists(),
    }
    return BUDGETS["-".join(name for name, has in features.items() if has)]


def main() -> int:
    kept = json.loads(subprocess.run(["go", "env", "-json", *KEPT], check=True, stdout=subprocess.PIPE).stdout)
    environment = {**os.environ, **kept, **FIXED}
    broken, rows = False, []
    print(f"{'project':<34} {'bootstrap':>12} {'zlib -9':>12} {'budget':>12}  left")
    with tempfile.TemporaryDirectory() as folder:
        golam = pathlib.Path(folder, "golam")
        subprocess.run(["go", "build", "-o", golam, "./cmd/golam"], cwd=ROOT, check=True)
        variants = json.loads(subprocess.run([golam, "variants", "--output", "json"], check=True, stdout=subprocess.PIPE).stdout)
        for variant in sorted(variants["golden"], key=lambda v: v["name"]):
            name = variant["name"]
            project, bootstrap = pathlib.Path(folder, "projects", name), pathlib.Path(folder, "bootstrap")
            command = [golam, "new", project, "--name", "demo", *variant["flags"], "--yes", "--no-git", "--quiet"]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            functions = sorted(project.glob("cmd/*/main.go"))
            for main in functions:
                subprocess.run([*RECIPE, "-o", bootstrap, main.parent], cwd=project, env=environment, check=True)
                content = bootstrap.read_bytes()
                size, budget = len(zlib.compress(content, 9)), budget_of(main)
                broken = broken or size > budget
                row = name if len(functions) == 1 else f"{name}: {main.parent.name}"
                print(f"{row:<34} {len(content):>12,} {size:>12,} {budget:>12,}  {budget - size:,}")
                title = row.replace(name, f"[{name}](../golden/{name})", 1) if variant["whole"] else row
                rows.append(f"| {title} | {len(content):,} | {size:,} | {budget:,} |")
    (ROOT / "docs/sizes.md").write_text(PAGE + "\n".join(rows) + "\n", encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Draws the screen of `golam watch`, as it is on terminals of 80 and 120 columns, into docs/pictures/watch-*.svg.

    scripts/watchpictures.py

golam is built and makes a project, whose function is invoked and broken, as in the tutorial. See pictures.py.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pictures  # noqa: E402

# The emulator does not know all that xterm does: insertion of lines and repeated characters, which the screen would use.
pictures.TERM = "linux"
POLICY = "internal/tokencustomizer/policy.go"
RULES = """rules:
  - name: customized
    pattern:
      source: [shop.token-customizer]
"""


def draw(pyte, golam, columns, lines):
    """Draws the screens of one size."""
    pictures.COLUMNS, pictures.LINES = columns, lines
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([golam, "new", "shop", "--no-git", "--eventbridge", "--otel", "otlp", "--quiet"], cwd=folder, check=True)
        project = pathlib.Path(folder) / "shop"
        (project / "rules.yaml").write_text(RULES)
        terminal = pictures.Terminal(pyte, [golam, "watch", "--rules", "rules.yaml", "--address", "127.0.0.1:0"], project)

        def picture(name):
            path = pictures.PICTURES / f"watch-{name}-{columns}.svg"
            path.write_text(pictures.svg(terminal.screen))
            print(path.relative_to(pictures.ROOT))

        def invoke():
            terminal.press("i")
            terminal.wait("enter invoke")
            terminal.press("tication")
            terminal.wait("> authentication")

        try:
            terminal.wait("ready")
            invoke()
            picture("examples")
            terminal.press(pictures.ENTER)
            terminal.wait("trace")
            picture("activity")
            source = (project / POLICY).read_text()
            (project / POLICY).write_text(source.replace('"plan"', "plan", 1))
            terminal.wait("broken")
            picture("broken")
        finally:
            terminal.press("q")
            while terminal.read(1):
                pass
            os.waitpid(terminal.pid, 0)
            os.close(terminal.file)


def main():
    pictures.PATIENCE = 90  # seconds, for the first build on a busy machine
    pyte = pictures.libraries()
    golam = str(pictures.CACHE / "golam")
    subprocess.run(["go", "build", "-o", golam, "./cmd/golam"], cwd=pictures.ROOT, check=True, env={**os.environ, "CGO_ENABLED": "0"})
    pictures.PICTURES.mkdir(parents=True, exist_ok=True)
    for columns, lines in ((80, 24), (120, 30)):
        draw(pyte, golam, columns, lines)


if __name__ == "__main__":
    main()

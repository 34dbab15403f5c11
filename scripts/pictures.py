#!/usr/bin/env python3
"""Draws the pages of golam's wizard and the result of a run, as they are on a terminal of 80 by 24, into docs/pictures/*.svg.

    scripts/pictures.py                    builds golam and draws `golam new`
    scripts/pictures.py PROGRAM [ARG...]   draws another program with the same wizard

The program runs on a pseudo-terminal and is driven by its keys. The pictures follow the reader's choice of light or dark.
"""

import fcntl
import importlib
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import xml.sax.saxutils

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "pictures"
PICTURES = ROOT / "docs" / "pictures"
PINS = ROOT / "scripts" / "pictures" / "requirements.txt"
COLUMNS, LINES = 80, 24
SCROLLED = 48  # lines for the result, whose first ones have scrolled away where there are more than LINES
PATIENCE = 20  # seconds for a page to appear
TERM = "xterm-256color"

DOWN, ENTER = "\x1b[B", "\r"
ON = None  # in place of keys: takes every answer as it is until what the next step waits for is there

# What to wait for, the picture to draw of it (or none), and the keys to press then.
STEPS = [
    ("What is the project called?", None, "\x15Token Customizer" + ENTER),
    ("is not a name", "wizard-problem", "\x15token-customizer"),
    ("example.com/token-customizer", "wizard-project", ENTER + ENTER),
    ("Which version of Cognito", "wizard-tokens", ENTER),
    ("add a claim", None, "sub" + ENTER),
    ("is set by Cognito", None, "\x15department" + ENTER),
    ("custom:department", "wizard-claims", ON),
    ("golam new: Deployment", "wizard-deployment", ON),
    ("golam new: Events", None, DOWN),
    ("> yes", "wizard-events", ON),
    ("Make it?", "wizard-summary", ENTER),
    ("make deploy", "result", ""),
]

# The sixteen colors of a dark and a light terminal, and the text and background of each.
DARK = ("#d7dbe0", "#1e2127", {
    "black": "#3f4451", "red": "#f07178", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef", "magenta": "#d98ae6",
    "cyan": "#56b6c2", "white": "#d7dae0",
})
LIGHT = ("#24292f", "#ffffff", {
    "black": "#24292f", "red": "#c1121f", "green": "#116329", "brown": "#7d4e00", "blue": "#0550ae", "magenta": "#9b2393",
    "cyan": "#1b6e7a", "white": "#6e7781",
})


def libraries():
    """Installs the terminal emulator, once."""
    marker = CACHE / "installed.txt"
    if not marker.exists() or marker.read_text() != PINS.read_text():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--no-deps", "--require-hashes",
             "--target", str(CACHE / "python"), "-r", str(PINS)], check=True)
        marker.write_text(PINS.read_text())
    sys.path.insert(0, str(CACHE / "python"))
    return importlib.import_module("pyte")


def screen_of(pyte):
    class Screen(pyte.Screen):
        """A screen that shows faint text, which pyte does not know, where it would show blinking text."""

        def select_graphic_rendition(self, *attributes, **options):
            if not attributes or attributes[0] not in (38, 48):
                attributes = [{2: 5}.get(a, a) for a in attributes] + ([25] if 22 in attributes else [])
            super().select_graphic_rendition(*attributes, **options)

    return Screen(COLUMNS, LINES)


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, pyte, command, folder):
        self.screen = screen_of(pyte)
        self.stream = pyte.ByteStream(self.screen)
        environment = {
            key: value for key, value in os.environ.items()
            if key not in ("CI", "GOLAM_NO_PROMPT", "NO_COLOR", "ACCESSIBLE", "COLORTERM", "TERM_PROGRAM")
        }
        environment["TERM"] = TERM
        environment |= {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            os.execvpe(command[0], command, environment)

    def read(self, seconds):
        """Feeds what the program writes to the screen; False once it writes no more."""
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.file, 65536)
        except OSError:  # Linux tells the end of a terminal so
            data = b""
        before, left, after = data.rpartition(b"\x1b[?1049l")
        self.stream.feed(before)
        if left:  # pyte knows no alternate screen, nor what was scrolled away: what follows is on an empty and higher one
            self.screen.reset()
            self.screen.resize(SCROLLED, COLUMNS)
        self.stream.feed(after)
        return bool(data)

    def shown(self):
        return "\n".join(self.screen.display)

    def until(self, what, ready):
        """Waits until the screen is as wanted, and then until nothing is drawn for a moment."""
        end = time.monotonic() + PATIENCE
        while not ready(self.shown()):
            if time.monotonic() > end or not self.read(0.1):
                raise SystemExit(f"{what} does not appear:\n{self.shown()}")
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            self.read(0.05)

    def wait(self, text):
        self.until(repr(text), lambda shown: text in shown)

    def go_on(self, text):
        """Presses Enter on one question after another until text is there, which is on no page that comes before."""
        while text not in (before := self.shown()):
            if "Make it?" in before:
                raise SystemExit(f"{text!r} is on no page:\n{before}")
            self.press(ENTER)
            self.until("another question", lambda shown, before=before: shown != before)

    def press(self, keys):
        os.write(self.file, keys.encode())

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.file)


def style(char):
    """The CSS classes of a character: what differs from plain text."""
    foreground, background = char.fg, char.bg
    if char.reverse:
        foreground, background = (background if background != "default" else "page"), (foreground if foreground != "default" else "text")
    classes = []
    if foreground != "default":
        classes.append("f-" + foreground)
    classes += [name for name, on in (("bold", char.bold), ("faint", char.blink)) if on]
    return " ".join(classes), background


def svg(screen):
    """Draws the screen."""
    width, height, size, left, top = 8.43, 18, 14, 14, 14
    used = max((y for y in range(screen.lines) if screen.display[y].strip()), default=0) + 1
    full_width, full_height = 2 * left + width * COLUMNS, 2 * top + height * used
    parts = []
    for y in range(used):
        x = 0
        while x < COLUMNS:
            look = style(screen.buffer[y][x])
            end = x
            while end < COLUMNS and style(screen.buffer[y][end]) == look:
                end += 1
            text = "".join(screen.buffer[y][i].data for i in range(x, end))
            classes, background = look
            at_x, at_y = left + x * width, top + y * height
            if background != "default":
                parts.append(f'<rect class="f-{background}" x="{at_x:.1f}" y="{at_y}" width="{(end - x) * width:.1f}" height="{height}"/>')
            for words in re.finditer(r"\S+(?: \S+)*", text):
                attribute = f' class="{classes}"' if classes else ""
                parts.append(
                    f'<text{attribute} x="{at_x + words.start() * width:.1f}" y="{at_y + 13.5}" textLength="{len(words[0]) * width:.1f}">'
                    f"{xml.sax.saxutils.escape(words[0])}</text>")
            x = end

    def colors(theme):
        text, page, named = theme
        rules = [f"text,.f-text{{fill:{text}}}", f".page,text.f-page{{fill:{page}}}"]
        return "".join(rules + [f".f-{name},text.f-{name}{{fill:{value}}}" for name, value in named.items()])

    css = (
        f"text{{font:{size}px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}}.bold{{font-weight:bold}}.faint{{opacity:.7}}"
        + colors(DARK) + "@media (prefers-color-scheme:light){" + colors(LIGHT) + ".page{stroke:#d0d7de}}"
    )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full_width:.0f} {full_height}" width="{full_width:.0f}" height="{full_height}">',
        f"<style>{css}</style>",
        f'<rect class="page" x=".5" y=".5" width="{full_width - 1:.0f}" height="{full_height - 1}" rx="8"/>',
        *parts, "</svg>", ""])


def main():
    pyte = libraries()
    command = sys.argv[1:]
    if command:
        command[0] = str(pathlib.Path(command[0]).resolve())
    else:
        program = CACHE / "golam"
        subprocess.run(["go", "build", "-o", str(program), "./cmd/golam"], cwd=ROOT, check=True, env={**os.environ, "CGO_ENABLED": "0"})
        command = [str(program), "new"]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(pyte, command, folder)
        try:
            going_on = False
            for text, name, keys in STEPS:
                if going_on:
                    terminal.go_on(text)
                terminal.wait(text)
                if name:
                    (PICTURES / f"{name}.svg").write_text(svg(terminal.screen))
                    print(PICTURES.relative_to(ROOT) / f"{name}.svg")
                going_on = keys is ON
                if not going_on:
                    terminal.press(keys)
        finally:
            terminal.close()


if __name__ == "__main__":
    main()

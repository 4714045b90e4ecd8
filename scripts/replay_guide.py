"""Run a guide as a reader would: its `sh` blocks in one shell against a service of its own, and compare what comes out.

    .venv/bin/python scripts/replay_guide.py docs/casework.md [--write]

A block marked `sh service` is what the reader has running in another terminal; it is started and waited for. A `text`
block is what the block before it printed. `--write` puts what was printed there. Ids, times, cursors and secrets differ
from run to run and are compared as such. `tests/stories/test_guide.py` does this for docs/casework.md.
"""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import warm_commands

FENCE = re.compile(r"^```(sh service|sh|text)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
PORTS = ("8080", "9099")
"""Ports the guide names: the service's, and the reader's own receiver's."""
DIFFERS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "INSTANT"),
    (re.compile(r"\b\d+-\d+(?=\"|$|\s)"), "CURSOR"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "SECRET"),
    (re.compile(r"\"partner\":\"[0-9a-f-]+\""), "PARTNER"),
    (re.compile(r" {2,}|[━─│┏┓┗┛┃┡┩├┤┬┴┼└┘]+"), " "),
)  # fmt: skip
MARK = "@@done@@"


@dataclass
class Block:
    """What one block runs, what it should print, and where both stand in the guide."""

    serves: bool
    code: str
    wanted: str
    end: int
    """Where its output block stands or would stand."""
    until: int


def blocks(guide: str) -> list[Block]:
    """The sh blocks of a guide, each with the text block right behind it."""
    found: list[Block] = []
    for match in FENCE.finditer(guide):
        kind, code = match[1], match[2]
        if kind != "text":
            found.append(Block(kind == "sh service", code, "", match.end(), match.end()))
        elif found and guide[found[-1].end : match.start()].strip() == "":
            found[-1].wanted, found[-1].until = code, match.end()
    return found


class Shell:
    """One bash for the whole guide, in an empty folder."""

    def __init__(self, home: Path, ports: dict[str, str]) -> None:
        self._ports = ports
        here = {name: value for name, value in os.environ.items() if not name.startswith("CASEBRIDGE_")}
        own = str(Path(sys.executable).parent)
        self._cold = {**here, "PATH": f"{own}:{here['PATH']}"}
        self._home = home
        folder = warm_commands.install(home)
        warm = [sys.executable, warm_commands.__file__, str(folder)]
        self._others = [self._start(warm)]
        self._bash = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=home,
            env={**here, "PATH": f"{folder}:{own}:{here['PATH']}"}, start_new_session=True,
        )  # fmt: skip

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self._home,
            env=self._cold,
        )

    def serve(self, code: str) -> str:
        """Start what the reader has running; returns its first line."""
        running = self._start(["bash", "-c", f"exec env {code.strip()} --port {self._ports['8080']}"])
        self._others.append(running)
        assert running.stdout is not None
        said = self._theirs(running.stdout.readline())
        assert self._others[0].stdout is not None
        self._others[0].stdout.readline()
        return said

    def run(self, code: str) -> str:
        """What a block prints, both outputs."""
        assert self._bash.stdin is not None and self._bash.stdout is not None
        self._bash.stdin.write(f"{self._ours(code)}\necho; echo {MARK}\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.strip() == MARK:
                break
            lines.append(line)
        said = self._theirs("".join(lines)).strip("\n")
        return f"{said}\n" if said else ""

    def _ours(self, text: str) -> str:
        for theirs, ours in self._ports.items():
            text = text.replace(theirs, ours)
        return text

    def _theirs(self, text: str) -> str:
        for theirs, ours in self._ports.items():
            text = text.replace(ours, theirs)
        return text

    def end(self) -> None:
        """End the shell with all it started, and the service."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        for running in (self._bash, *self._others):
            running.terminate()
            running.wait(30)
            for pipe in (running.stdin, running.stdout):
                if pipe is not None:
                    pipe.close()


@contextmanager
def shell() -> Iterator[Shell]:
    with tempfile.TemporaryDirectory(prefix="casebridge-guide-") as home:
        opened = Shell(Path(home), {port: str(_free()) for port in PORTS})
        try:
            yield opened
        finally:
            opened.end()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alike(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in DIFFERS:
        text = pattern.sub(word, text)
    return "\n".join(line.strip() for line in text.splitlines())


def replay(guide: str) -> list[tuple[Block, str]]:
    """Every block with what it printed now."""
    done = []
    with shell() as opened:
        for block in blocks(guide):
            done.append((block, opened.serve(block.code) if block.serves else opened.run(block.code)))
    return done


def rewritten(guide: str, done: list[tuple[Block, str]]) -> str:
    """The guide with what was printed now."""
    for block, said in reversed(done):
        output = f"\n```text\n{said}```\n" if said else ""
        guide = guide[: block.end] + output + guide[block.until :]
    return guide


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("guide", type=Path)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    guide = chosen.guide.read_text(encoding="utf-8")
    done = replay(guide)
    wrong = [(block, said) for block, said in done if alike(block.wanted) != alike(said)]
    if chosen.write:
        chosen.guide.write_text(rewritten(guide, done), encoding="utf-8")
    for block, said in wrong:
        print(f"--- {block.code}\n--- wanted\n{block.wanted}\n--- printed\n{said}")
    sys.exit(bool(wrong) and not chosen.write)


if __name__ == "__main__":
    main()

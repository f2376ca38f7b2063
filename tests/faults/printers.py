"""Tasks that print more, or worse, than anybody would like to read, as data."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

SETTINGS = 'type = "oneshot"\nlog_max_size = 1_000_000\nlog_max_files = 2\n'
BOUND = 3_000_000
"""Bytes that such a task's log may take on disk."""

WRITER = """
import sys
put, piece, size = sys.stdout.buffer.write, {piece}, int(sys.argv[1])
for _ in range(size // len(piece)): put(piece)
"""


@dataclass(frozen=True)
class Printer:
    """A task named `flood` that prints `piece`, a Python expression, again and again."""

    name: str
    piece: str

    def table(self, folder: Path, size: int) -> str:
        """Write its script into `folder` and return its table in taskmux.toml.

        It prints about `size` bytes.
        """
        script = folder / "flood.py"
        script.write_text(WRITER.format(piece=self.piece))
        command = f"exec {quote(sys.executable)} -S -E {quote(str(script))} {size}"
        return f"[tasks.flood]\ncommand = {command!r}\n{SETTINGS}"


PRINTERS = [  # the worst first
    Printer("lines", 'b"the quick brown fox jumps over the lazy dog\\n" * 200'),
    Printer("binary", "bytes(range(256)) * 32"),
    Printer("one line", 'b"x" * 8192'),
    Printer("a progress bar", 'b"[====>    ] 47 %\\r" * 500'),
    Printer("escapes", 'b"\\x1b[31m\\x1b]0;title\\x07\\x1bP1;1|\\x9b2J\\x1b[?1049h" * 300'),
    Printer("empty lines", 'b"\\n" * 8000'),
    Printer("escapes without end", 'b"\\x1b]0;" * 1000 + b"\\x1b[" + b"1;" * 2000'),
    Printer("invalid UTF-8", 'b"\\xc3\\x28\\xf0\\x9f\\xe2\\x80\\xff" * 1000 + b"\\n"'),
    Printer("our own words", 'b"[taskmux] run 9 started (pid 1)\\n" * 200'),
]

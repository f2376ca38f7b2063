"""Writes into pages what their commands print now, where that is not what they show.

`python -m tests.refresh_docs [PAGE…]`; read the difference before you keep it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.test_docs import BLOCK, TALKING, Desk, alike, desk_in

LONGEST = 220


def refreshed(page: Path, desk: Desk) -> str:
    def block(found: re.Match[str]) -> str:
        if found["kind"] != "console":
            return found[0]
        _, *parts = re.split(r"^\$ ", found["body"], flags=re.M)
        return f"```console\n{''.join(answered(part, desk) for part in parts)}```"

    return BLOCK.sub(block, page.read_text())


def answered(part: str, desk: Desk) -> str:
    command, _, shown = part.partition("\n")
    _, said = desk.type(command)
    if alike(shown, said):
        return f"$ {part}"
    lines = "".join(f"{shortened(line.rstrip())}\n" for line in said.splitlines())
    return f"$ {command}\n{lines}"


def shortened(line: str) -> str:
    if len(line) < LONGEST or not line.startswith("{") or "},{" not in line:
        return line
    return line.partition("},{")[0] + "},…]}"


if __name__ == "__main__":
    for page in [Path(name) for name in sys.argv[1:]] or TALKING:
        with TemporaryDirectory() as folder, desk_in(Path(folder)) as desk:
            text = refreshed(page, desk)
        page.write_text(text)

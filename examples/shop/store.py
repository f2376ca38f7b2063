"""Where the shop keeps what it knows."""

from __future__ import annotations

import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).parent / "var"
CRASHES = FOLDER / "crashes"


def query(sql: str, *values: object) -> list[dict[str, object]]:
    """Run one statement and return its rows."""
    with closing(sqlite3.connect(FOLDER / "shop.db")) as database, database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql, values)]


def end_politely() -> None:
    """End with status 0, and without a traceback, when asked to."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))


def say(text: str) -> None:
    """Print a line now rather than when a buffer is full."""
    print(text, flush=True)

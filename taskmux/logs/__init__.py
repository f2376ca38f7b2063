"""What tasks print: written by the daemon, read by anyone, without it too.

`LogWriter` stamps and rotates; `read` and `follow` find lines again, by time,
run, pattern or cursor; `clean` and `coloured` make a line safe to show.
"""

from __future__ import annotations

from .escapes import clean, coloured
from .excerpt import Batch, Excerpt, in_order
from .files import NotALogFile, files_of, intruders, remove
from .follow import follow
from .passage import Passage
from .reader import read
from .record import MARGIN, OURS, rfc3339_of, run_of, run_started, split, stamp
from .runs import last_run
from .window import Line, Window
from .writer import LogWriter, Tap, Unfinished

__all__ = [
    "MARGIN", "OURS", "Batch", "Excerpt", "Line", "LogWriter", "NotALogFile", "Passage", "Tap",
    "Unfinished", "Window", "clean", "coloured", "files_of", "follow", "in_order", "intruders",
    "last_run", "read", "remove", "rfc3339_of", "run_of", "run_started", "split", "stamp",
]  # fmt: skip

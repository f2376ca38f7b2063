"""TOML as people write it: decoded, its keys located, its values read, its text edited. Pure.

Whatever is wrong is worded for whoever wrote the file, and says where.
"""

from __future__ import annotations

from .document import LIMIT, decode
from .places import dotted, line_of
from .statements import Keys, split
from .wrong import Reader, Unknown, Wrong, inside

__all__ = [
    "LIMIT", "Keys", "Reader", "Unknown", "Wrong", "decode", "dotted", "inside", "line_of", "split",
]  # fmt: skip

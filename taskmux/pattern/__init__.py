"""Regular expressions written by users: matched in linear time, so none can hang anything.

The engine is RE2: the syntax people know from grep -E and Python, without
look-around and back-references, which are what makes a pattern slow.
"""

from __future__ import annotations

from .pattern import BadPattern, Pattern
from .requested import requested

__all__ = ["BadPattern", "Pattern", "requested"]

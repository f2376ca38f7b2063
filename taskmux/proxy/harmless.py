"""Text from outside that can neither hide nor reorder what is shown around it, nor be endless."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

LONGEST = 400
"""Characters of one piece of text."""

_ODD = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def harmless(text: str, longest: int = LONGEST) -> str:
    """Return text with what can't be seen in it written out, as `\\u202e`, and cut if long."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return _ODD.sub(lambda found: found[0].encode("unicode_escape").decode(), cut)


def last(texts: Sequence[str], size: int, measure: Callable[[str], int]) -> Sequence[str]:
    """Return as many of the last texts as fit into `size`."""
    count = 0
    for text in reversed(texts):
        size -= measure(text)
        if size < 0:
            break
        count += 1
    return texts[len(texts) - count :]

"""One text written over another where that is, and what is there if that ends on the way."""

from __future__ import annotations


def shared(one: bytes, other: bytes) -> int:
    """Return how many bytes both texts begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # halves, not bytes: such files can be long
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def padded(before: bytes, after: bytes) -> bytes:
    """Return `after` with empty lines at its end, so that it covers all of a longer `before`."""
    return after.ljust(len(before), b"\n")


def torn(found: bytes, before: bytes, after: bytes) -> bool:
    """Return whether `found` is what a write of `after` over `before` leaves when it is killed."""
    written = shared(found, padded(before, after))
    return found not in (before, after) and found[written:] == before[written:]

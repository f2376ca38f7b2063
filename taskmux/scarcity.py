"""Tells when the system had no more to give: that passes, and says nothing about a task."""

from __future__ import annotations

import errno
import resource

WORDS = {
    errno.EMFILE: "the daemon may not open more files",
    errno.ENFILE: "the system may not open more files",
    errno.EAGAIN: "the system makes no more processes",
    errno.ENOMEM: "no memory is left",
    errno.ENOBUFS: "no memory is left for another connection",
    errno.EADDRNOTAVAIL: "no port is left to connect from",
}


class Scarce(OSError):
    """Something that the system hands out has run out; `why` names it."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EAGAIN, why)


def scarce(error: BaseException) -> bool:
    """Return whether an error, or what it was made of, comes from something having run out."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(scarce, error.exceptions))
    if isinstance(error, OSError) and error.errno in WORDS:
        return True
    return error.__cause__ is not None and scarce(error.__cause__)


def described(error: OSError) -> str:
    """Return what went wrong, for people; of what has run out, what it is."""
    said = error.strerror or str(error)
    if isinstance(error, Scarce) or error.errno not in WORDS:
        return said
    return f"{WORDS[error.errno]} ({said})"


def unusable(place: object, error: OSError) -> str:
    """Return that a place, or the file in it that `error` names, cannot be used, for people.

    Of what has run out it says only that: the place has nothing to do with it.
    """
    if scarce(error):
        return described(error)
    return f"{error.filename or place} cannot be used: {described(error)}"


def room(most: int, share: int) -> int:
    """Return how many connections to take in: `most`, or one `share`-th of our descriptors."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files == resource.RLIM_INFINITY else min(most, files // share)

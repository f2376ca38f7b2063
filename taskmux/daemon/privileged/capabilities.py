"""The parts that Linux makes of root's power: what this process has of them."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_VERSION = 0x20080522
_WORDS = ctypes.c_uint32 * 6
"""Effective, permitted and inheritable, for the lower 32 capabilities; then for the rest."""

_INHERITABLE = (2, 5)


def leave_none() -> None:
    """Have no program that this process starts inherit any; raise `OSError` where that fails.

    Who can be root's child as another user keeps, without this, those that are ambient.
    """
    if sys.platform == "linux":
        words = _get()
        for place in _INHERITABLE:
            words[place] = 0
        _call("capset", words)  # what is ambient has to be inheritable, and goes with it


def give_up() -> None:
    """Give up all of them, for good; raise `OSError` where that fails."""
    if sys.platform == "linux":
        _call("capset", _WORDS())


def some() -> bool:
    """Return whether this process has any, or hands any on."""
    return sys.platform == "linux" and any(_get())


def _get() -> ctypes.Array[ctypes.c_uint32]:
    words = _WORDS()
    _call("capget", words)
    return words


def _call(name: str, words: ctypes.Array[ctypes.c_uint32]) -> None:
    head = (ctypes.c_uint32 * 2)(_VERSION, 0)
    if getattr(ctypes.CDLL(None, use_errno=True), name)(head, words) != 0:
        number = ctypes.get_errno() or errno.EPERM
        raise OSError(number, os.strerror(number))

"""Where the processes of a run listen, without looking at every process each time."""

from __future__ import annotations

from functools import partial
from time import monotonic

from taskmux.threads import in_thread_or_here

from . import native
from .census import Trace
from .sweep import members

FRESH = 10.0
"""Seconds after which it is looked again although no listener has come or gone."""


class Listeners:
    """The TCP ports one run listens on."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._seen: frozenset[int] = frozenset()
        self._looked = -FRESH
        self._ports: list[int] = []

    async def ports(self) -> list[int]:
        """Return them, lowest first. It is cheap while nobody begins or ends to listen."""
        seen = await in_thread_or_here(native.listeners)
        if seen is None or seen != self._seen or monotonic() - self._looked > FRESH:
            pids = [row.pid for row in await members(self._trace)]
            self._ports = await in_thread_or_here(partial(native.listening, pids))
            self._seen, self._looked = seen or frozenset(), monotonic()
        return self._ports

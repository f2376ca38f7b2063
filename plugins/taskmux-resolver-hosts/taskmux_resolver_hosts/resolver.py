"""The host resolver `etc_hosts`: names as lines of a hosts file."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import move_on_after, to_thread

from .entries import LOOPBACK, Entry, as_lines, check_own, missing, overruled
from .hostsfile import HostsFile
from .place import KEY, Place, chosen, system_hosts
from .trouble import (
    AS_ROOT,
    ELSEWHERE,
    HostsTrouble,
    NamesMissing,
    NotPermitted,
    Unchangeable,
)

if TYPE_CHECKING:
    from logging import Logger

    from taskmux.contracts import HostRecord, PluginContext


Done = TypeVar("Done")

LEAVING = 8.0
"""Seconds to take the block out of the file; a lock, or an editor, may be waited for."""


class HostsResolver:
    """Keeps one block of lines in a hosts file; `system` is the one names are looked up in."""

    name = "etc_hosts"
    summary = "Keep the names in the system's hosts file; new names need root."

    def __init__(self, system: Place | None = None) -> None:
        self._system = system or system_hosts(sys.platform, os.environ)

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Write `names` into the system's file, the loopback addresses for each.

        Where `settings` name another file nothing is done: that one is the user's to write.
        """
        if chosen(settings, self._system) is not self._system:
            return
        entries = [Entry(name, address) for name in names for address in LOOPBACK]
        check_own(entries)
        HostsFile(self._system, system=True).rewrite(as_lines(entries))

    def advise(self, settings: Mapping[str, Any]) -> str:
        """Return how the names come into the file, or what has to read a file of the user's own."""
        place = chosen(settings, self._system)
        if place is self._system:
            return AS_ROOT
        return (
            f"have what resolves names here read {place.path}, or leave {KEY} out of the settings"
        )

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[OpenHosts]:
        """Yield what publishes to the file that the settings name, else to the system's.

        Leaves the file without our block, if it may: else that is there until the
        next start as root, and the log says so.
        """
        place = chosen(context.settings, self._system)
        file = HostsFile(place, place is self._system, str(context.state_dir))
        hosts = OpenHosts(file, context.log)
        try:
            yield hosts
        finally:
            with move_on_after(LEAVING, shield=True) as scope:
                await hosts.withdraw()
            if scope.cancelled_caught:
                context.log.warning("%s was given up: it takes too long", place.path)


class OpenHosts:
    """One hosts file, while the resolver is open. What blocks is done in threads."""

    def __init__(self, file: HostsFile, log: Logger) -> None:
        self._file = file
        self._log = log
        self._warned: list[Entry] = []
        self._turn = Lock()
        self._newest = 0

    async def publish(self, records: Sequence[HostRecord]) -> None:
        """Make the block hold exactly `records`.

        A file that may not be written will do if it maps all their names already; if not,
        `NamesMissing` is raised.
        """
        entries = [Entry(record.name, record.address) for record in records]
        if self._file.system or os.geteuid() == 0:
            check_own(entries)
        lines = as_lines(entries)
        self._warn(await self._in_turn(partial(self._publish, entries, lines)) or [])

    async def withdraw(self) -> None:
        """Leave the file without our block, or say in the log why it is still there."""
        try:
            await self._in_turn(partial(self._file.rewrite, ()))
        except NotPermitted:
            path = self._file.place.path
            self._log.info("the names stay in %s until the next start as root", path)
        except HostsTrouble as trouble:
            self._log.warning("the names stay where they are: %s", trouble)

    async def _in_turn(self, work: Callable[[], Done]) -> Done | None:
        """Return what `work` returns; it is given up, with None, for any that comes after it."""
        self._newest += 1
        number = self._newest

        def run() -> Done | None:
            with self._turn:
                return work() if number == self._newest else None

        # A file system that hangs must not keep the daemon from going on.
        return await to_thread.run_sync(run, abandon_on_cancel=True)

    def _publish(self, entries: Sequence[Entry], lines: Sequence[bytes]) -> list[Entry]:
        try:
            content = self._file.rewrite(lines)
        except (NotPermitted, Unchangeable) as refusal:
            content = self._file.read()
            if lacking := missing(content, entries):
                hint = self._hint(refusal)
                raise NamesMissing(self._file.place.path, lacking, hint) from refusal
        return overruled(content, entries)

    def _hint(self, refusal: HostsTrouble) -> str:
        if isinstance(refusal, Unchangeable):
            return ELSEWHERE
        if self._file.system:
            return AS_ROOT
        return f"let your user write it, or leave {KEY} out of the settings"

    def _warn(self, others: list[Entry]) -> None:
        for entry in others:
            if entry not in self._warned:
                path = self._file.place.path
                self._log.warning("%s leads %s to %s first", path, entry.name, entry.address)
        self._warned = others

"""A project's aliases: names for ports that no task of it has, until somebody removes them.

They are no part of taskmux.toml: what listens there is one person's business, on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import anyio

from taskmux import paths
from taskmux.errors import AliasClash, NothingLeft, NotWritten, UnknownAlias
from taskmux.scarcity import described
from taskmux.store import Alias
from taskmux.supervisor import AGAIN, Services

Known = Mapping[str, Alias]


class Aliases:
    """Those of one project, by name. `known` is replaced whole whenever one comes or goes."""

    def __init__(self, session: str, services: Services) -> None:
        self.session = session
        self.known: Known = {}
        self._services = services

    async def recall(self) -> None:
        """Know what an earlier daemon knew; while the system has nothing to read with, wait."""
        while True:
            try:
                self.known = self._services.store.aliases(self.session)
                return
            except NothingLeft:
                await anyio.sleep(AGAIN)

    def add(self, name: str, alias: Alias, tasks: Mapping[str, str]) -> bool:
        """Have one more; return whether it is new. `tasks` says which task has each host.

        Raises `AliasClash`, or `NotWritten` if it could not be kept; then there is none.
        """
        after = added(self.known, name, alias, tasks)
        if after is self.known:
            return False
        self._keep(after)
        facts = {"alias": name, "host": alias.host, "port": alias.port}
        self._services.bus.publish("alias_added", self.session, **facts)
        return True

    def remove(self, name: str) -> Alias:
        """Have one less, and return it; raise `UnknownAlias` or `NotWritten`."""
        if name not in self.known:
            raise UnknownAlias(name, self.known)
        gone = self.known[name]
        self._keep({other: alias for other, alias in self.known.items() if other != name})
        self._services.bus.publish("alias_removed", self.session, alias=name)
        return gone

    def _keep(self, after: Known) -> None:
        try:
            self._services.store.save_aliases(self.session, after)
        except OSError as error:
            path = paths.aliases(self._services.home, self.session)
            raise NotWritten(str(path), described(error)) from None
        self.known = after


def added(known: Known, name: str, alias: Alias, tasks: Mapping[str, str]) -> Known:
    """Return `known` with one more, or itself if that is there; raise `AliasClash`. Pure."""
    before = known.get(name)
    if before == alias:
        return known
    if before is not None:
        why = f"there is one, of host {before.host!r} and port {before.port}"
        raise AliasClash(name, why, f"run `taskmux alias remove {name}` first")
    if alias.host in tasks:
        why = f"task {tasks[alias.host]} has the host {alias.host!r}"
        raise AliasClash(name, why, "give it another with --host")
    for other, its in known.items():
        if its.host == alias.host:
            why = f"alias {other} has the host {alias.host!r}"
            hint = f"give it another with --host, or run `taskmux alias remove {other}`"
            raise AliasClash(name, why, hint)
    return {**known, name: alias}

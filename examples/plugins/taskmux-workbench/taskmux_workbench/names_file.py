"""A resolver for people with a dnsmasq: it keeps the file that `addn-hosts` names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from taskmux.contracts import HostRecord, PluginContext


class NamesFileResolver:
    """Writes address and name of every task, a line each, into a file of its own.

    host_resolver = "names_file"

    [plugin.workbench]
    file = "/home/you/.config/dnsmasq/taskmux"
    """

    name = "names_file"
    summary = "Keep a file of names and addresses, as dnsmasq reads with addn-hosts."

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Do nothing: the file is the user's."""

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[NamesFile]:
        """Yield the file, and delete it afterwards."""
        file = NamesFile(_path(context))
        try:
            yield file
        finally:
            await file.publish(())


class NamesFile:
    """The file while it is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def publish(self, records: Sequence[HostRecord]) -> None:
        """Replace the file by one with exactly these names; without any, delete it."""
        if not records:
            self._path.unlink(missing_ok=True)
            return
        beside = self._path.with_name(f"{self._path.name}.new")
        beside.write_text("".join(f"{record.address} {record.name}\n" for record in records))
        beside.replace(self._path)


def _path(context: PluginContext) -> Path:
    chosen = context.settings.get("file")
    if chosen is None:
        return context.state_dir / "names"
    if not isinstance(chosen, str) or not chosen.startswith("/"):
        error = ValueError("plugin.workbench.file is not an absolute path")
        error.add_note("run `taskmux config set plugin.workbench.file /path/to/file`")
        raise error
    return Path(chosen)

"""Commands about aliases: names of a project for ports that none of its tasks has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from taskmux import wire
from taskmux.errors import BadRequest, OwnPort
from taskmux.project.readers import host
from taskmux.projects import Project, task_hosts
from taskmux.store import Alias
from taskmux.toml import Reader, Wrong
from taskmux.toml.numbers import whole
from taskmux.toml.words import label

from .house import House

Value = TypeVar("Value")

LOOPBACK = "127.0.0.1"


async def alias_add(house: House, request: wire.AliasAdd) -> wire.AliasChange:
    """Have a port of this machine reached by a name of the project's."""
    name = _meant(label, request.name, "NAME")
    alias = Alias(
        port=_meant(whole(1, 65535), request.port, "PORT"),
        host=_meant(host, name if request.host is None else request.host, "--host"),
    )
    project = await house.project(request)
    for port, whose in _own(house).items():
        if alias.port == port:
            raise OwnPort(port, whose)
    new = project.aliases.add(name, alias, task_hosts(project))
    return wire.AliasChange(
        session=project.session,
        alias=name,
        action="added" if new else "already_added",
        host=alias.host,
        port=alias.port,
        url=_report(house, project, name, alias).url,
    )


async def alias_list(house: House, request: wire.AliasList) -> wire.AliasesReport:
    """List every alias of a project."""
    project = await house.project(request)
    return wire.AliasesReport(session=project.session, aliases=[*reports(house, project)])


async def alias_remove(house: House, request: wire.AliasRemove) -> wire.AliasChange:
    """Forget an alias."""
    project = await house.project(request)
    gone = project.aliases.remove(request.name)
    return wire.AliasChange(
        session=project.session,
        alias=request.name,
        action="removed",
        host=gone.host,
        port=gone.port,
        url=None,
    )


def reports(house: House, project: Project) -> Iterator[wire.AliasReport]:
    """Yield every alias of a project as it is now."""
    for name, alias in project.aliases.known.items():
        yield _report(house, project, name, alias)


def _report(house: House, project: Project, name: str, alias: Alias) -> wire.AliasReport:
    task = task_hosts(project).get(alias.host)
    reached = task is None and house.proxy().bound
    urls = house.services.urls
    return wire.AliasReport(
        name=name,
        host=alias.host,
        url=urls.of(project.session, alias.host) if reached else None,
        target=f"{LOOPBACK}:{alias.port}",
        port=alias.port,
        shadowed_by=task,
    )


def _own(house: House) -> dict[int, str]:
    """Return the ports of the daemon itself, and what listens there."""
    about, proxy = house.about(), house.proxy().port
    own = {one.port: "the redirect" for one in about.listeners}
    own |= {} if proxy is None else {proxy: "the proxy"}
    return own if about.api_port is None else own | {about.api_port: "the WebSocket"}


def _meant(reader: Reader[Value], value: Any, what: str) -> Value:
    try:
        return reader(value)
    except Wrong as wrong:
        raise BadRequest(f"{what}: {wrong.why}", hint=wrong.hint) from None

"""Where tasks and aliases are found."""

from __future__ import annotations

from taskmux import wire
from taskmux.errors import NoUrl, TaskNotFound
from taskmux.projects import Project, holders
from taskmux.routes import TLD, Holder
from taskmux.wire import FoundUrl

from .house import House


async def url(house: House, request: wire.Url) -> wire.UrlReport | wire.UrlsReport:
    """Say where a task or an alias is found, or all of them."""
    project = await house.project(request)
    if request.name is not None:
        return _one(house, project, request.name)
    hosts = holders(project)
    if not hosts:
        project.opened()  # it may be that nobody could read who has one
    else:
        _check_proxy(house, project.session)
    found = [_found(house, project, host, holder) for host, holder in hosts.items()]
    return wire.UrlsReport(session=project.session, urls=found)


def _one(house: House, project: Project, name: str) -> wire.UrlReport:
    host, holder = _held(project, name)
    _check_proxy(house, name)
    found = _found(house, project, host, holder)
    if found.url is None:
        domain = f"{project.session}.{TLD}"
        hint = f"it answers for any, as {house.services.urls.of(project.session, 'anything')}"
        raise NoUrl(name, f"it has every name below {domain} that nobody else has", hint)
    return wire.UrlReport(
        name=name, url=found.url, host=host, port=found.port, public_url=found.public_url
    )


def _held(project: Project, name: str) -> tuple[str, Holder]:
    """Return the host that is called by that name; of a task before an alias's."""
    hosts, aliases = holders(project), project.aliases.known
    for holder in (Holder(name), Holder(name, alias=True)):
        for host, other in hosts.items():
            if other == holder:
                return host, holder
    tasks = project.opened().crew.config.tasks
    if name in tasks:
        hint = f'give it one in taskmux.toml: `host = "{name}"` in [tasks.{name}]'
        raise NoUrl(name, "it has no host", hint)
    if name in aliases:
        task = hosts[aliases[name].host].name
        hint = f"see {task}, or run `taskmux alias remove {name}`, and add it with another --host"
        raise NoUrl(name, f"task {task} has its host", hint)
    raise TaskNotFound(name, [*tasks, *aliases])


def _check_proxy(house: House, name: str) -> None:
    proxy = house.proxy()
    if not proxy.bound:
        hint = proxy.hint if isinstance(proxy.hint, str) else None
        raise NoUrl(name, f"there is no proxy: {proxy.reason}", hint)


def _found(house: House, project: Project, host: str, holder: Holder) -> FoundUrl:
    if holder.alias:
        port = project.aliases.known[holder.name].port
    else:
        port = project.opened().crew[holder.name].port
    return FoundUrl(
        name=holder.name,
        url=house.services.urls.of(project.session, host),
        host=host,
        port=port,
        public_url=None,
    )

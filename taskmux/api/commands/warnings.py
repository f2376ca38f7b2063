"""What a user of a project should know about taskmux itself just now: sentences for `status`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from taskmux.projects import Project, holders
from taskmux.wire import ProxyReport

from .house import House


def warnings(house: House, project: Project) -> Iterator[str]:
    """Yield what cannot be done for a project as it should be; nothing while all is well."""
    bus = house.services.bus
    if bus.waiting:
        yield f"{bus.waiting} events are not written down yet: {bus.why}"
    if house.projects.unsaved is not None:
        yield f"the list of projects is not saved: {house.projects.unsaved}"
    if project.supervisor is None:
        return
    if project.supervisor.unsaved is not None:
        yield f"what runs is not saved: {project.supervisor.unsaved}"
    for name, member in project.supervisor.crew.members.items():
        log = member.runner.log
        if log.trouble is not None:
            yield f"output of {name} is dropped, {log.dropped} lines so far: {log.trouble}"


def exposures(house: House, project: Project) -> Iterator[str]:
    """Yield who else than this machine reaches the tasks of a project; nothing if nobody does."""
    said = exposed(house.services.settings.proxy_bind, house.proxy())
    if said is not None and holders(project):
        yield said


def exposed(bind: str, proxy: ProxyReport) -> str | None:
    """Return who can reach a proxy that listens at an address; None if only this machine. Pure."""
    if not proxy.bound or ip_address(bind).is_loopback:
        return None
    return f"the proxy is open to the network: proxy_bind is {bind}"

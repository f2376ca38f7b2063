"""What taskmux itself cannot do as it should just now, and why: sentences for `status`."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux.projects import Project

from .house import House


def warnings(house: House, project: Project) -> Iterator[str]:
    """Yield what concerns a project; nothing while all is well."""
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

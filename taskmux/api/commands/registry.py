"""Commands about projects, their files, and the daemon itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from taskmux import wire
from taskmux.errors import TaskNotFound
from taskmux.project.edit import add_task, remove_task
from taskmux.projects import read_config

from .house import House


async def register(house: House, request: wire.Register) -> wire.SessionReport:
    """Add a project to the registry."""
    project, action = await house.projects.register(Path(request.config), force=request.force)
    return wire.SessionReport(session=project.session, action=action, config=str(project.path))


async def unregister(house: House, request: wire.Unregister) -> wire.SessionReport:
    """Stop a project's tasks and forget it."""
    project = await house.projects.unregister(request.session)
    return wire.SessionReport(
        session=project.session, action="unregistered", config=str(project.path)
    )


async def reload(house: House, request: wire.Reload) -> wire.SessionReport:
    """Read a project's taskmux.toml again, now."""
    project, changed = await house.projects.reload(await house.project(request))
    project.opened()
    if request.apply and changed:
        await project.opened().restart(changed)
    return wire.SessionReport(
        session=project.session, action="reloaded", config=str(project.path), changed=changed
    )


async def add(house: House, request: wire.Add) -> wire.AddReport:
    """Add a task to a project's taskmux.toml."""
    project = await house.project(request)
    table = {"command": request.command, **request.fields}
    await house.projects.edit(project, partial(add_task, name=request.task, table=table))
    return wire.AddReport(
        session=project.session, task=request.task, action="added", config=str(project.path)
    )


async def remove(house: House, request: wire.Remove) -> wire.AddReport:
    """Stop a task and remove it from its project's taskmux.toml."""
    project = await house.project(request)
    # By the file as it is: the daemon may not have read it yet, or have kept an older one.
    if request.task not in (known := read_config(project.path).tasks):
        raise TaskNotFound(request.task, known)
    await house.projects.edit(project, partial(remove_task, name=request.task))
    return wire.AddReport(
        session=project.session, task=request.task, action="removed", config=str(project.path)
    )


async def shutdown(house: House, request: wire.Shutdown) -> wire.DaemonReport:
    """Stop every task, then the daemon."""
    if request.listeners is not None:
        await house.leave(Path(request.listeners))
    await house.end(request.resume)
    return house.about()


async def renew(house: House, request: wire.Renew) -> wire.DaemonReport:
    """Go on in a new program; nobody is left to answer then."""
    await house.renew(request)
    raise AssertionError("nobody is left to be here")

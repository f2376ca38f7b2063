"""Commands that delete: what a project has left behind, and what nobody owns any more."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from anyio import to_thread
from msgspec.structs import replace

from taskmux import paths, wire
from taskmux.files import discard, weigh
from taskmux.logs import files_of
from taskmux.processes import end_strays, shells_under_way, strays
from taskmux.projects import Project

from .house import House

SETTLED = 60.0
"""Seconds after which nobody will finish a file that was begun."""


async def clean(house: House, request: wire.Clean) -> wire.CleanReport:
    """Delete the logs of a project, or the event history, or all that is kept of a project."""
    project = None if request.events else await house.project(request)
    places = _places(house, project, request)
    removed = await to_thread.run_sync(_weighed, places)
    left: list[str] = []
    if not request.dry_run:
        if project is None:
            house.services.bus.clear()
        elif request.logs:
            left = await _clean_logs(project, places)
        else:
            await house.projects.unregister(project.session)
            left = await to_thread.run_sync(_discard, places)
    return wire.CleanReport(
        ok=not left,
        session=None if project is None else project.session,
        dry_run=request.dry_run,
        removed=removed,
        left=left,
        unregistered=not (request.dry_run or request.logs or request.events),
    )


async def prune(house: House, request: wire.Prune) -> wire.PruneReport:
    """Find what nobody owns any more; with `apply`, remove it."""
    home = house.services.home
    projects = [project for project in house.projects if _abandoned(project)]
    lost = await strays(home, _runs(house))
    kept = {project.session for project in house.projects if project not in projects}
    folders = sorted(f for f in home.glob("projects/*") if f.name not in kept)
    files = sorted(file for file in paths.remains(home) if _settled(file))
    found = wire.PruneReport(
        applied=request.apply,
        projects=[wire.LostProject(one.session, str(one.path)) for one in projects],
        processes=[
            wire.LostProcess(one.row.pid, one.session, one.task, one.command, one.ports)
            for one in lost
        ],
        folders=await to_thread.run_sync(_weighed, folders),
        files=await to_thread.run_sync(_weighed, files),
        left=[],
    )
    if not request.apply:
        return found
    for project in projects:
        await house.projects.unregister(project.session)
    left = [f"process {pid}" for pid in await end_strays(home, _runs(house))]
    left += await to_thread.run_sync(_discard, [*folders, *files])
    return replace(found, ok=not left, left=left)


def _settled(file: Path) -> bool:
    # Somebody may be about to put a new version of a file in place.
    with suppress(OSError):
        return file.lstat().st_mtime < time.time() - SETTLED
    return False


def _abandoned(project: Project) -> bool:
    # Tasks of a project whose file is gone run on: that is no reason to end them.
    return project.state == "config_missing" and project.at_rest


def _runs(house: House) -> set[str]:
    runs = {trace.run_id for trace in shells_under_way()}
    for project in house.projects:
        if project.supervisor is not None:
            lives = (m.runner.life for m in project.supervisor.crew.members.values())
            runs |= {life.outfit.run_id for life in lives if life is not None}
    return runs


def _places(house: House, project: Project | None, request: wire.Clean) -> list[Path]:
    home = house.services.home
    if project is None:
        return [paths.events(home)]
    crew = None if project.supervisor is None else project.supervisor.crew
    logs = [] if crew is None else [member.runner.log.path for member in crew.members.values()]
    folder = paths.project(home, project.session)
    if request.logs:
        logs += folder.glob("logs/*.log")  # of tasks that are no more
    found = [file for log in dict.fromkeys(logs) for file in files_of(log)]
    return found if request.logs else [folder, *(f for f in found if folder not in f.parents)]


async def _clean_logs(project: Project, places: Iterable[Path]) -> list[str]:
    if project.supervisor is not None:
        for member in project.supervisor.crew.members.values():
            member.runner.log.clean()
            places = set(places) - {member.runner.log.path}
    return await to_thread.run_sync(_discard, places)


def _weighed(places: Iterable[Path]) -> list[wire.Removed]:
    return [wire.Removed(str(place), weigh(place)) for place in places if place.exists()]


def _discard(places: Iterable[Path]) -> list[str]:
    return [str(place) for place in places if not discard(place)]

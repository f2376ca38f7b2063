"""Commands that delete: what a project has left behind, and what nobody owns any more."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from taskmux import paths, wire
from taskmux.files import discard, weigh
from taskmux.logs import LogWriter, files_of, remove
from taskmux.processes import end_strays, strays
from taskmux.projects import Project
from taskmux.threads import in_thread

from .house import House


async def clean(house: House, request: wire.Clean) -> wire.CleanReport:
    """Delete the logs of a project, or the event history, or all that is kept of a project."""
    project = None if request.only == "events" else await house.project(request)
    places = _places(house, project, request)
    removed = await _weighed(places)
    left: list[str] = []
    if not request.dry_run:
        if project is None:
            left = [] if house.services.bus.clear() else [str(place) for place in places]
        elif request.only == "logs":
            left = _clean_logs(house, project)
        else:
            folder, logs = places[0], _logs(house, project)
            await house.projects.unregister(project.session)
            left = await _discard([folder])
            elsewhere = [log for log in logs if folder not in log.parents]
            left += [str(place) for log in elsewhere for place in remove(log)]
    return wire.CleanReport(
        ok=not left,
        session=None if project is None else project.session,
        dry_run=request.dry_run,
        removed=removed,
        left=left,
        unregistered=not request.dry_run and request.only is None,
    )


async def prune(house: House, request: wire.Prune) -> wire.PruneReport:
    """Find what nobody owns any more; with `apply`, remove it."""
    home = house.services.home
    projects = [project for project in house.projects if _abandoned(project)]
    lost = await strays(home)
    kept = {project.session for project in house.projects if project not in projects}
    folders = sorted(f for f in home.glob("projects/*") if f.name not in kept)
    files = sorted(paths.set_aside(home))
    found = wire.PruneReport(
        applied=request.apply,
        projects=[wire.LostProject(one.session, str(one.path)) for one in projects],
        processes=[
            wire.LostProcess(one.row.pid, one.session, one.task, one.command, one.ports)
            for one in lost
        ],
        folders=await _weighed(folders),
        files=await _weighed(files),
        left=[],
    )
    if not request.apply:
        return found
    for project in projects:
        await house.projects.unregister(project.session)
    left = [f"process {pid}" for pid in await end_strays(home)]
    left += await _discard([*folders, *files])
    return replace(found, ok=not left, left=left)


def _abandoned(project: Project) -> bool:
    # Tasks of a project whose file is gone run on: that is no reason to end them.
    return project.state == "config_missing" and project.at_rest


def _logs(house: House, project: Project) -> list[Path]:
    """Return the logs of a project's tasks, also of those that are no more."""
    folder = paths.project(house.services.home, project.session)
    return list(dict.fromkeys((*_writers(project), *folder.glob("logs/*.log"))))


def _places(house: House, project: Project | None, request: wire.Clean) -> list[Path]:
    home = house.services.home
    if project is None:
        return [paths.events(home)]
    found = [file for log in _logs(house, project) for file in files_of(log)]
    if request.only == "logs":
        return found
    folder = paths.project(home, project.session)
    return [folder, *(file for file in found if folder not in file.parents)]


def _writers(project: Project) -> dict[Path, LogWriter]:
    crew = None if project.supervisor is None else project.supervisor.crew
    logs = [] if crew is None else [member.runner.log for member in crew.members.values()]
    return {log.path: log for log in logs}


def _clean_logs(house: House, project: Project) -> list[str]:
    writers, left = _writers(project), list[Path]()
    for log in _logs(house, project):
        left += writers[log].clean() if log in writers else remove(log)
    return [str(place) for place in left]


async def _weighed(places: Iterable[Path]) -> list[wire.Removed]:
    found = [place for place in places if place.exists()]
    sizes = await in_thread(lambda: [weigh(place) for place in found])
    return [wire.Removed(str(place), size) for place, size in zip(found, sizes, strict=True)]


async def _discard(places: Iterable[Path]) -> list[str]:
    return await in_thread(lambda: [str(place) for place in places if not discard(place)])

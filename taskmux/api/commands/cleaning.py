"""Commands that delete: what a project has left behind, and what nobody owns any more."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from taskmux import paths, wire
from taskmux.errors import NotRegistered
from taskmux.files import discard, weigh
from taskmux.logs import LogWriter, files_of, remove
from taskmux.processes import end_strays, strays
from taskmux.projects import Project
from taskmux.threads import in_thread
from taskmux.trust.names import of_project

from .house import House


async def clean(house: House, request: wire.Clean) -> wire.CleanReport:
    """Delete the logs of a project, or the event history, or all that is kept of a project."""
    project = None if request.only == "events" else await house.project(request)
    places = _places(house, project, request)
    aliases = [] if project is None or request.only else [*project.aliases.known]
    removed = await _weighed(places)
    left: list[str] = []
    if not request.dry_run:
        if project is None:
            left = [] if house.services.bus.clear() else [str(place) for place in places]
        elif request.only == "logs":
            left = _clean_logs(house, project)
        else:
            folder, logs, minted = places[0], _logs(house, project), _minted(house, project)
            await house.projects.unregister(project.session)
            async with house.projects.unregistered() as folders:
                again = folder not in folders and folder.exists()  # somebody registered it anew
                left = [str(folder)] if again else await _discard([folder])
            left += await _discard(minted)
            elsewhere = [log for log in logs if folder not in log.parents]
            left += [str(place) for log in elsewhere for place in remove(log)]
    return wire.CleanReport(
        ok=not left,
        session=None if project is None else project.session,
        dry_run=request.dry_run,
        removed=removed,
        left=left,
        aliases=aliases,
        unregistered=not request.dry_run and request.only is None,
    )


async def prune(house: House, request: wire.Prune) -> wire.PruneReport:
    """Find what nobody owns any more; with `apply`, remove it."""
    home, projects = house.services.home, house.projects
    found = await _leftovers(house)
    if not request.apply:
        return found
    for one in found.projects:
        with suppress(NotRegistered):  # somebody was quicker
            await projects.unregister(one.session, if_abandoned=True)
    known = {project.session for project in projects}
    forgotten = [one for one in found.projects if one.session not in known]
    left = [f"process {pid}" for pid in await end_strays(home)]
    # Asked anew, and in such a way that nobody registers what is about to be deleted.
    async with projects.unregistered() as folders:
        removed = await _weighed(folders)
        left += await _discard(folders)
    left += await _discard(paths.set_aside(home))
    return replace(found, applied=True, ok=not left, projects=forgotten, folders=removed, left=left)


async def _leftovers(house: House) -> wire.PruneReport:
    home = house.services.home
    lost = await strays(home)
    abandoned = [project for project in house.projects if project.abandoned]
    async with house.projects.unregistered() as folders:
        folders += [paths.project(home, project.session) for project in abandoned]
    return wire.PruneReport(
        applied=False,
        projects=[wire.LostProject(one.session, str(one.path)) for one in abandoned],
        processes=[
            wire.LostProcess(one.row.pid, one.session, one.task, one.command, one.ports)
            for one in lost
        ],
        folders=await _weighed(sorted(folders)),
        files=await _weighed(sorted(paths.set_aside(home))),
        left=[],
    )


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
    elsewhere = (file for file in found if folder not in file.parents)
    return [folder, *_minted(house, project), *elsewhere]


def _minted(house: House, project: Project) -> list[Path]:
    """Return where the certificate is that somebody asked for by the project's name, if so."""
    place = paths.minted(house.services.home) / of_project(project.session)[0]
    return [place] if place.is_dir() else []


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

"""Commands that only look."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from taskmux import paths, wire
from taskmux.bus import history
from taskmux.errors import TaskmuxError
from taskmux.logs import Line, Window, clean, read
from taskmux.plugins import describe
from taskmux.processes import Usage, command_of, listening, measure, processes
from taskmux.project import resolved
from taskmux.projects import Project, holders
from taskmux.supervisor import health_report, task_report
from taskmux.threads import in_thread, in_thread_or_here
from taskmux.when import parse_when, rfc3339

from . import aliases, reach
from .house import House
from .warnings import exposures, warnings

EVENTS_SHOWN = 10
LINES_SHOWN = 20

LINES = 100
"""Lines of output in an answer where nothing else limits them, as on the command line."""

ROOM = 256 * 1024
"""Bytes of output in an answer, about. JSON makes three of one at most: that stays below 1 MiB,
beyond which many a WebSocket client takes no message."""


async def status(house: House, request: wire.Status) -> wire.StatusReport:
    """Report every task of a project."""
    project = await house.project(request)
    usages = await _usages([project])
    return _status(house, project, usages, _shares(house, usages))


async def status_all(house: House, request: wire.StatusAll) -> wire.ProjectsReport:
    """List every project, with its tasks."""
    usages = await _usages(house.projects)
    shares = _shares(house, usages)
    sessions = [_status(house, project, usages, shares) for project in house.projects]
    return wire.ProjectsReport(projects=_listed(house), sessions=sessions)


async def list_projects(house: House, request: wire.ListProjects) -> wire.ProjectsReport:
    """List every project."""
    return wire.ProjectsReport(projects=_listed(house))


async def list_plugins(house: House, request: wire.ListPlugins) -> wire.PluginsReport:
    """List every plugin, and what it fails at."""
    return await in_thread_or_here(partial(describe, house.services.plugins))


async def hello(house: House, request: wire.Hello) -> wire.DaemonReport:
    """Say who the daemon is."""
    return house.about()


async def health(house: House, request: wire.Health) -> wire.HealthReport:
    """Report how well each task is."""
    project = await house.project(request)
    report = health_report(project.session, project.opened().crew)
    return reach.all_as_reached(report, _unreached(house, project), rfc3339(datetime.now(UTC)))


async def inspect(house: House, request: wire.Inspect) -> wire.InspectReport:
    """Report everything about one task."""
    project = await house.project(request)
    supervisor = project.opened()
    name, crew = request.task, supervisor.crew
    member = crew[name]
    usages = await _usages([project])
    life, log = member.runner.life, member.runner.log.path
    pids = usages[life.pid].pids if life is not None and life.pid in usages else ()
    excerpt = await in_thread_or_here(partial(read, {name: log}, Window(lines=LINES_SHOWN)))
    events = await _history(house, history.Wanted(supervisor.session, name))
    failures = [event for event in events if event["event"] == "health_check_failed"]
    return wire.InspectReport(
        session=supervisor.session,
        task=reach.as_reached(
            task_report(crew, name, usages, _shares(house, usages)),
            _unreached(house, project).get(name),
            house.proxy(),
            rfc3339(datetime.now(UTC)),
        ),
        config=resolved(crew.config.tasks[name]),
        processes=await in_thread_or_here(partial(_processes, pids)),
        listening=await in_thread_or_here(partial(listening, pids)),
        log=str(log),
        last_health_failures=failures[-EVENTS_SHOWN:],
        last_events=events[-EVENTS_SHOWN:],
        last_lines=[_shown(line) for line in excerpt.lines],
    )


async def events(house: House, request: wire.Events) -> wire.EventsReport:
    """Return events of a project, or of all."""
    session = request.session
    if request.config is not None:
        session = (await house.projects.resolve(session, request.config)).session
    now = datetime.now(UTC)
    wanted = history.Wanted(
        session=session,
        task=request.task,
        kinds=request.kinds,
        since=None if request.since is None else parse_when(request.since, now),
        until=None if request.until is None else parse_when(request.until, now),
        after=request.after or 0,
        lines=request.lines,
    )
    found = await _history(house, wanted)
    newest = found[-1]["seq"] if found else wanted.after
    return wire.EventsReport(events=found, count=len(found), next=newest)


async def logs(house: House, request: wire.Logs) -> wire.LogsReport | wire.MergedLogsReport:
    """Return lines of one task, or of several by time."""
    supervisor = (await house.project(request)).opened()
    names = request.names or tuple(supervisor.crew)
    sources = {name: supervisor.crew[name].runner.log.path for name in names}
    now = datetime.now(UTC)
    limits = (request.since, request.until, request.run, request.after, request.grep)
    bounded = any(limit is not None for limit in limits)
    window = Window(
        lines=LINES if request.lines is None and not bounded else request.lines,
        since=None if request.since is None else parse_when(request.since, now),
        until=None if request.until is None else parse_when(request.until, now),
        grep=request.grep,
        context=request.context,
        run=request.run,
        after=request.after,
    )
    report = partial(_excerpt, sources, window, merged=len(request.names) != 1)
    return await in_thread(report, limiter=house.readers)


def _excerpt(
    sources: Mapping[str, Path], window: Window, *, merged: bool
) -> wire.LogsReport | wire.MergedLogsReport:
    found = read(sources, window, limit=ROOM)
    if not merged:
        [task] = sources
        lines = [_shown(line) for line in found.lines]
        return wire.LogsReport(task=task, lines=lines, next=found.next, more=found.more)
    return wire.MergedLogsReport(
        tasks=list(sources),
        lines=[wire.LineReport(task=n.task, ts=n.ts, text=clean(n.text)) for n in found.lines],
        next=found.next,
        more=found.more,
    )


def _status(
    house: House, project: Project, usages: dict[int, Usage], shares: dict[int, float]
) -> wire.StatusReport:
    tasks: list[wire.TaskReport] = []
    if project.supervisor is not None:
        whys, now = _unreached(house, project), rfc3339(datetime.now(UTC))
        for name in (crew := project.supervisor.crew):
            task = task_report(crew, name, usages, shares)
            tasks.append(reach.as_reached(task, whys.get(name), house.proxy(), now))
    return wire.StatusReport(
        session=project.session,
        running=any(task.running for task in tasks),
        state=project.state,
        error=None if project.error is None else str(project.error),
        config=str(project.path),
        tasks=tasks,
        warnings=[*warnings(house, project), *exposures(house, project)],
        proxy=house.proxy(),
        daemon_pid=house.about().pid or 0,
        aliases=[*aliases.reports(house, project)],
    )


def _unreached(house: House, project: Project) -> dict[str, str]:
    """Return why tasks cannot be reached by their names, of those that should be."""
    if not house.services.settings.proxy_enabled:
        return {}
    tasks, hosts, proxy = project.opened().crew.config.tasks, holders(project), house.proxy()
    found = {name: reach.unreached(name, one.host, hosts, proxy) for name, one in tasks.items()}
    return {name: why for name, why in found.items() if why is not None}


def _listed(house: House) -> list[wire.ProjectReport]:
    return [_project(project) for project in house.projects]


def _project(project: Project) -> wire.ProjectReport:
    crew = project.supervisor.crew if project.supervisor is not None else None
    members = [] if crew is None else [crew[name] for name in crew]
    error: TaskmuxError | None = project.error
    return wire.ProjectReport(
        session=project.session,
        config=str(project.path),
        state=project.state,
        error=None if error is None else str(error),
        tasks=len(members),
        running=sum(member.task.alive for member in members),
    )


async def _usages(projects: Iterable[Project]) -> dict[int, Usage]:
    leaders = _leaders(projects)
    if not leaders:
        return {}
    rows = await in_thread_or_here(processes)
    return measure(rows, leaders)


def _shares(house: House, usages: Mapping[int, Usage]) -> dict[int, float]:
    return house.meter.share(usages, _leaders(house.projects))


def _leaders(projects: Iterable[Project]) -> list[int]:
    return [
        life.pid
        for project in projects
        if project.supervisor is not None
        for name in project.supervisor.crew
        if (life := project.supervisor.crew[name].runner.life) is not None
    ]


async def _history(house: House, wanted: history.Wanted) -> list[dict[str, Any]]:
    path = paths.events(house.services.home)
    return await in_thread_or_here(partial(history.read, path, wanted))


def _processes(pids: Collection[int]) -> list[wire.ProcessReport]:
    rows = [row for row in processes() if row.pid in pids]
    return [
        wire.ProcessReport(row.pid, row.parent, command_of(row.pid), row.memory) for row in rows
    ]


def _shown(line: Line) -> str:
    return f"{line.stamp} {clean(line.text)}"

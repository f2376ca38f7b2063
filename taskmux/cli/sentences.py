"""Reports as plain lines for people; a picture here needs no terminal and no table.

Whatever came from outside goes through `plain`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from taskmux import wire

from . import reports
from .diagnosed import diagnosed
from .leavings import cleaned
from .offering import offering
from .plain import Ink, plain, span
from .trusting import trusting

FAILED = {"failed", "missed"}

HEAD = {"ts", "seq", "event", "session", "task"}
"""What an event's line shows before, or instead of, its facts."""


def say(report: wire.Report, ink: Ink) -> Iterator[str]:
    """Yield the lines that say what `report` does."""
    match report:
        case wire.ActionReport():
            yield from _actions([report], ink)
        case wire.ActionsReport(results=results) | wire.WaitReport(results=results):
            yield from _actions(results, ink)
        case wire.SessionReport():
            yield f"{plain(report.session)}: {report.action.replace('_', ' ')}"
        case wire.AddReport():
            yield f"{ink('✓', 'green')} {plain(report.task)} {report.action}"
        case wire.DaemonReport():
            yield from _daemon(report)
        case wire.CleanReport() | wire.PruneReport():
            yield from cleaned(report, ink)
        case wire.EventsReport():
            yield from (event(one) for one in report.events)
        case _:
            yield from _without_daemon(report, ink)


def event(facts: dict[str, Any]) -> str:
    """Return an event as one line: when, which task, what, and the facts of its kind."""
    when = str(facts["ts"]).replace("T", " ").partition(".")[0].rstrip("Z")
    whose = str(facts.get("task") or facts.get("session") or "—")
    rest = [f"{key}={value(facts[key])}" for key in facts if key not in HEAD]
    return plain("  ".join([when, whose.ljust(10), str(facts["event"]).ljust(20), *rest])).rstrip()


def _without_daemon(report: wire.Report, ink: Ink) -> Iterator[str]:
    match report:
        case reports.VersionReport() | reports.PathReport():
            yield _fact(report)
        case reports.CheckReport():
            yield f"{ink('✓', 'green')} {plain(report.config)}: {_count(len(report.tasks), 'task')}"
        case reports.GraphReport():
            yield from _graph(report)
        case _:
            yield from _of_all_projects(report, ink)


def _of_all_projects(report: wire.Report, ink: Ink) -> Iterator[str]:
    match report:
        case wire.AliasChange():
            yield _alias(report, ink)
        case wire.UrlReport():
            yield plain(report.url)
        case wire.UrlsReport():
            yield from _urls(report)
        case _:
            yield from _of_settings(report, ink)


def _of_settings(report: wire.Report, ink: Ink) -> Iterator[str]:
    match report:
        case reports.SettingsReport():
            yield from _settings(report, ink)
        case reports.ServiceReport():
            yield from _service(report, ink)
        case reports.SettingChange():
            yield f"{ink('✓', 'green')} {plain(report.key)} = {plain(value(report.value))}"
        case wire.PluginsReport():
            yield from offering(report, ink)
        case wire.DoctorReport():
            yield from diagnosed(report, ink)
        case reports.AuthorityReport() | reports.TrustReport() | reports.MintReport():
            yield from trusting(report, ink)
        case reports.SchemaNames():
            yield from ("Files:", *(f"  {name}" for name in report.files), "")
            width = max(map(len, report.commands))
            yield "Requests, by command:"
            yield from (f"  {one.ljust(width)}  {kind}" for one, kind in report.commands.items())
            yield from ("", "Answers:", *(f"  {name}" for name in report.reports))


def _fact(report: reports.VersionReport | reports.PathReport) -> str:
    if isinstance(report, reports.VersionReport):
        return f"taskmux {report.version}"
    return plain(report.path)


def value(anything: Any) -> str:
    """Return a value as people read it: text as it is, the rest as JSON."""
    return anything if isinstance(anything, str) else msgspec.json.encode(anything).decode()


def _alias(report: wire.AliasChange, ink: Ink) -> str:
    done = f"{ink('✓', 'green')} {plain(report.alias)} {report.action.replace('_', ' ')}"
    where = "" if report.url is None else f"{report.url} → "
    return done if report.action == "removed" else f"{done}: {plain(where)}127.0.0.1:{report.port}"


def _urls(report: wire.UrlsReport) -> Iterator[str]:
    width = max((len(plain(one.name)) for one in report.urls), default=0)
    for one in report.urls:
        where = one.url or every(report.session)
        yield f"{plain(one.name).ljust(width)}  {plain(where)}"
    if not report.urls:
        yield "No URLs: no task has a host, and there is no alias"


def every(session: str) -> str:
    """Return what stands for all names that a host of `*` answers to."""
    return f"*.{session}.localhost"


def _actions(results: Sequence[wire.ActionReport], ink: Ink) -> Iterator[str]:
    if not results:
        yield "Nothing to do: no task of this project is meant"
    width = max((len(plain(result.task)) for result in results), default=0)
    for result in results:
        bad = not result.ok or result.action in FAILED
        mark = ink("✗", "red") if bad else ink("✓", "green")
        yield f"{mark} {plain(result.task).ljust(width)}  {plain(_outcome(result))}"
        if result.hint is not UNSET and result.hint is not None:
            yield f"  {' ' * width}  hint: {plain(result.hint)}"


def _outcome(result: wire.ActionReport) -> str:
    if result.error is not UNSET:
        return result.error
    match result.action:
        case "already_running" | "already_stopped" | "already_completed":
            return f"{result.action.replace('_', ' ')}{_because(result.reason)}"
        case "stopped" | "killed":
            return result.action + _effort(result)
        case "cleaned":
            return "its log is deleted"
    return f"{result.state}{_because(result.reason)}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _effort(result: wire.ActionReport) -> str:
    """Return what a stop took: ` by SIGTERM in 5.2s`."""
    said = f" by {result.signal}" if isinstance(result.signal, str) else ""
    said += f" in {span(result.ms / 1000)}" if result.ms is not UNSET else ""
    left = result.survivors if result.survivors is not UNSET else []
    return said + (f"; still alive: {', '.join(map(str, left))}" if left else "")


def _daemon(report: wire.DaemonReport) -> Iterator[str]:
    if report.reason == "stopped":
        yield "The daemon is stopped"
        return
    if not report.running:
        yield f"The daemon is not running{_because(plain(report.reason))}"
        return
    owned = f"{_count(report.projects, 'project')}, {_count(report.tasks, 'task')}"
    yield f"The daemon is running (pid {report.pid}, taskmux {plain(report.version)}): {owned}"
    if report.api_port is None:
        yield f"  no WebSocket{_because(plain(report.reason))}"
    else:
        yield f"  ws://127.0.0.1:{report.api_port}"
    if report.listeners:
        yield f"  holds {', '.join(_place(one) for one in report.listeners)}"


def _place(one: wire.ListenerReport) -> str:
    address = f"[{one.address}]" if ":" in one.address else one.address
    return f"{plain(address)}:{one.port}"


def _service(report: reports.ServiceReport, ink: Ink) -> Iterator[str]:
    if not report.dry_run or report.action == "not_installed":
        yield from (f"{ink('✓', 'green')} {plain(file.path)}" for file in report.files)
        yield f"The service is {report.action.replace('_', ' ')}"
        return
    for file in report.files:
        yield ink(f"# {plain(file.path)}", "dim")
        yield from (plain(line) for line in file.content.splitlines())
        yield from [""] if file.content else []
    yield from (f"$ {plain(shlex.join(words))}" for words in report.commands)


def _settings(report: reports.SettingsReport, ink: Ink) -> Iterator[str]:
    yield f"# {plain(report.path)}"
    for key, setting in report.settings.items():
        default = key in report.defaults
        if default and setting in (None, []):
            yield ink(f"# {plain(key)} is not set", "dim")
            continue
        # As JSON, a string, a number, a list of strings is what TOML writes.
        line = f"{plain(key)} = {plain(msgspec.json.encode(setting).decode())}"
        yield ink(f"{line}  # default", "dim") if default else line


def _graph(report: reports.GraphReport) -> Iterator[str]:
    width = max((len(plain(node)) for node in report.nodes), default=0)
    for number, wave in enumerate(report.waves, 1):
        for place, task in enumerate(wave):
            needs = [f"{edge.needs} {edge.condition}" for edge in report.edges if edge.task == task]
            after = f"  ← {plain(', '.join(needs))}" if needs else ""
            yield f"{number if place == 0 else ' ':>2}  {plain(task).ljust(width)}{after}".rstrip()
    if not report.nodes:
        yield 'No tasks yet: taskmux add web "npm run dev -- --port $PORT"'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

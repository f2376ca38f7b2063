"""Reports as pictures for people: lines of `Text`, made for a terminal of a given width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.text import Text

from taskmux import wire

from .columns import Column, fit, lines
from .plain import plain, size, span
from .sentences import every

LOOKS = {
    "running": "green",
    "completed": "green",
    "starting": "cyan",
    "waiting": "cyan",
    "stopping": "yellow",
    "backoff": "yellow",
    "unhealthy": "red",
    "failed": "bold red",
    "stopped": "dim",
}
DOTS = {"stopped": "○", "completed": "✓", "failed": "✗", "waiting": "◌", "starting": "◌"}
WELL = {"running", "completed", "stopped"}
SHORT = 24
"""A reason of at most this width fits into the table; a longer one gets a line of its own."""

OUTDATED = "taskmux.toml or its folder changed: restart it to apply that"
UNREACHED = "not reachable by name"
NONE = "—"
NO_TASKS = 'No tasks yet: taskmux add web "npm run dev -- --port $PORT"'


def status(report: wire.StatusReport, width: int, now: datetime | None = None) -> Iterator[Text]:
    """Draw every task of a project, and what of the surroundings isn't as it should be."""
    up = sum(task.running for task in report.tasks)
    title = Text.assemble((plain(report.session), "bold"), f"  {up} of {len(report.tasks)} running")
    yield title
    if report.tasks:
        yield Text()
        yield from _tasks(report, width, now or datetime.now(UTC))
        yield Text()
    else:
        yield Text(NO_TASKS)
    if report.aliases:
        yield Text("Aliases (external routes):")
        for line in aliases(report.session, report.aliases, width - 2):
            yield Text("  ").append_text(line)
        yield Text()
    yield from _surroundings(report, width)


def health(report: wire.HealthReport, width: int, *, verbose: bool) -> Iterator[Text]:
    """Draw how well each task is; how it was probed and when only if `verbose`."""
    rows = report.tasks
    if not rows:
        yield Text(NO_TASKS)
        return
    table = [
        Column("State", [state(row.state, row.healthy) for row in rows]),
        Column("Task", [Text(plain(row.name)) for row in rows], shortest=12),
    ]
    if verbose:
        table += [
            Column("Probe", [Text(plain(row.method or NONE)) for row in rows], rank=1),
            Column("Asked", [Text(instant(row.at)) for row in rows], rank=2),
        ]
    notes = [row.reason if verbose or row.state not in WELL else "" for row in rows]
    yield from _with_notes(table, notes, width)
    yield Text()
    yield Text(f"{report.healthy_count} of {report.total_count} well")


def aliases(session: str, rows: Sequence[wire.AliasReport], width: int) -> Iterator[Text]:
    """Draw every alias of a project."""
    if not rows:
        yield Text("No aliases yet: taskmux alias add admin 8080")
        return
    urls = [row.url or (every(session) if row.host == "*" else NONE) for row in rows]
    table = [
        Column("Name", [Text(plain(row.name), "bold") for row in rows], shortest=12),
        Column("URL", [Text(plain(url), "cyan") for url in urls], rank=1),
        Column("Target", [Text(plain(row.target)) for row in rows]),
    ]
    tasks = [row.shadowed_by for row in rows]
    notes = ["" if task is None else f"shadowed: task {task} has its host" for task in tasks]
    yield from _with_notes(table, notes, width)


def projects(report: wire.ProjectsReport, width: int) -> Iterator[Text]:
    """Draw every registered project."""
    rows = report.projects
    if not rows:
        yield Text("No projects yet: run `taskmux start` in a folder with a taskmux.toml")
        return
    table = [
        Column("Project", [Text(plain(row.session), "bold") for row in rows], shortest=12),
        Column("State", [Text(row.state, "" if row.state == "ok" else "red") for row in rows]),
        Column("Running", [Text(f"{row.running} of {row.tasks}") for row in rows], rank=1),
        Column("Config", [Text(plain(row.config)) for row in rows], rank=2, shortest=24),
    ]
    yield from _with_notes(table, [row.error or "" for row in rows], width)


def state(word: str, healthy: bool) -> Text:
    """Return a state as a word with a sign before it, in its colour."""
    shown = "healthy" if word == "running" and healthy else word
    look = LOOKS.get(word, "") if healthy or word != "running" else "yellow"
    return Text(f"{DOTS.get(word, '●')} {plain(shown).capitalize()}", look)


def instant(text: str | None) -> str:
    """Return an instant as people read it, in UTC as the logs are: `2024-01-01 14:00:00`."""
    return plain(text or NONE).replace("T", " ").partition(".")[0].rstrip("Z")


def _tasks(report: wire.StatusReport, width: int, now: datetime) -> Iterator[Text]:
    tasks = report.tasks
    notes = [_note(task) for task in tasks]
    short = [len(note) <= SHORT for note in notes]
    brief = [note if fits else "" for note, fits in zip(notes, short, strict=True)]
    table = [
        Column("State", [state(task.state, task.healthy) for task in tasks]),
        Column("Task", [Text(plain(task.name), "bold") for task in tasks], shortest=12),
        Column("URL", [Text(_url(task, report), "cyan") for task in tasks], rank=1),
        Column("Public", [Text(_public(task), "cyan") for task in tasks], rank=3),
        Column("Up", [Text(_uptime(task, now)) for task in tasks], rank=2, right=True),
        Column("Restarts", [_restarts(task) for task in tasks], rank=4, right=True),
        Column("CPU", [Text(_cpu(task)) for task in tasks], rank=5, right=True),
        Column("Memory", [Text(_memory(task)) for task in tasks], rank=6, right=True),
        Column("Command", [Text(plain(task.command), "dim") for task in tasks], 8, 20),
        Column("Note", [Text(plain(note)) for note in brief], rank=7),
    ]
    kept = fit(table, width)
    if any(column.title == "Note" for column in kept):
        notes = ["" if fits else note for note, fits in zip(notes, short, strict=True)]
    yield from _noted(lines(kept), notes, width)


def _with_notes(table: Sequence[Column], notes: Sequence[str], width: int) -> Iterator[Text]:
    yield from _noted(lines(fit(table, width)), notes, width)


def _noted(drawn: Sequence[Text], notes: Sequence[str], width: int) -> Iterator[Text]:
    heading, *rows = drawn
    yield heading
    for row, note in zip(rows, notes, strict=True):
        yield row
        yield from _wrapped(note, width)


def _wrapped(note: str, width: int) -> Iterator[Text]:
    from textwrap import wrap

    for number, line in enumerate(wrap(plain(note), max(width - 4, 20))):
        yield Text(("  └ " if number == 0 else "    ") + line, "dim")


def _note(task: wire.TaskReport) -> str:
    if task.last_health is not None and task.last_health.method == "proxy":
        # Why there is no proxy is said once, below.
        return UNREACHED if task.url is None else task.last_health.reason
    # A task that listens elsewhere than on its port runs, and says so in its reason.
    well = task.healthy and "expected" not in task.reason
    said = "" if well else task.reason
    changed = OUTDATED if task.restart_needed else ""
    manual = "manual" if task.state == "stopped" and not task.auto_start else ""
    return "; ".join(filter(None, (said, manual, changed)))


def _url(task: wire.TaskReport, report: wire.StatusReport) -> str:
    if task.host == "*" and report.proxy.bound:
        return plain(every(report.session))
    # What its life or its output says about a task says nothing about its port.
    health = task.last_health
    asked = health is not None and health.method not in {"alive", "ready_log"}
    reached = task.host is not None or asked
    return plain(task.url or (task.internal_url if task.running and reached else NONE))


def _public(task: wire.TaskReport) -> str:
    return plain((task.tunnel and task.tunnel.public_url) or NONE)


def _uptime(task: wire.TaskReport, now: datetime) -> str:
    if not task.running or task.started_at is None:
        return NONE
    return span(max(0.0, (now - datetime.fromisoformat(task.started_at)).total_seconds()))


def _restarts(task: wire.TaskReport) -> Text:
    return Text(str(task.restarts), "yellow" if task.restarts else "dim")


def _cpu(task: wire.TaskReport) -> str:
    return f"{task.cpu:.0%}" if task.running else NONE


def _memory(task: wire.TaskReport) -> str:
    return size(task.memory) if task.running else NONE


def _warned(warning: str, width: int) -> Iterator[Text]:
    from textwrap import wrap

    for line in wrap(plain(warning[:1].upper() + warning[1:]), max(width, 20)):
        yield Text(line, "yellow")


def _proxy(proxy: wire.ProxyReport) -> str:
    """Return what is to be said of the proxy; nothing if it is where it should be."""
    hint = proxy.hint if isinstance(proxy.hint, str) else ""
    if proxy.bound and not hint:
        return ""
    where = f"proxy on {proxy.port}" if proxy.bound else "no proxy"
    return "; ".join(filter(None, (f"{where}: {proxy.reason}", hint)))


def _surroundings(report: wire.StatusReport, width: int) -> Iterator[Text]:
    if report.state == "config_missing":
        yield Text("taskmux.toml is gone; its tasks stay as they are", "red")
    elif report.error is not None:
        yield Text("taskmux.toml is wrong; the last one that was right counts:", "red")
        yield from _wrapped(report.error, width)
    for warning in report.warnings:
        yield from _warned(warning, width)
    if report.aliases or any(task.host for task in report.tasks):
        yield from _warned(_proxy(report.proxy), width)
    yield Text(f"Auto-restart: active (pid {report.daemon_pid})", "dim")

"""Everything about one task as a picture: why is it as it is?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from taskmux import wire

from .plain import plain, size
from .sentences import event, value
from .tables import instant, state


def portrait(report: wire.InspectReport) -> Iterator[Text]:
    """Draw one task: how it is, what it runs, what it did, what it said."""
    task = report.task
    yield Text.assemble(state(task.state, task.healthy), "  ", (plain(task.name), "bold"))
    yield Text(f"  {plain(task.reason)}")
    yield from _section("Task", _task(task, report))
    yield from _section("Config", _config(report.config))
    yield from _section("Processes", map(_process, report.processes))
    yield from _section("Failed probes", map(_event, report.last_health_failures))
    yield from _section("Events", map(_event, report.last_events))
    yield from _section("Output", (Text(plain(line)) for line in report.last_lines))


def _section(title: str, lines: Iterator[Text]) -> Iterator[Text]:
    drawn = list(lines)
    if drawn:
        yield Text()
        yield Text(title, "bold")
        yield from (Text("  ").append_text(line) for line in drawn)


def _task(task: wire.TaskReport, report: wire.InspectReport) -> Iterator[Text]:
    listening = ", ".join(map(str, report.listening)) or "nothing"
    health = task.last_health
    facts = {
        "command": task.command,
        "cwd": task.cwd,
        "url": task.url,
        "port": f"{task.port}, listening on {listening}",
        "process": task.pid and f"{task.pid}, run {task.run}, since {instant(task.started_at)}",
        "usage": task.pid and f"{task.cpu:.0%} of a core, {size(task.memory)}",
        "probe": health and f"{health.method}: {health.reason} ({instant(health.at)})",
        "last exit": _exit(task),
        "restarts": f"{task.restarts} of {task.max_restarts} ({task.restart_policy})",
        "log": report.log,
    }
    return _facts({key: fact for key, fact in facts.items() if fact})


def _exit(task: wire.TaskReport) -> str | None:
    if task.signal is not None:
        return f"by signal {task.signal}"
    return None if task.exit_code is None else f"with {task.exit_code}"


def _config(config: dict[str, Any]) -> Iterator[Text]:
    hidden = {"name", "command"}
    said = {key: config[key] for key in config if key not in hidden}
    return _facts({key: value(one) for key, one in said.items() if one not in (None, "", [], {})})


def _facts(facts: dict[str, Any]) -> Iterator[Text]:
    width = max(map(len, facts), default=0)
    for key, fact in facts.items():
        yield Text.assemble((f"{plain(key).ljust(width)}  ", "dim"), plain(str(fact)))


def _process(process: wire.ProcessReport) -> Text:
    return Text(f"{process.pid:>7}  {size(process.memory):>7}  {plain(process.command)}")


def _event(facts: dict[str, Any]) -> Text:
    return Text(event(facts))

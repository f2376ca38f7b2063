"""Commands about taskmux.toml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from taskmux import wire
from taskmux.errors import BadRequest

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from taskmux.project import ProjectConfig

    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def add(
    session: Session,
    task: options.NewTask,
    command: options.ShellCommand,
    host: options.Host = None,
    cwd: options.Cwd = None,
    depends_on: options.DependsOn = None,
    health_url: options.HealthUrl = None,
    health_check: options.HealthCheck = None,
    restart: options.Restart = None,
    manual: options.Manual = False,
    oneshot: options.Oneshot = False,
    env: options.Env = None,
) -> Answer:
    """Add a task to taskmux.toml; comments and order of the rest stay."""
    given: dict[str, wire.Field | None] = {
        "cwd": cwd,
        "host": host,
        "type": "oneshot" if oneshot else None,
        "auto_start": False if manual else None,
        "depends_on": tuple(depends_on or ()) or None,
        "health_url": health_url,
        "health_check": health_check,
        "restart_policy": restart,
        "env": _variables(env or ()) or None,
    }
    fields = {key: value for key, value in given.items() if value is not None}
    where = session.where()
    return session.connect().add(wire.Add(**where, task=task, command=command, fields=fields))


def remove(session: Session, task: options.Task) -> Answer:
    """Stop a task and remove it from taskmux.toml."""
    return session.connect().remove(wire.Remove(**session.where(), task=task))


def check(session: Session) -> Answer:
    """Say whether taskmux.toml is right; nothing is started for it."""
    from .reports import CheckReport
    from .sources import read_config

    path = session.config()
    config = read_config(path)
    _check_probes(session, config, path)
    return CheckReport(name=config.name, config=str(path), tasks=list(config.tasks))


def graph(session: Session) -> Answer:
    """Show which task waits for which, in the order they start."""
    from taskmux.graph import waves

    from .reports import Edge, GraphReport
    from .sources import read_config

    config = read_config(session.config())
    needs = {name: task.depends_on for name, task in config.tasks.items()}
    edges = [Edge(task, other, str(needs[task][other])) for task in needs for other in needs[task]]
    return GraphReport(name=config.name, nodes=list(needs), edges=edges, waves=waves(needs))


def _check_probes(session: Session, config: ProjectConfig, path: Path) -> None:
    """Have plugins check the options that are theirs to know; without any, ask none."""
    named = [task for task in config.tasks.values() if task.health_probe is not None]
    if not named:
        return
    from taskmux.plugins import probe_of

    from .plugins import installed

    plugins = installed(session)
    for task in named:
        probe_of(config, task, str(path), plugins)


def _variables(pairs: Iterable[str]) -> dict[str, str]:
    for pair in pairs:
        if not pair.partition("=")[0] or "=" not in pair:
            raise BadRequest(f"--env {pair} has no value", hint="write --env KEY=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)

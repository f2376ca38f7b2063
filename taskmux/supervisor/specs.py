"""From a task's table to what a runner carries out."""

from __future__ import annotations

from pathlib import Path

from taskmux import paths
from taskmux.contracts import HealthProbe
from taskmux.lifecycle import Hook
from taskmux.pattern import Pattern
from taskmux.plugins import Plugins, probe_of
from taskmux.project import ProjectConfig, TaskConfig
from taskmux.runner import Spec
from taskmux.settings import Settings

FALLBACK = "alive"
"""The probe that needs no asking, as an exit is noticed when it happens: it is asked rarely."""


def make_spec(
    config: ProjectConfig, task: TaskConfig, folder: Path, plugins: Plugins, settings: Settings
) -> Spec:
    """Return `task` ready to run; raise if it names a probe that nobody offers."""
    probe = probe_of(config, task, str(folder / paths.CONFIG_NAME), plugins)
    limits = (task.hook_timeout, config.hook_timeout, settings.hook_timeout)
    return Spec(
        facts=task.facts,
        policy=config.policy(task),
        command=task.command,
        cwd=folder_of(task, folder),
        probe=probe,
        health_interval=_interval(task, probe, settings),
        ready_log=None if task.ready_log is None else Pattern(task.ready_log),
        hooks={hook: commands for hook in Hook if (commands := _commands(config, task, hook))},
        hook_timeout=next(limit for limit in limits if limit is not None),
    )


def folder_of(task: TaskConfig, folder: Path) -> Path:
    """Return where `task` runs; `folder` holds the taskmux.toml."""
    return folder if task.cwd is None else folder / Path(task.cwd).expanduser()


def log_of(task: TaskConfig, folder: Path, home: Path, session: str) -> Path:
    """Return where the output of `task` goes."""
    if task.log_file is None:
        return paths.log(home, session, task.name)
    return paths.log_file(folder, task.log_file)


def _interval(task: TaskConfig, probe: HealthProbe, settings: Settings) -> float:
    if probe.name == FALLBACK:
        return max(task.health_interval, settings.health_check_interval)
    return task.health_interval


def _commands(config: ProjectConfig, task: TaskConfig, hook: Hook) -> tuple[str, ...]:
    # The project's hook comes first on the way in and last on the way out.
    both = [config.hooks.get(hook), task.hooks.get(hook)]
    if hook in {Hook.AFTER_START, Hook.AFTER_STOP}:
        both.reverse()
    return tuple(command for command in both if command is not None)

"""The probe that a task's table means, or what is wrong with the table."""

from __future__ import annotations

from taskmux.contracts import HealthProbe
from taskmux.errors import InvalidValue
from taskmux.project import ProjectConfig, TaskConfig
from taskmux.toml import line_of

from .registry import Plugins


def probe_of(config: ProjectConfig, task: TaskConfig, path: str, plugins: Plugins) -> HealthProbe:
    """Return what asks after `task`, whose table is in the file at `path`.

    Raises `InvalidValue` for options the probe can't mean, `NobodyOffers` and `PluginFailed`.
    """
    try:
        return plugins.probe_for(task.facts)
    except ValueError as error:
        keys = ("tasks", task.name, "health_options")
        line = line_of(config.text, keys)
        raise InvalidValue(path, ".".join(keys), line, str(error)) from None

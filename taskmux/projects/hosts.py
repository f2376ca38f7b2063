"""Which hosts a project has, and whose each is."""

from __future__ import annotations

from taskmux.routes import Holder, shared_out

from .project import Project


def task_hosts(project: Project) -> dict[str, str]:
    """Return which task has each host; none while taskmux.toml could never be read."""
    crew = None if project.supervisor is None else project.supervisor.crew
    tasks = () if crew is None else crew.config.tasks.values()
    return {task.host: task.name for task in tasks if task.host is not None}


def holders(project: Project) -> dict[str, Holder]:
    """Return who has each host of a project."""
    aliases = {alias.host: name for name, alias in project.aliases.known.items()}
    return shared_out(task_hosts(project), aliases)

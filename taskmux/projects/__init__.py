"""Every registered project: its taskmux.toml watched, its tasks in a supervisor."""

from __future__ import annotations

from .carried import CarriedProjects
from .hosts import holders, task_hosts
from .project import Project, read_config
from .projects import Projects

__all__ = [
    "CarriedProjects", "Project", "Projects", "holders", "read_config", "task_hosts",
]  # fmt: skip

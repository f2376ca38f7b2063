"""The taskmux.toml of a project: what it says, how it is read, how it is edited."""

from __future__ import annotations

from .model import Condition, ProjectConfig, TaskConfig

__all__ = ["Condition", "ProjectConfig", "TaskConfig"]

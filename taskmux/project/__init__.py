"""The taskmux.toml of a project: what it says, how it is read, how it is edited.

`edit` is not imported here: only who edits a file pays for what that needs.
"""

from __future__ import annotations

from .model import Condition, ProjectConfig, TaskConfig
from .names import env_name
from .parse import parse
from .resolved import resolved

__all__ = ["Condition", "ProjectConfig", "TaskConfig", "env_name", "parse", "resolved"]

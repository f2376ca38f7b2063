"""What a taskmux.toml says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskmux.contracts import TaskFacts
from taskmux.lifecycle import Hook, Policy, Restart


class Condition(StrEnum):
    """What a task waits for in one it depends on."""

    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """One `[tasks.NAME]` table. Times are in seconds, sizes in bytes."""

    name: str
    command: str
    auto_start: bool = True
    cwd: str | None = None
    """As written: relative to the project's folder, or absolute."""

    env: Mapping[str, str] = field(default_factory=dict)
    oneshot: bool = False
    host: str | None = None
    """A DNS label, `@` for the project's own name, `*` for every other; None without URL."""

    host_path: str = "/"
    health_url: str | None = None
    health_check: str | None = None
    health_expected_status: int = 200
    health_expected_body: str | None = None
    health_probe: str | None = None
    health_options: Mapping[str, Any] = field(default_factory=dict)
    health_interval: float = 10.0
    health_timeout: float = 5.0
    health_retries: int = 3
    ready_log: str | None = None
    stop_grace_period: float = 5.0
    restart_policy: Restart = Restart.ON_FAILURE
    max_restarts: int = 5
    restart_backoff: float = 2.0
    log_file: str | None = None
    log_max_size: int = 10_000_000
    log_max_files: int = 3
    depends_on: Mapping[str, Condition] = field(default_factory=dict)
    tunnel: str | None = None
    public_hostname: str | None = None
    hooks: Mapping[Hook, str] = field(default_factory=dict)
    hook_timeout: float | None = None
    """None leaves it to the project, then to the host config, then to 60 s."""

    @property
    def facts(self) -> TaskFacts:
        """What a health probe may know of this table."""
        return TaskFacts(
            name=self.name,
            host=self.host,
            health_url=self.health_url,
            health_check=self.health_check,
            health_expected_status=self.health_expected_status,
            health_expected_body=self.health_expected_body,
            health_probe=self.health_probe,
            health_options=self.health_options,
            health_timeout=self.health_timeout,
        )


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """A whole taskmux.toml. `tasks` keeps the order of the file."""

    name: str = "taskmux"
    tasks: Mapping[str, TaskConfig] = field(default_factory=dict)
    auto_start: bool = True
    auto_daemon: bool = False
    auto_inject_agents: bool | None = None
    """None leaves it to the host config."""

    hooks: Mapping[Hook, str] = field(default_factory=dict)
    hook_timeout: float | None = None
    tunnel: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per backend, what the project overrides of the host config; the backend's to check."""

    text: str = field(default="", compare=False, repr=False)
    """What all this was read from."""

    def policy(self, task: TaskConfig) -> Policy:
        """Return what `lifecycle` needs to know of `task`."""
        return Policy(
            depends_on=tuple(task.depends_on),
            oneshot=task.oneshot,
            restart=task.restart_policy,
            max_restarts=task.max_restarts,
            backoff=task.restart_backoff,
            health_retries=task.health_retries,
            grace=task.stop_grace_period,
            hooks=frozenset(self.hooks) | frozenset(task.hooks),
        )

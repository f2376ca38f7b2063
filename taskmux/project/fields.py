"""What each key of a taskmux.toml may hold, by table."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any

from taskmux.lifecycle import Restart
from taskmux.toml.numbers import duration, number, size, whole
from taskmux.toml.tables import each, free_table, table
from taskmux.toml.words import boolean, choice, hostname, label, offer
from taskmux.toml.wrong import Reader, Wrong, shown

from .names import task_name
from .readers import (
    command,
    depends_on,
    env,
    hooks,
    host,
    host_path,
    path,
    pattern,
    project_tunnel,
    url,
)

SHORTEST = 0.05
"""No interval or limit is shorter: nothing would be left of it but work."""
MANY = 1_000_000


class Type(StrEnum):
    """What kind of task it is; without one it is meant to go on."""

    ONESHOT = "oneshot"


def _task(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        raise Wrong("it must be a table, not a string", f"write {{ command = {shown(value)} }}")
    return table(TASK, required="command")(value)


TASK: dict[str, Reader[Any]] = {
    "command": command,
    "type": choice(Type),
    "auto_start": boolean,
    "cwd": path,
    "env": env,
    "host": host,
    "host_path": host_path,
    "health_url": url,
    "health_check": command,
    "health_expected_status": whole(100, 599),
    "health_expected_body": pattern,
    "health_probe": offer,
    "health_options": free_table,
    "health_interval": duration(SHORTEST),
    "health_timeout": duration(SHORTEST),
    "health_retries": whole(1, MANY),
    "ready_log": pattern,
    "stop_grace_period": duration(0),
    "restart_policy": choice(Restart),
    "max_restarts": whole(0, MANY),
    "restart_backoff": number(0, math.inf),
    "log_file": path,
    "log_max_size": size(1000, 10**12),
    "log_max_files": whole(0, 1000),
    "depends_on": depends_on,
    "tunnel": offer,
    "public_hostname": hostname,
    "hooks": hooks,
    "hook_timeout": duration(SHORTEST),
}

PROJECT: dict[str, Reader[Any]] = {
    "name": label,
    "auto_start": boolean,
    "auto_daemon": boolean,
    "auto_inject_agents": boolean,
    "hooks": hooks,
    "hook_timeout": duration(SHORTEST),
    "tunnel": each(project_tunnel, offer),
    "tasks": each(_task, task_name),
}

"""The environment a task is given, as a pure function of who started it and what stands around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from taskmux.project import env_name

if TYPE_CHECKING:
    from pathlib import Path

OURS = "TASKMUX_"

TERMINAL = {"TERM": "xterm-256color"}

NODE = "NODE_EXTRA_CA_CERTS"
"""Other programs have variables that put a file in the place of all they trust; this one adds."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """One task of the project as the others see it."""

    port: int
    url: str


@lru_cache(maxsize=4096)
def sibling_at(port: int, url: str | None = None) -> Sibling:
    """Return the task that listens on `port` of this machine, and may be found at a `url`."""
    return Sibling(port, url or f"http://127.0.0.1:{port}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose process it is."""

    home: str
    project: str
    session: str
    task: str
    run: int
    run_id: str


def task_environ(
    caller: Mapping[str, str],
    own: Mapping[str, str],
    who: Identity,
    siblings: Mapping[str, Sibling],
    root: Path | None = None,
) -> dict[str, str]:
    """Return the caller's environment with the task's own `env`, then `PORT` and ours, over it.

    What an outer task left in the caller's environment under our names is
    dropped, as are the sizes of a terminal that is not this one. Node.js is told of
    the certificate `root`, unless the caller or the task tells it of another.
    """
    kept = {name: value for name, value in caller.items() if not name.startswith(OURS)}
    for stale in ("COLUMNS", "LINES"):
        kept.pop(stale, None)
    me = siblings[who.task]
    ours = {
        "PORT": str(me.port),
        "TASKMUX_HOME": who.home,
        "TASKMUX_PROJECT": who.project,
        "TASKMUX_SESSION": who.session,
        "TASKMUX_TASK": who.task,
        "TASKMUX_RUN": str(who.run),
        "TASKMUX_RUN_ID": who.run_id,
        "TASKMUX_URL": me.url,
    }
    for name, sibling in siblings.items():
        url, port = _variables(name)
        ours[url], ours[port] = sibling.url, str(sibling.port)
    trusted = {} if root is None else {NODE: str(root)}
    return trusted | kept | TERMINAL | dict(own) | ours


@lru_cache(maxsize=4096)  # each of a hundred tasks is told of all hundred
def _variables(task: str) -> tuple[str, str]:
    name = env_name(task)
    return f"{OURS}URL_{name}", f"{OURS}PORT_{name}"

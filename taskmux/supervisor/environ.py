"""The environment a task is given, as a pure function of who started it and what stands around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskmux.project import env_name

OURS = "TASKMUX_"

TERMINAL = {"TERM": "xterm-256color"}


@dataclass(frozen=True, slots=True)
class Sibling:
    """One task of the project as the others see it."""

    port: int
    url: str


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
) -> dict[str, str]:
    """Return the caller's environment with the task's own `env`, then `PORT` and ours, over it.

    What an outer task left in the caller's environment under our names is
    dropped, as are the sizes of a terminal that is not this one.
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
        ours[f"TASKMUX_URL_{env_name(name)}"] = sibling.url
        ours[f"TASKMUX_PORT_{env_name(name)}"] = str(sibling.port)
    return kept | TERMINAL | dict(own) | ours

"""What to say of a name where nobody answers, from the facts of the matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any
from urllib.parse import urlsplit

from taskmux.errors import TaskmuxError
from taskmux.lifecycle import State
from taskmux.probes.elsewhere import places
from taskmux.proxy.directory import Absence, Step, Target
from taskmux.routes import place


@dataclass(frozen=True, slots=True)
class Plight:
    """How a task is that did not answer."""

    state: State
    reason: str
    up: bool
    """Whether it has a process."""

    exit_status: int | None = None
    """How its newest process ended; negative for a signal."""

    run: int = 0
    waits_for: Sequence[str] = ()
    """Dependencies that are not as it needs them yet."""

    lines: Sequence[str] = ()
    """The last it printed."""


def unknown(
    host: str, urls: Sequence[str], project: str | None, trouble: TaskmuxError | None = None
) -> Absence:
    """Return what to say of a name that no task has; `urls` are those that some have.

    `project` is the one whose name it would be, if there is such a one; `trouble` what is
    wrong with its taskmux.toml.
    """
    names = {str(urlsplit(url).hostname): url for url in urls}
    close = get_close_matches(host, names, n=1)
    nearest = names[close[0]] if close else None
    if trouble is not None:
        hint: str | None = f"the newest taskmux.toml of {project} is not in force: {trouble}"
    elif nearest is not None:
        hint = f"did you mean {nearest}?"
    else:
        hint = _way_in(host, project)
    urls = sorted(urls, key=lambda url: _distance(host, url, project))
    facts = {"host": host, "session": project, "nearest": nearest, "urls": urls}
    return Absence(404, "unknown_host", f"no task has the name {host}", hint, facts)


def broken(session: str, trouble: TaskmuxError | None) -> Absence:
    """Return what to say of a project whose taskmux.toml could not be read even once."""
    if trouble is None:
        return Absence(503, "project_down", f"{session} is only being opened", retry=True)
    facts = {**trouble.facts, "session": session, "reason": str(trouble), "cause": trouble.code}
    return Absence(
        503,
        "project_down",
        f"{session}: {trouble}",
        trouble.hint,
        facts,
        steps=(Step("Check it", f"taskmux check --project {session}"),),
        retry=True,
        public=f"{session} cannot be used",
    )


def down(target: Target, plight: Plight, why: str) -> Absence:
    """Return what to say of a task; `why` is what came of asking it."""
    name, state = target.name, str(plight.state)
    elsewhere = places(plight.reason)
    facts = _facts(target, plight, elsewhere)
    public = f"{name} is {state}"
    said = f"{public}: {plight.reason}"
    hint = None
    if plight.up:
        public = f"{public}, and does not answer on port {target.port}"
        said = f"{public}: {why}"
        if elsewhere:
            said = f"{public}: it listens on {', '.join(map(str, elsewhere))}"
            hint = f"have its command listen on `$PORT`, which is {target.port}"
    steps = tuple(_steps(name, target.session, plight))
    return Absence(503, "task_down", said, hint, facts, None, True, steps, public)


def nobody(target: Target, why: str) -> Absence:
    """Return what to say of an alias where nobody listens; `why` is what came of asking."""
    name, session = target.name, target.session
    facts = {"session": session, "alias": name, "state": "alias", "reason": why}
    public = f"{name} does not answer on port {target.port}"
    return Absence(
        503,
        "alias_down",
        f"the alias {name} leads to port {target.port}: {why}",
        f"start what listens on port {target.port}: it is no task's",
        {**facts, "port": target.port},
        steps=(Step("Forget the alias", f"taskmux alias remove {name} --project {session}"),),
        retry=True,
        public=public,
    )


def _facts(target: Target, plight: Plight, elsewhere: Sequence[int]) -> Mapping[str, Any]:
    status = None if plight.up else plight.exit_status
    return {
        "session": target.session,
        "task": target.name,
        "state": str(plight.state),
        "reason": plight.reason,
        "port": target.port,
        "listening": list(elsewhere),
        "run": plight.run,
        "exit_code": status if status is not None and status >= 0 else None,
        "signal": -status if status is not None and status < 0 else None,
        "waits_for": list(plight.waits_for),
        "lines": list(plight.lines),
    }


def _steps(name: str, session: str, plight: Plight) -> Sequence[Step]:
    def run(command: str, task: str = name) -> str:
        return f"taskmux {command} {task} --project {session}"

    read = Step("Read what it printed", run("logs"))
    start = Step("Start it", run("start"))
    match plight.state:
        case State.WAITING:
            others = plight.waits_for
            return [Step(f"See how {other} is", run("inspect", other)) for other in others[:3]]
        case State.STARTING if not places(plight.reason):
            return [Step("Watch it start", run("logs -f"))]
        case State.STARTING | State.RUNNING | State.UNHEALTHY:
            look = Step("See where it listens", run("inspect"))
            return [look, Step("Restart it", run("restart"))]
        case State.BACKOFF:
            return [read, Step("Start it without waiting", run("restart"))]
        case State.FAILED:
            return [read, start]
        case State.STOPPED | State.STOPPING | State.COMPLETED:
            return [start]


def _way_in(host: str, project: str | None) -> str:
    found = place(host)
    if found is None:
        return "names of tasks end in .localhost, with a project's name before that"
    if project is None:
        return f"there is no project {found[1]} here: run `taskmux start` in its folder"
    return f'give a task of {project} `host = "{found[0] or "@"}"` in its taskmux.toml'


def _distance(host: str, url: str, project: str | None) -> tuple[bool, float, str]:
    """Return how far a URL is from a name: those of its project go before those of others."""
    name = str(urlsplit(url).hostname)
    found = place(name)
    ours = project is not None and found is not None and found[1] == project
    return not ours, -SequenceMatcher(None, host, name).ratio(), url

"""Commands that change what runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
from msgspec import UNSET, structs

from taskmux import wire
from taskmux.errors import BadRequest, LogsLeft, Overtaken, TimedOut
from taskmux.lifecycle import RESTING, State
from taskmux.logs import OURS, Window, read
from taskmux.pattern import Pattern, requested
from taskmux.supervisor import OVERTAKEN, Supervisor, done, failure, settled
from taskmux.threads import in_thread

from .house import House

Answer = wire.ActionReport | wire.ActionsReport

PAGE = 64 * 1024
"""Bytes of output that are looked at together."""

_WISHES = {"ready": "readiness", "exit": "exit", "completed": "completion"}
"""What can be waited for, beside a line of output, and what it is called."""


async def start(house: House, request: wire.StartTasks) -> Answer:
    """Start tasks and what they need."""
    supervisor = (await house.project(request)).opened()
    results = await supervisor.start(
        request.names,
        request.environ,
        if_stopped=request.if_stopped,
        wait=request.wait,
        limit=request.timeout,
        begun=request.begun,
    )
    return _answer(supervisor, request, results)


async def stop(house: House, request: wire.StopTasks) -> Answer:
    """Stop tasks, dependents first."""
    supervisor = (await house.project(request)).opened()
    return _answer(supervisor, request, await supervisor.stop(request.names))


async def kill(house: House, request: wire.Kill) -> Answer:
    """End tasks without asking them first."""
    supervisor = (await house.project(request)).opened()
    return _answer(supervisor, request, await supervisor.stop(request.names, kill=True))


async def restart(house: House, request: wire.RestartTasks) -> Answer:
    """Stop tasks and start them afresh."""
    supervisor = (await house.project(request)).opened()
    results = await supervisor.restart(
        request.names,
        request.environ,
        wait=request.wait,
        limit=request.timeout,
        begun=request.begun,
    )
    return _answer(supervisor, request, results)


async def clean_logs(house: House, request: wire.CleanLogs) -> Answer:
    """Delete log files; what runs writes on into new ones."""
    supervisor = (await house.project(request)).opened()
    names = supervisor.crew.known(request.names or supervisor.crew)
    results = []
    for name in names:
        report = done(name, supervisor.crew[name].runner, "cleaned")
        if left := supervisor.crew[name].runner.log.clean():
            error = LogsLeft(name, [str(place) for place in left])
            if len(request.names) == 1:
                raise error
            facts = {"error": str(error), "error_code": error.code, "hint": error.hint}
            report = structs.replace(report, ok=False, action="failed", **facts)
        results.append(report)
    return _answer(supervisor, request, results)


async def wait(house: House, request: wire.Wait) -> wire.WaitReport:
    """Return once what is waited for has happened, or cannot any more."""
    supervisor = (await house.project(request)).opened()
    names = supervisor.crew.known(request.names or supervisor.crew)
    reached = dict.fromkeys(names, False)
    pattern = _pattern(request.until)

    async def one(name: str) -> None:
        reached[name] = await _happened(supervisor, name, request.until, pattern)

    try:
        with anyio.fail_after(request.timeout):
            async with anyio.create_task_group() as group:
                for name in names:
                    group.start_soon(one, name)
    except TimeoutError:
        tasks = {name: supervisor.crew[name].task for name in names if not reached[name]}
        states = {name: f"{task.state} ({task.reason})" for name, task in tasks.items()}
        what = f"{_WISHES.get(request.until, 'matching line')} of {', '.join(states)}"
        raise TimedOut(what, request.timeout or 0, states) from None
    return wire.WaitReport(
        ok=all(reached.values()),
        session=supervisor.session,
        until=request.until,
        results=[
            done(name, supervisor.crew[name].runner, "reached" if reached[name] else "missed")
            for name in names
        ],
    )


def _pattern(until: str) -> Pattern | None:
    """Return what a line has to match; None where no line is waited for."""
    if until in _WISHES:
        return None
    if not until.startswith("log:"):
        hint = "wait for ready, exit, completed or log:REGEX"
        raise BadRequest(f"cannot wait for {until!r}", hint=hint)
    return requested(until.removeprefix("log:"))


async def _happened(supervisor: Supervisor, name: str, until: str, pattern: Pattern | None) -> bool:
    if pattern is not None:
        return await _printed(supervisor, name, until.removeprefix("log:"), pattern)
    runner = supervisor.crew[name].runner
    match until:
        case "ready":
            ready = partial(settled, oneshot=runner.spec.policy.oneshot)
            task = await runner.wait_until(ready)
            return task.state in {State.RUNNING, State.COMPLETED}
        case "exit":
            await runner.wait_until(lambda task: task.state in RESTING | {State.BACKOFF})
            return True
        case _:
            task = await runner.wait_until(lambda task: task.state in RESTING)
            return task.state is State.COMPLETED


async def _printed(supervisor: Supervisor, name: str, regex: str, pattern: Pattern) -> bool:
    member, found = supervisor.crew[name], anyio.Event()

    def look(stamp: bytes, line: bytes) -> None:
        if not line.startswith(OURS) and pattern.found_in(line):
            found.set()

    # Listening first: what is printed while the file is read is not missed.
    forget = member.runner.log.tap(look)
    try:
        search = partial(_found_in, member.runner.log.path, regex)
        if not member.run or not await in_thread(search):
            await found.wait()
        return True
    finally:
        forget()


def _found_in(log: Path, regex: str) -> bool:
    """Return whether the newest run has printed a line that matches."""
    window, more = Window(grep=regex, run=0), True
    while more:
        page = read({"log": log}, window, limit=PAGE)
        if any(not line.text.startswith(OURS) for line in page.lines):
            return True
        window, more = replace(window, after=page.next), page.more
    return False


def _answer(
    supervisor: Supervisor,
    request: wire.StartTasks | wire.StopTasks | wire.RestartTasks | wire.Kill | wire.CleanLogs,
    results: list[wire.ActionReport],
) -> Answer:
    supervisor.remember()
    if len(request.names) != 1:
        ok = all(result.ok for result in results)
        return wire.ActionsReport(ok=ok, session=supervisor.session, results=results)
    [result] = results
    if result.action == OVERTAKEN:
        raise Overtaken(result.task, result.state, result.reason)
    if result.error_code is not UNSET:
        raise failure(result.task, supervisor.crew[result.task].runner)
    return result

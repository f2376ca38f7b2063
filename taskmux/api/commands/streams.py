"""Subscriptions: events and output, pushed as they happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Any

from taskmux import paths, wire
from taskmux.bus import history
from taskmux.logs import clean, rfc3339_of
from taskmux.mailbox import Mailbox

from .house import House


@asynccontextmanager
async def open_stream(house: House, request: wire.Subscribe) -> AsyncIterator[Mailbox]:
    """Yield a mailbox that gets what `request` wants, until the context is left."""
    session = request.session
    if session is not None or request.config is not None:
        session = (await house.projects.resolve(session, request.config)).session
    mailbox = Mailbox()
    with ExitStack() as stack:
        wanted = history.Wanted(session=session, kinds=request.events)
        stack.callback(house.services.bus.listen(partial(_event, mailbox, wanted)))
        if request.after is not None:
            _replay(house, mailbox, session, request)
        if request.logs:
            for forget in _taps(house, mailbox, session, request.logs):
                stack.callback(forget)
        stack.callback(mailbox.close)
        yield mailbox


def _event(mailbox: Mailbox, wanted: history.Wanted, event: dict[str, Any]) -> None:
    if wanted.takes(event):
        mailbox.put_nowait({"push": "event", **event})


def _replay(house: House, mailbox: Mailbox, session: str | None, request: wire.Subscribe) -> None:
    # In one go with the listening: no event can come between the two.
    wanted = history.Wanted(session=session, kinds=request.events, after=request.after or 0)
    for event in history.read(paths.events(house.services.home), wanted):
        mailbox.put_nowait({"push": "event", **event})


def _taps(
    house: House, mailbox: Mailbox, session: str | None, names: tuple[str, ...]
) -> list[Callable[[], None]]:
    project = house.projects.find(session) if session is not None else house.projects.only()
    crew = project.opened().crew
    chosen = tuple(crew) if "*" in names else names

    def push(task: str, stamp: bytes, line: bytes) -> None:
        ts, text = rfc3339_of(stamp), clean(line)
        head = {"push": "log", "session": project.session, "task": task}
        mailbox.put_nowait({**head, "ts": ts, "text": text})

    return [crew[name].runner.log.tap(partial(push, name)) for name in chosen]

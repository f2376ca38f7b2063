"""Subscriptions: events and output, pushed as they happen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from taskmux import paths, wire
from taskmux.bus import Pages
from taskmux.bus.history import Wanted
from taskmux.mailbox import Bulk, Mailbox, Push
from taskmux.threads import in_thread_or_here

from .house import House


@asynccontextmanager
async def open_stream(
    house: House, request: wire.Subscribe
) -> AsyncIterator[AsyncIterable[Push | Bulk]]:
    """Yield what `request` wants, as fast as it is read, until the context is left."""
    session = request.session
    if session is not None or request.config is not None:
        session = (await house.projects.resolve(session, request.config)).session
    wanted = Wanted(session=session, kinds=request.events, after=request.after or 0)
    mailbox = Mailbox[Push | Bulk]()
    with ExitStack() as stack:
        if request.logs:
            for forget in _taps(house, mailbox, session, request.logs):
                stack.callback(forget)
        if request.after is None:
            stack.callback(_listen(house, mailbox, wanted))
            async with aclosing(house.turns.pace(mailbox)) as pushes:
                yield pushes
        else:
            replayed = _replayed(house, mailbox, wanted)
            async with aclosing(replayed), aclosing(house.turns.pace(replayed)) as pushes:
                yield pushes


async def _replayed(
    house: House, mailbox: Mailbox[Push | Bulk], wanted: Wanted
) -> AsyncGenerator[Push | Bulk, None]:
    """Yield the events after `wanted.after`, a page at a time, then all that comes to `mailbox`.

    The history keeps what happens while the reader is not there yet; the mailbox
    gets events only from then on.
    """
    bus = house.services.bus
    with ExitStack() as stack:
        with Pages(paths.events(house.services.home), wanted) as pages:
            while (rest := bus.since(pages.seq)) is None:
                newest = bus.seq
                page = await in_thread_or_here(pages.next)
                if page.last:  # what could not be written down is not waited for
                    pages.seq = max(pages.seq, newest)
                if page.lost:
                    yield {"push": "lost", "count": page.lost}
                for event in page.events:
                    yield {"push": "event", **event}
                while (push := mailbox.take_nowait()) is not None:  # output, meanwhile
                    yield push
        # In one go with the listening: no event can come between the two.
        stack.callback(_listen(house, mailbox, replace(wanted, after=0)))
        for event in filter(wanted.takes, rest):
            yield {"push": "event", **event}
        async for push in mailbox:
            yield push


def _listen(house: House, mailbox: Mailbox[Push | Bulk], wanted: Wanted) -> Callable[[], None]:
    def put(event: dict[str, Any]) -> None:
        if wanted.takes(event):
            mailbox.put_nowait({"push": "event", **event})

    return house.services.bus.listen(put)


def _taps(
    house: House, mailbox: Mailbox[Push | Bulk], session: str | None, names: tuple[str, ...]
) -> list[Callable[[], None]]:
    project = house.projects.find(session) if session is not None else house.projects.only()
    crew = project.opened().crew
    # All at once: nothing may be followed already when one of them is refused.
    chosen = crew.known(crew if "*" in names else names)
    follow = partial(house.broadcasts.follow, session=project.session, reader=mailbox)
    return [follow(crew[name].runner.log, task=name) for name in chosen]

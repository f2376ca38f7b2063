"""The end of the proxy that browsers see: connections that speak HTTP/2.

A connection carries many streams. Streams say when they have something to send, and are put in a
ring; once in each turn of the loop every one of the ring sends at most a frame, round after round
until nothing more is taken. What came of it is written at once.
"""

from __future__ import annotations

import logging
from collections import deque
from time import monotonic

from h2.errors import ErrorCodes
from h2.events import (
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)

from .admission import admit
from .caller import Caller
from .deadline import IDLE, LINGER, LULL
from .directory import Absence, Target
from .exchange import Exchange
from .frames import Piece
from .hub import Hub
from .requests import Request
from .stream import Stream
from .wire import Broken, Wire

OPENING = 10.0
"""Seconds in which a client has to say how it speaks."""

BATCH = 262_144
"""Bytes that are put together before they are written."""

MOST_UNREAD = 1_048_576
"""Bytes that wait for a client who asks, and does not read."""

log = logging.getLogger("taskmux.proxy")


class Multiplex(Caller):
    """One connection, and its streams."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._wire = Wire()
        self._streams: dict[int, Stream] = {}
        self._ring: deque[Stream] = deque()
        self._scheduled = False
        self._opening = True
        """Whether the client did not say yet how it speaks."""

    @property
    def busy(self) -> bool:
        """Whether anything is asked for."""
        return bool(self._streams)

    def greet(self) -> None:
        """Say how we speak."""
        self._deadline.set(OPENING)
        self._write()

    def received(self, data: bytes) -> None:
        """Read frames."""
        if self._over:
            return
        try:
            events = self._wire.received(data, self.now())
        except Broken:
            self._break()
            return
        self._take(events)
        self._write()
        if self._unsent() > MOST_UNREAD:
            self._break()
        elif self._wire.leaving and not self._streams:
            self.close()

    def _take(self, events: list[Event | Piece]) -> None:
        # Who opens a stream and resets it at once asks for nothing.
        gone = {event.stream_id for event in events if isinstance(event, StreamReset)}
        touched: dict[int, Stream] = {}
        for event in events:
            match event:
                case Piece() | TrailersReceived():
                    self._feed(event, touched)
                case RequestReceived(stream_id=number) if number not in gone:
                    self._begin(event)
                case StreamReset(stream_id=number):
                    self._reset(number)
                case WindowUpdated() | RemoteSettingsChanged():
                    self._opened(event)
        for stream in touched.values():
            stream.pass_on()

    def _begin(self, event: RequestReceived) -> None:
        number = event.stream_id
        if self._wire.dismissed(number):
            self._wire.reset(number, ErrorCodes.REFUSED_STREAM)
            return
        stream = self._streams[number] = Stream(self, number)
        stream.begin(event.headers, ended=event.stream_ended is not None)

    def _feed(self, event: Piece | TrailersReceived, touched: dict[int, Stream]) -> None:
        number = event.stream if isinstance(event, Piece) else event.stream_id
        stream = self._streams.get(number)
        if stream is not None:
            touched[number] = stream
            if isinstance(event, Piece):
                stream.received(event.data, event.size)
            else:
                stream.ended(event.headers)
        elif isinstance(event, Piece):
            self._wire.taken(event.size)

    def _reset(self, number: int) -> None:
        if (stream := self._streams.get(number)) is not None:
            self.over(stream)
            stream.forget()

    def _opened(self, event: WindowUpdated | RemoteSettingsChanged) -> None:
        """Give those their turn for whom there is room now."""
        if isinstance(event, WindowUpdated) and event.stream_id:
            found = [self._streams.get(event.stream_id)]
        else:
            found = [*self._streams.values()]
        for stream in found:
            if stream is not None and stream.stuck:
                self.ready(stream)
        if self._opening:
            self._opening = False
            self._deadline.set(IDLE)

    # A carrier: what streams need.

    def ready(self, stream: Stream) -> None:
        """Give a stream its turn."""
        if not stream.waiting:
            stream.waiting = True
            self._ring.append(stream)
        self._schedule()

    def taken(self, number: int, size: int, wider: int) -> None:
        """Have the client send more."""
        if not self._over:
            self._wire.taken(size)
            if wider:
                self._wire.wider(number, wider)
                self._schedule()

    def over(self, stream: Stream) -> None:
        """Forget a stream."""
        self._streams.pop(stream.number, None)
        if not self._streams:
            self._since = monotonic()
            self._deadline.set(IDLE)

    def find(self, request: Request) -> Target | Absence:
        """Return who is to be asked."""
        return admit(request, self._named, self._hub.directory)

    def absent(self, target: Target, why: str) -> Absence:
        """Return what to say where nobody answered."""
        return self._hub.directory.absent(target, why)

    def ask(self, request: Request, stream: Stream) -> Exchange:
        """Return the way to a task, on behalf of a stream."""
        return Exchange(request, self.visitor, stream, self._hub.lines)

    def now(self) -> float:
        """Return the time, on the loop's clock."""
        return self._loop.time()

    # Writing.

    def _schedule(self) -> None:
        if not self._scheduled and not self.clogged:
            self._scheduled = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        if self._over or self.transport is None:
            return
        try:
            self._turn()
        except Exception:  # nobody else would hear of it, nor the client of what it waits for
            log.exception("a connection is broken off: an answer could not be sent")
            self.abort()

    def _turn(self) -> None:
        while self._ring and not self.clogged and self._wire.waiting < BATCH:
            stream = self._ring.popleft()
            stream.waiting = False
            if self._streams.get(stream.number) is stream and stream.turn(self._wire):
                stream.waiting = True
                self._ring.append(stream)
        self._write()
        if self._wire.leaving and not self._streams:
            self.close()
        elif self._ring:
            self._schedule()

    def _write(self) -> None:
        if data := self._wire.output():
            self.write(data)

    def drained(self) -> None:
        """Let the streams send, which waited since it was full."""
        self._schedule()

    # Its end.

    def _break(self) -> None:
        """End it, and say why, to whoever still reads."""
        self.forget()
        self._write()
        self.depart(LINGER)

    def dismiss(self) -> None:
        """Take no other request, and go when those that came are answered.

        A client is told which came, and asks for the others over a new connection.
        """
        self._wire.dismiss()
        self._write()
        if not self._streams:
            self._deadline.bring_forward(LULL)

    def close(self) -> None:
        """Say that it is the end, and close."""
        if not self._over:
            self.forget()
            self._wire.leave()
            self._write()
            self.depart()

    def abort(self) -> None:
        """Break it off, and all that was asked."""
        self._over = True
        self.forget()
        super().abort()

    def forget(self) -> None:
        """Give up all streams."""
        for stream in list(self._streams.values()):
            stream.forget()
        self._streams.clear()
        self._ring.clear()

    def late(self) -> None:
        """Give up the streams of which nothing is taken; without any, it is the end."""
        if self._streams:
            for stream in list(self._streams.values()):
                stream.late(self.now())
            self._deadline.set(IDLE)
        else:
            self.close()

"""One request on its way to a task, and the answer on its way back."""

from __future__ import annotations

import logging
from typing import Protocol

from .bodies import CHUNKED, chunk, last_chunk
from .fields import Fields, trailers
from .forward import Visitor, request_head
from .pipe import Peer
from .requests import Request
from .responses import Response

log = logging.getLogger("taskmux.proxy")


class Asker(Protocol):
    """Who asked: a connection of a browser, or a stream of one. It is told what comes back."""

    def answered(self, response: Response) -> None:
        """The head of an answer; a preliminary one is followed by another."""

    def carried(self, piece: bytes) -> None:
        """Some of its body; never empty."""

    def finished(self, fields: Fields) -> None:
        """The end of it, with its trailers."""

    def flush(self) -> None:
        """Nothing more is known at this moment."""

    def switched(self, response: Response, line: Line, rest: bytes) -> None:
        """The task speaks another protocol from here on, `rest` being its first words."""

    def failed(self, why: str, *, reached: bool) -> None:
        """No answer, or no more of it; `reached` if somebody was there to ask."""

    def hold(self) -> None:
        """Send no more of the body for now."""

    def go_on(self) -> None:
        """More of the body can be sent."""

    def abort(self) -> None:
        """End at once: it can be told nothing."""


class Line(Peer, Protocol):
    """A connection to a task, in the middle of one exchange."""

    def join(self, peer: Peer) -> None:
        """Become a tunnel to `peer`."""


class Lines(Protocol):
    """Where connections to tasks come from."""

    def take(self, exchange: Exchange, port: int, *, fresh: bool) -> None:
        """Have `connected` called with one, or `failed`; `fresh` asks for a new one."""


class Exchange:
    """Passes a request on, and what comes back to `asker`, neither faster than it is taken."""

    def __init__(self, request: Request, visitor: Visitor, asker: Asker, lines: Lines) -> None:
        self.request = request
        self.sent = request.framing == 0
        """Whether all of the request has been passed on."""

        self.asker: Asker | None = asker
        """None when it has its answer, or is gone."""

        self.line: Line | None = None
        self._visitor = visitor
        self._lines = lines
        self._port = 0
        self._reused = False
        self._heard = False

    def begin(self, port: int) -> None:
        """Ask who listens on a port of loopback."""
        self._port = port
        # What could not be repeated is not sent where the other end may just be hanging up.
        self._lines.take(self, port, fresh=not self.request.repeatable)

    def send(self, piece: bytes, *, done: bool, fields: Fields) -> None:
        """Pass on some of the body; with `done`, its end."""
        assert self.line is not None, "sent before there was a connection"
        if self.request.framing == CHUNKED:
            piece = chunk(piece) if piece else b""
            if done:
                piece += last_chunk(trailers(fields))
        self.sent = self.sent or done
        if piece:
            self.line.write(piece)

    def abandon(self) -> None:
        """Forget it: whoever asked is gone."""
        self.asker = None
        if self.line is not None:
            self.line.abort()

    # From the pool, and the connection to the task.

    def connected(self, line: Line, *, reused: bool) -> None:
        """Take a connection, and send the head down it."""
        self.line, self._reused = line, reused
        if self.asker is None:
            line.abort()
            return
        line.write(request_head(self.request, self._visitor))
        if not self.sent:
            self.asker.go_on()

    def answered(self, response: Response) -> None:
        """Pass on the head of an answer."""
        self._heard = True
        if self.asker is not None:
            self.asker.answered(response)

    def finished(self, fields: Fields) -> None:
        """Tell that the answer is whole."""
        if (asker := self._let_go()) is not None:
            asker.finished(trailers(fields))

    def switched(self, response: Response, line: Line, rest: bytes) -> None:
        """Leave the connection to who asked."""
        if (asker := self._let_go()) is not None:
            asker.switched(response, line, rest)

    def lost(self, why: str) -> None:
        """Ask again if nothing was heard and somebody had hung up; else tell that it failed."""
        if self._reused and not self._heard and self.asker is not None:
            self.line = None
            self._lines.take(self, self._port, fresh=True)
        else:
            self.failed(why, reached=True)

    def failed(self, why: str, *, reached: bool) -> None:
        """Tell that there is no answer, or no more of it."""
        if (asker := self._let_go()) is None:
            return
        try:
            asker.failed(why, reached=reached)
        except Exception:  # it would end who calls, which may be what serves everybody
            log.exception("a request is broken off: nothing could be said about its failure")
            asker.abort()

    def break_off(self) -> None:
        """End it without a word, on both sides."""
        asker = self.asker
        self.abandon()
        if asker is not None:
            asker.abort()

    def _let_go(self) -> Asker | None:
        asker, self.asker, self.line = self.asker, None, None
        return asker

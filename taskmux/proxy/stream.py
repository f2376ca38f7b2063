"""One request of a browser that speaks HTTP/2, and its answer; or one WebSocket.

It sends nothing by itself: when it has its turn, it gives its connection what there is.
"""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from secrets import token_bytes

from h2.errors import ErrorCodes

from . import translate
from .carrier import Carrier
from .deadline import STALL
from .directory import Absence, Target, cut_short
from .exchange import Exchange, Line
from .fields import Fields, Malformed
from .incoming import Incoming
from .outgoing import Outgoing
from .pages import compose
from .requests import Refused, Request
from .responses import Response
from .wire import WINDOW, Wire

HIGH = 65_536
"""Bytes that wait for the browser, from which on no more is read from the task."""

LOW = 16_384


class Stream:
    """Asks for one request, and is the browser's end of the tunnel that may come of it."""

    def __init__(self, carrier: Carrier, number: int) -> None:
        self.number = number
        self.waiting = False
        """Whether it will have its turn."""

        self.since = 0.0
        """When it last sent something, or began to have something to send."""

        self._carrier = carrier
        self._request: Request | None = None
        self._target: Target | None = None
        self._exchange: Exchange | None = None
        self._tunnel: Line | None = None
        self._key = b64encode(token_bytes(16))

        self._in = Incoming(WINDOW, partial(carrier.taken, number))
        self._out = Outgoing(number)
        self._holding = False
        """Whether the task's connection is not read because of us."""

        self._fault: ErrorCodes | None = None

    @property
    def stuck(self) -> bool:
        """Whether there is something that the client does not take."""
        return len(self._out.body) > 0

    # From the client.

    def begin(self, found: Fields, *, ended: bool) -> None:
        """Ask for what a list of fields asks for."""
        self._in.begin(None, ended=ended)
        try:
            request = translate.request(found, ended=ended, key=self._key)
        except Refused as refused:
            self._say(Absence(refused.status, "bad_request", str(refused)))
            if (b":method", b"HEAD") in found:
                self._out.body.clear()
            return
        except Malformed:
            self.fail(ErrorCodes.PROTOCOL_ERROR)
            return
        self._request = request
        if isinstance(request.framing, int) and not request.upgrade:
            self._in.begin(request.framing, ended=ended)
        target = self._carrier.find(request)
        if isinstance(target, Absence):
            self._say(target)
            return
        self._target = target
        self._exchange = self._carrier.ask(request, self)
        self._exchange.begin(target.port)

    def received(self, data: bytes, size: int) -> None:
        """Take some of the body, which took `size` bytes of the window."""
        if (fault := self._in.take(data, size)) is not None:
            self.fail(fault.value)

    def ended(self, found: Fields) -> None:
        """Take the end of the body, and what comes after it."""
        try:
            self._in.trailers = translate.trailers(found)
        except Malformed:
            self.fail(ErrorCodes.PROTOCOL_ERROR)
        # The rest of a body that is too short would be taken from the request that comes next on
        # the task's connection.
        if (fault := self._in.end()) is not None:
            self.fail(fault.value)

    def pass_on(self) -> None:
        """Send on what came, as far as it is taken."""
        if (found := self._in.next()) is not None:
            piece, done = found
            if self._tunnel is not None:
                if piece:
                    self._tunnel.write(piece)
                if done:
                    self._tunnel.end()
            elif self._exchange is not None and not self._exchange.sent:
                self._exchange.send(piece, done=done, fields=self._in.trailers)
        self._in.settle()
        if self._in.ended and self._out.closed:
            self._carrier.ready(self)

    def forget(self) -> None:
        """Let go of the task: the client is gone, or gave this up."""
        self._in.drop()
        exchange, self._exchange = self._exchange, None
        tunnel, self._tunnel = self._tunnel, None
        if exchange is not None:
            exchange.abandon()
        if tunnel is not None:
            tunnel.abort()
        self._out.clear()

    def fail(self, code: ErrorCodes) -> None:
        """Give this up, and say so."""
        self._fault = code
        self.forget()
        self._carrier.ready(self)

    def late(self, now: float) -> None:
        """Give up an answer of which the client has taken nothing for long."""
        if self.stuck and now - self.since >= STALL:
            self.fail(ErrorCodes.CANCEL)

    # Its turn.

    def turn(self, wire: Wire) -> bool:
        """Send what there is, at most a little of the body; return whether there may be more."""
        if self._fault is not None:
            if not (self._in.ended and self._out.closed):
                wire.reset(self.number, self._fault)
            self._carrier.over(self)
            return False
        moved = self._out.turn(wire)
        if moved:
            self.since = self._carrier.now()
        if self._holding and len(self._out.body) < LOW:
            self._holding = False
            if (line := self._line) is not None:
                line.resume()
        if self._out.closed and (self._in.ended or self._in.dropped):
            self._part(wire)
        return moved and len(self._out.body) > 0

    def _part(self, wire: Wire) -> None:
        if not self._in.ended:
            wire.reset(self.number, ErrorCodes.NO_ERROR)  # RFC 9113 §8.1: it need not go on asking
        self._carrier.over(self)
        if self._tunnel is not None:
            self._tunnel.close()  # both sides have ended, which closes no connection yet

    @property
    def _line(self) -> Line | None:
        if self._tunnel is not None:
            return self._tunnel
        return None if self._exchange is None else self._exchange.line

    def _put(self, piece: bytes) -> None:
        if not self._out.body:
            self.since = self._carrier.now()
        self._out.body.put(piece)
        if not self._holding and len(self._out.body) > HIGH and (line := self._line) is not None:
            self._holding = True
            line.pause()
        self._carrier.ready(self)

    def _say(self, absence: Absence) -> None:
        """Answer ourselves."""
        reply = compose(absence, self._request, self._carrier.visitor)
        self._out.head(translate.reply(reply))
        self._out.body.put(reply.body)
        self._end([])

    def _end(self, fields: Fields) -> None:
        self._exchange = None
        self._out.finish(fields)
        self._in.drop()
        self._carrier.ready(self)

    # An asker: what comes back.

    def answered(self, response: Response) -> None:
        """Send a head; a WebSocket is open only if the task says so in its own way."""
        assert self._request is not None
        if self._request.upgrade and 200 <= response.status < 300:
            self._refuse(f"it answered {response.status} where a WebSocket was asked for")
            return
        head = translate.response(response, self._request)
        self._out.head(head, preliminary=response.preliminary)
        self._carrier.ready(self)

    def carried(self, piece: bytes) -> None:
        """Send some of the body."""
        self._put(piece)

    def finished(self, fields: Fields) -> None:
        """Send what ends it."""
        self._end(translate.after(fields))

    def flush(self) -> None:
        """Leave it to the connection, which sends for all streams at once."""

    def switched(self, response: Response, line: Line, rest: bytes) -> None:
        """Become a tunnel."""
        self._exchange = None
        try:
            self._out.head(translate.switched(response, self._key))
        except Malformed as error:
            line.abort()
            self._absent(str(error), reached=True)
            return
        self._tunnel = line
        self.write(rest)
        self.go_on()
        line.join(self)

    def failed(self, why: str, *, reached: bool) -> None:
        """Say so, if nothing was said yet; else break off, so that nobody takes it for whole."""
        self._exchange = None
        if self._out.answered or self._target is None:
            self.fail(ErrorCodes.INTERNAL_ERROR)
        else:
            self._absent(why, reached=reached)

    def _refuse(self, why: str) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()
        self._absent(why, reached=True)

    def _absent(self, why: str, *, reached: bool) -> None:
        """Say what keeps the task's answer back."""
        assert self._target is not None, "a task was asked"
        absence = self._carrier.absent(self._target, why)
        self._say(cut_short(absence, why) if reached else absence)

    def hold(self) -> None:
        """Pass on no more of the body for now."""
        self._in.open = False

    def go_on(self) -> None:
        """Pass on more of the body."""
        if not self._in.dropped:
            self._in.open = True
            self.pass_on()

    # A peer: the browser's end of a tunnel.

    def write(self, data: bytes) -> None:
        """Send this."""
        self._put(data)

    def pause(self) -> None:
        """Take no more for now."""
        self.hold()

    def resume(self) -> None:
        """Take more."""
        self.go_on()

    def end(self) -> None:
        """Say that nothing more comes from the task."""
        self._out.finish([])
        self._carrier.ready(self)

    def close(self) -> None:
        """Send what is left, and be over."""
        self._tunnel = None
        self._end([])

    def abort(self) -> None:
        """Be over at once."""
        self._tunnel = None
        self.fail(ErrorCodes.CANCEL)

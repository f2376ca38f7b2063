"""The end of the proxy that browsers see: connections that speak HTTP/1.1."""

from __future__ import annotations

import logging
from time import monotonic

from . import requests
from .admission import admit
from .bodies import CHUNKED, UNTIL_CLOSE, Body, chunk, last_chunk
from .caller import Caller
from .deadline import IDLE, LINGER, LULL
from .directory import Absence, Target, cut_short
from .exchange import Exchange, Line
from .fields import Fields, Malformed
from .forward import reframed, response_head
from .hub import Hub
from .pages import answer
from .requests import Refused, Request
from .responses import Response

HEAD = 10.0
"""Seconds in which the head of a request has to come, once it has begun."""

AHEAD = 65_536
"""Bytes that are read ahead of the answer before."""

log = logging.getLogger("taskmux.proxy")


class Front(Caller):
    """One connection, its requests one after another."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._received = b""
        self._request: Request | None = None
        self._target: Target | None = None
        self._body = Body(0)
        self._exchange: Exchange | None = None
        self._open = False
        """Whether more of the body can be sent."""

        self._out: list[bytes] = []
        self._framing: object = 0
        self._answering = False
        self._persistent = True
        self._seen = 0
        """Bytes of what was received that are known not to hold the end of a head."""

        self._expect = self._deadline.set

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, or it is a tunnel."""
        return self._exchange is not None or self._peer is not None

    def greet(self) -> None:
        """Wait for a request."""
        self._expect(HEAD)

    def dismiss(self) -> None:
        """Go when there was nothing to do for a moment; who asks meanwhile is told to go."""
        if not (self.busy or self._received or self.clogged):
            self._deadline.bring_forward(max(0.0, LULL - (monotonic() - self._since)))

    def received(self, data: bytes) -> None:
        """Read requests."""
        if self._over:
            return
        if not (self._received or self._exchange or self.clogged):
            self._expect(HEAD)
        self._received = self._received + data if self._received else data
        self._advance()

    def _advance(self) -> None:
        try:
            while not self._over and self._received and self._step():
                pass
        except Refused as refused:
            self._refuse(refused.status, str(refused))
        except Malformed as error:
            self._refuse(400, str(error))
        except Exception:  # it may be the answer before that called: that one's task has no part
            log.exception("a connection is broken off: a request could not be looked at")
            self.abort()
        if self._over or self._peer is not None:
            return
        if len(self._received) > AHEAD or (self._received and not self._body.done):
            self.pause()
        else:
            self.resume()

    def _step(self) -> bool:
        if not self._body.done:
            if not self._open or self._exchange is None:
                return False
            piece, self._received = self._body.feed(self._received)
            done = self._body.done
            self._exchange.send(piece, done=done, fields=self._body.trailers)
            return True
        if self._exchange is not None or self.clogged:
            return False  # pipelined: it has to wait for its turn
        found = requests.find(self._received, self._seen)
        if found is None:
            self._seen = len(self._received)
            return False
        self._seen = 0
        self._request, self._received = found
        self._begin(self._request)
        return True

    def _begin(self, request: Request) -> None:
        self._expect(None)
        self._body, self._open = Body(request.framing), False
        self._persistent = request.persistent
        found = admit(request, self._named, self._hub.directory)
        if isinstance(found, Absence):
            self._say(found)
            return
        self._target = found
        self._exchange = Exchange(request, self.visitor, self, self._hub.lines)
        self._exchange.begin(found.port)

    def _refuse(self, status: int, why: str) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()
        self._persistent = False
        if self._answering:
            self.abort()
        else:
            self._say(Absence(status, "bad_request", why))

    def _say(self, absence: Absence) -> None:
        """Answer a request ourselves."""
        if not self._body.done or self._hub.leaving:
            self._persistent = False
        self.write(answer(absence, self._request, self.visitor, persistent=self._persistent))
        self._next()

    def _next(self) -> None:
        self._request = self._target = None
        self._answering = False
        self._since = monotonic()
        if self._persistent and self._body.done:
            self._wait()
        else:
            self._finish()

    def _wait(self) -> None:
        """Wait for a request, the rest of one, or for room to answer it."""
        if self.clogged:
            self._expect(IDLE)
        else:
            self._expect(HEAD if self._received else LULL if self._hub.leaving else IDLE)

    def _finish(self) -> None:
        """Close it so that what was written arrives, whatever is still being sent to us."""
        self._over, self._received = True, b""
        self.resume()
        if self._body.done:
            self.close()
        else:
            self.end()
            self._see_off(LINGER)

    def ended(self) -> None:
        """Answer what was asked, and then close."""
        if self._exchange is None or not self._body.done:
            self.close()
        self._persistent = False

    def full(self) -> None:
        """Have no more of the answer read, and begin no other."""
        super().full()
        if self._exchange is not None and self._exchange.line is not None:
            self._exchange.line.pause()
        if not self._over:
            self._expect(IDLE)

    def drained(self) -> None:
        """Have more of it read, or begin another."""
        if self._over:
            return
        if not self.busy:
            self._wait()
            self._advance()
            return
        self._expect(None)
        if self._exchange is not None and self._exchange.line is not None:
            self._exchange.line.resume()

    def forget(self) -> None:
        """Let go of who was asked."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()

    # An asker: what comes back.

    def answered(self, response: Response) -> None:
        """Write a head."""
        assert self._request is not None
        if response.preliminary:
            if not self._request.old:
                self._out.append(response_head(response, self._request, persistent=True))
            return
        self._answering = True
        self._framing = reframed(response, self._request)
        if self._framing == UNTIL_CLOSE:
            self._persistent = False
        if not self._body.done or self._hub.leaving:
            self._persistent = False  # answered before it has asked, it may go on asking
        self._out.append(response_head(response, self._request, persistent=self._persistent))

    def carried(self, piece: bytes) -> None:
        """Write some of the body."""
        self._out.append(chunk(piece) if self._framing == CHUNKED else piece)

    def finished(self, fields: Fields) -> None:
        """Write what ends it, and go on with the next request."""
        if self._framing == CHUNKED:
            self._out.append(last_chunk(fields))
        self.flush()
        self._exchange = None
        self._next()
        if not self._over:
            self._advance()

    def flush(self) -> None:
        """Send what was put together."""
        if self._out:
            self.write(self._out[0] if len(self._out) == 1 else b"".join(self._out))
            self._out = []

    def switched(self, response: Response, line: Line, rest: bytes) -> None:
        """Become a tunnel."""
        assert self._request is not None
        self._out += (response_head(response, self._request, persistent=True), rest)
        self.flush()
        self._exchange, early, self._received = None, self._received, b""
        self.resume()
        self.join(line)
        line.join(self)
        if early:
            line.write(early)

    def failed(self, why: str, *, reached: bool) -> None:
        """Say so, if nothing was said yet; else break off, so that nobody takes it for whole."""
        self._exchange = None
        if self._answering or self._target is None:
            self.flush()
            self.abort()
            return
        absence = self._hub.directory.absent(self._target, why)
        self._say(cut_short(absence, why) if reached else absence)
        if not self._over:
            self._advance()

    def hold(self) -> None:
        """Send no more of the body for now."""
        self._open = False

    def go_on(self) -> None:
        """Send more of the body."""
        self._open = True
        self._advance()

    def late(self) -> None:
        """Give up who did not say what they want; who did not begin is let go."""
        if self.clogged:
            self._expect(IDLE)
        elif self._received:
            self._refuse(408, f"the head did not come within {HEAD:g} s")
        else:
            self.close()

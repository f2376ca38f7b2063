"""HTTP/2 as bytes: h2, what it is told at the start, and what it must not be left alone with."""

from __future__ import annotations

from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event
from h2.exceptions import NoSuchStreamError, ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings

from . import frames
from .fields import LARGEST_HEAD, Fields
from .frames import Frames, OutOfPlace, Piece, TooLong
from .patience import Patience

MOST_STREAMS = 128
"""Requests at once on one connection. Browsers take 100 for granted before they are told."""

WINDOW = 262_144
"""Bytes of a body that come ahead of what its task takes: much for loopback, little for 128."""

TURN = 65_536
"""Bytes of a body that one stream sends before the next has its turn."""

SMALL = 1024
"""Who takes less at a time than that of what waits for them does not speed us up by asking."""

GAIN = 3
"""Each frame of a body may be answered with two windows and a ping, and cost nothing."""


class Broken(Exception):
    """The connection can't go on; why is written already."""


class _Machine(H2Connection):
    MAX_CLOSED_STREAMS = 1024  # of 65,536: 10 MB for each connection that was used for long

    @property
    def open_inbound_streams(self) -> int:
        # h2 counts all of them for each request; there are never more open than it knows of.
        known = len(self.streams)
        return known if known < MOST_STREAMS else super().open_inbound_streams


class Wire:
    """Turns what a client sends into events, and what streams send into bytes."""

    def __init__(self) -> None:
        self.waiting = 0
        """About how many bytes are to be written."""

        self._frames = Frames()
        self._last: int | None = None
        """The newest stream that is answered; None while every one is."""

        self._patience = Patience()
        # The rules for fields are in `translate`, where a breach of them ends one stream.
        config = H2Configuration(
            client_side=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._h2 = _Machine(config)
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: MOST_STREAMS,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: LARGEST_HEAD,
                SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
            },
        )
        self._h2.initiate_connection()
        # As much as all streams may hold: one whose task is slow never stops another.
        self._window = MOST_STREAMS * WINDOW
        self._owed = 0
        self._out: list[bytes | memoryview] = [
            self._h2.data_to_send(),
            frames.window(0, self._window - self._h2.inbound_flow_control_window),
        ]
        """What goes before what h2 has to send."""

    @property
    def leaving(self) -> bool:
        """Whether the client said that it asks for nothing more, or was told not to."""
        return self._frames.leaving or self._last is not None

    def dismissed(self, number: int) -> bool:
        """Return whether the client was told that this stream is not answered."""
        return self._last is not None and number > self._last

    def received(self, data: bytes, now: float) -> list[Event | Piece]:
        """Return what happened; raise `Broken`."""
        found: list[Event | Piece] = []
        try:
            for part in self._frames.look(data):
                self._afford(now)
                if isinstance(part, Piece):
                    self._count(part)
                    found.append(part)
                    part = self._end(part)
                found += self._h2.receive_data(part) if part else []
        except TooLong:
            raise self._break(ErrorCodes.FRAME_SIZE_ERROR) from None
        except OutOfPlace:
            raise self._break(ErrorCodes.PROTOCOL_ERROR) from None
        except ProtocolError as error:
            raise Broken(str(error)) from None
        return found

    def _afford(self, now: float) -> None:
        cost, self._frames.cost = self._frames.cost, 0
        if cost and not self._patience.spend(cost, now):
            raise self._break(ErrorCodes.ENHANCE_YOUR_CALM)

    def _count(self, piece: Piece) -> None:
        if piece.stream > self._h2.highest_inbound_stream_id or not piece.stream % 2:
            raise self._break(ErrorCodes.PROTOCOL_ERROR)
        self._window -= piece.size
        if self._window < 0:
            raise self._break(ErrorCodes.FLOW_CONTROL_ERROR)

    def _end(self, piece: Piece) -> bytes:
        """Return what h2 is told of a piece."""
        stream = self._h2.streams.get(piece.stream)
        known = stream is not None and not stream.closed  # else we gave it up, and it is over
        return frames.end(piece.stream) if piece.last and known else b""

    def output(self) -> bytes:
        """Return what is to be written."""
        self.waiting = 0
        if not self._out:
            return self._h2.data_to_send()
        out, self._out = self._out, []
        return b"".join((*out, self._h2.data_to_send()))

    def room(self, number: int) -> int:
        """Return how many bytes of a body can be sent now."""
        window = self._h2.streams[number].outbound_flow_control_window
        return max(min(window, self._h2.outbound_flow_control_window, TURN), 0)

    def head(self, number: int, fields: Fields, *, end: bool) -> None:
        """Send a head, or what comes after a body."""
        self._h2.send_headers(number, fields, end_stream=end)

    def body(self, number: int, piece: bytes | memoryview, *, more: bool, end: bool) -> None:
        """Send some of a body, for which there is room; `more` if that is not all there is."""
        size, whole = self._h2.max_outbound_frame_size, memoryview(piece)
        last = (len(piece) - 1) // size * size
        for at in range(0, last, size):
            self._frame(number, whole[at : at + size])
        if end:
            self._h2.send_data(number, whole[last:], end_stream=True)
        else:
            self._frame(number, whole[last:])
        self.waiting += len(piece)
        if len(piece) >= SMALL or not more:
            self._patience.earn(GAIN * (last // size + 1))

    def _frame(self, number: int, piece: memoryview) -> None:
        # h2 would copy it five times; in the middle of a body there is nothing for it to decide.
        size = len(piece)
        self._h2.streams[number].outbound_flow_control_window -= size
        self._h2.outbound_flow_control_window -= size
        self._out += (self._h2.data_to_send(), frames.body(number, size), piece)

    def end(self, number: int) -> None:
        """Send that nothing more comes."""
        self._h2.end_stream(number)

    def reset(self, number: int, code: ErrorCodes) -> None:
        """Give a stream up, unless the client did so before."""
        with suppress(StreamClosedError, NoSuchStreamError):
            self._h2.reset_stream(number, code)

    def taken(self, size: int) -> None:
        """Have as much sent again, by whichever stream, as was passed on."""
        self._owed += size
        if self._owed >= MOST_STREAMS * WINDOW // 2:
            self._grow(0, self._owed)
            self._window += self._owed
            self._owed = 0

    def wider(self, number: int, size: int) -> None:
        """Have a stream send so much more."""
        self._grow(number, size)

    def _grow(self, number: int, size: int) -> None:
        self._out += (self._h2.data_to_send(), frames.window(number, size))

    def dismiss(self) -> None:
        """Send that no other request is taken; those that came are answered."""
        if self._last is not None:
            return  # what was said goes on: the number may only become less
        self._last = self._h2.highest_inbound_stream_id
        self._out += (self._h2.data_to_send(), frames.goaway(self._last))

    def leave(self) -> None:
        """Send that nothing more comes."""
        self._h2.close_connection(ErrorCodes.NO_ERROR)

    def _break(self, code: ErrorCodes) -> Broken:
        self._h2.close_connection(code)
        return Broken(code.name)

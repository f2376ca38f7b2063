"""One HTTP request and its answer, in plain blocking calls."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection

from .place import Place

MOST = 256 * 1024
"""Bytes of a body that are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is its beginning, empty unless it was asked for."""

    status: int
    body: bytes


class Exchange:
    """One GET, which follows no redirect. `run` belongs in a thread; `abort` ends it from any."""

    def __init__(self, place: Place, timeout: float, *, body: bool) -> None:
        """Take the longest silence to bear, in seconds, and whether to read the body."""
        self._place = place
        self._timeout = timeout
        self._body = body
        self._socket: socket.socket | None = None

    def run(self) -> Answer:
        """Return the answer; raise `OSError` or `http.client.HTTPException` if there is none."""
        with closing(self._connect()) as raw, closing(self._wrap(raw)) as stream:
            self._socket = stream
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            connection = HTTPConnection(self._place.host, self._place.port)
            connection.sock = stream
            connection.request("GET", self._place.target, headers=self._headers())
            with connection.getresponse() as response:
                return Answer(response.status, response.read(MOST) if self._body else b"")

    def abort(self) -> None:
        """Make `run` end now, however it pleases."""
        if self._socket is not None:
            with suppress(OSError):  # not connected any more
                self._socket.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> socket.socket:
        first, *others = self._place.addresses
        try:
            return self._dial(first)
        except ConnectionRefusedError:
            for other in others:
                with suppress(OSError):
                    return self._dial(other)
            raise

    def _dial(self, address: str) -> socket.socket:
        self._socket = socket.create_connection((address, self._place.port), self._timeout)
        return self._socket

    def _wrap(self, raw: socket.socket) -> socket.socket:
        if not self._place.tls:
            return raw
        context = _trusting() if self._place.local else ssl.create_default_context()
        host = self._place.host
        return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)

    def _headers(self) -> dict[str, str]:
        headers = {"Host": self._place.authority, "Accept": "*/*", "User-Agent": "taskmux"}
        if self._place.login is not None:
            headers["Authorization"] = self._place.login
        return headers | {"Connection": "close"}


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

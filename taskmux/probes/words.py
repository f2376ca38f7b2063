"""Failures of a connection, in the few words a status table has room for."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

LOOPBACK = ("127.0.0.1", "::1")
"""This machine, as most servers know it first."""


FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (RemoteDisconnected, "hung up without an answer"),
    (IncompleteRead, "the answer broke off"),
    (HTTPException, "no HTTP spoken there"),
    (ConnectionRefusedError, "connection refused"),
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLError, "no TLS spoken there"),
    (socket.gaierror, "the host name does not resolve"),
)
"""The first that fits; elsewhere the system's own words do."""


def describe(error: Exception) -> str:
    """Return what went wrong with a connection; a time limit is for the caller to word."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error  # anyio wraps it
    for kind, words in FAILURES:
        if isinstance(cause, kind):
            return words
    spoken = isinstance(cause, OSError) and cause.strerror
    return spoken.lower() if spoken else str(cause) or type(cause).__name__

from __future__ import annotations

import errno
import os
import socket
import ssl
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

import pytest

from taskmux.probes.words import describe

UNTRUSTED = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "connection refused"),
        (OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH)), "no route to host"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), "connection reset"),
        (RemoteDisconnected("Remote end closed"), "hung up without an answer"),
        (BadStatusLine("x"), "no HTTP spoken there"),
        (IncompleteRead(b""), "the answer broke off"),
        (socket.gaierror(-2, "Name or service not known"), "the host name does not resolve"),
        (UNTRUSTED, "certificate not trusted"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "no TLS spoken there"),
        (OSError("odd"), "odd"),
        (OSError(), "OSError"),
    ],
)
def test_describe(error: Exception, words: str) -> None:
    assert describe(error) == words


def test_looks_behind_what_anyio_says() -> None:
    outer = OSError("All connection attempts failed")
    outer.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert describe(outer) == "connection refused"

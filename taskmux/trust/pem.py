"""Certificates as text, and what a person compares them by. Pure."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from textwrap import wrap

_BLOCK = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(?P<body>[A-Za-z0-9+/=\s]+)-----END "
)


def certificates(text: bytes) -> list[bytes]:
    """Return the certificates in `text`, each as DER; what is around them is left out."""
    found = []
    for block in _BLOCK.finditer(text):
        try:
            found.append(b64decode(block["body"]))
        except ValueError:  # one of somebody's is damaged; the others are not
            continue
    return found


def pem(der: bytes) -> bytes:
    """Return a certificate as text."""
    lines = "\n".join(wrap(b64encode(der).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode()


def fingerprint(der: bytes) -> str:
    """Return what browsers and openssl show of a certificate: its SHA-256, as `AB:CD:…`."""
    return ":".join(wrap(sha256(der).hexdigest().upper(), 2))

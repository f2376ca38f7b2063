"""The certificate for each name that a client asks for, made when it is first needed."""

from __future__ import annotations

import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from taskmux.trust.issue import Authority, due, make_leaf

MOST = 256
"""Certificates that are kept; who asks for a name that nobody has gets one, too."""

Note = Callable[[ssl.SSLObject, str], None]
"""Told the name that a client asks for."""


class Certificates:
    """Answers every name below `tlds` with a certificate that `authority` signs."""

    def __init__(self, authority: Authority, tlds: tuple[str, ...]) -> None:
        self._authority = authority
        self._tlds = tlds
        self._made: OrderedDict[tuple[str, ...], tuple[ssl.SSLContext, x509.Certificate]]
        self._made = OrderedDict()

    def context(self, note: Note) -> ssl.SSLContext:
        """Return what a server is made with; `note` hears the name of each client."""
        base = self._context_for(tuple(self._tlds[:1]))

        def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object) -> None:
            if name is None or not isinstance(connection, ssl.SSLObject):
                return
            name = name.lower().removesuffix(".")
            note(connection, name)
            if (wanted := names_for(name, self._tlds)) is not None:
                connection.context = self._context_for(wanted)

        base.sni_callback = choose
        return base

    def _context_for(self, names: tuple[str, ...]) -> ssl.SSLContext:
        now = datetime.now(UTC)
        known = self._made.get(names)
        if known is not None and not due(known[1], now):
            self._made.move_to_end(names)
            return known[0]
        chain, key = make_leaf(self._authority, names, now)
        made = self._made[names] = _context(chain, key), x509.load_pem_x509_certificate(chain)
        self._made.move_to_end(names)
        while len(self._made) > MOST:
            self._made.popitem(last=False)
        return made[0]


def names_for(name: str, tlds: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the names that the certificate for `name` is for; None for one that isn't local.

    A project's goes for all its hosts, so that a new one asks nobody for a new certificate. No
    verifier takes `*` for more than one label, or for all of a top-level domain.
    """
    labels = name.split(".")
    tld = next((tld for tld in tlds if name == tld or name.endswith(f".{tld}")), None)
    if tld is None or not all(labels) or len(name) > 253:
        return None
    above = len(labels) - len(tld.split("."))
    if above == 0:
        return (tld,)
    site = ".".join(labels[-len(tld.split(".")) - 1 :])
    return (site, f"*.{site}") if above <= 2 else (name,)


def _context(chain: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # it costs us more than who asks for it
    context.set_alpn_protocols(["h2", "http/1.1"])
    # The ssl module reads files alone; this one is its owner's, and gone at once.
    with tempfile.TemporaryDirectory(prefix="taskmux-") as folder:
        path = Path(folder) / "leaf.pem"
        path.touch(mode=0o600)
        path.write_bytes(key + chain)
        context.load_cert_chain(path)
    return context

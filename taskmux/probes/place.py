"""What a `health_url` means: whom to connect to, and what to ask for. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from .words import LOOPBACK

PORT = re.compile(r"\$(?:\{PORT\}|PORT(?![A-Za-z0-9_]))")


@dataclass(frozen=True, slots=True)
class Place:
    """A page somewhere. `target` is its path and query, `authority` how the URL spells the host."""

    tls: bool
    host: str
    port: int
    target: str
    authority: str
    login: str | None = None
    """The value of `Authorization`, where the URL holds a name and a password."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where to connect, best first. `localhost`, and all names under it, need no resolver."""
        return LOOPBACK if _under_localhost(self.host) else (self.host,)

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where a certificate proves nothing."""
        try:
            address = ip_address(self.host)
        except ValueError:
            return _under_localhost(self.host)
        return address.is_loopback or address.is_unspecified


def parse_url(text: str, port: int) -> Place:
    """Return what `text` means with `port` for its `$PORT`; raise `ValueError` if nothing."""
    complaint = f"health_url {text!r} is not like http://localhost:$PORT/health"
    url = PORT.sub(str(port), text)
    try:
        parts = urlsplit(url)
        number = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise ValueError(complaint) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or number == 0:
        raise ValueError(complaint)
    if not url.isprintable() or " " in url:
        raise ValueError(complaint)
    tls = parts.scheme == "https"
    return Place(
        tls=tls,
        host=parts.hostname,
        port=number or (443 if tls else 80),
        target=_target(parts),
        authority=parts.netloc.rpartition("@")[2],
        login=_login(parts),
    )


def _target(parts: SplitResult) -> str:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(target, safe="%/:=&?~+!$,;'@()*[]")


def _login(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _under_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")

"""Who may open a WebSocket: what a browser or another user can reach must not be enough.

A web page can make any browser connect to this machine, so the names the browser
says it was asked for (`Host`) and by whom (`Origin`) must be ours; neither can be
forged by a page, and no token makes up for them. Who then is of this user,
as the kernel says, is in; anybody else has to know the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus
from ipaddress import ip_address

from taskmux.errors import NotAllowed

from .token import Token

NAMES = ("127.0.0.1", "[::1]", "localhost")


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known of who asks. Each header with all its values, however many."""

    hosts: Sequence[str]
    origins: Sequence[str]
    authorizations: Sequence[str]
    address: str
    uid: int | None
    """The user who owns the other end of the connection; None if nobody knows."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a visitor is measured against."""

    port: int
    uid: int
    token: Token


def objection(visitor: Visitor, rules: Rules) -> tuple[HTTPStatus, NotAllowed] | None:
    """Return why the visitor may not enter, and as which HTTP status; None if it may.

    Unauthorized means that the token would open the door.
    """
    if not _ours(visitor.hosts, rules.port):
        return HTTPStatus.FORBIDDEN, NotAllowed("the Host is not an address of this daemon")
    if visitor.origins and not _own_page(visitor.origins, rules.port):
        return HTTPStatus.FORBIDDEN, NotAllowed("web pages may not use this daemon")
    if _same_user(visitor, rules) or _knows(visitor.authorizations, rules.token.secret):
        return None
    hint = f"send the content of {rules.token.path} as `Authorization: Bearer …`"
    why = "the connection is not from the user this daemon runs as"
    return HTTPStatus.UNAUTHORIZED, NotAllowed(why, hint=hint)


def _ours(hosts: Sequence[str], port: int) -> bool:
    names = {*NAMES, *(f"{name}:{port}" for name in NAMES)}
    return len(hosts) == 1 and hosts[0].lower() in names


def _own_page(origins: Sequence[str], port: int) -> bool:
    return len(origins) == 1 and origins[0] in {f"http://{name}:{port}" for name in NAMES}


def _same_user(visitor: Visitor, rules: Rules) -> bool:
    return visitor.uid == rules.uid and ip_address(visitor.address).is_loopback


def _knows(authorizations: Sequence[str], secret: str) -> bool:
    if len(authorizations) != 1 or not secret:  # an empty one is known to everybody
        return False
    scheme, _, credentials = authorizations[0].partition(" ")
    known = credentials.strip().encode(errors="surrogateescape")
    same = compare_digest(known, secret.encode())
    return same and scheme.lower() == "bearer"

"""Who may read why a task does not answer: its output, for one, is nobody's who is not here.

Other programs of this machine may read it, as what connects to loopback has no name. Pages of
other origins can't: they are not told that they may, and a name that ends in `.localhost` can't
be theirs. Who comes from elsewhere learns how a task is, and not why.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from .directory import Absence
from .fields import values
from .forward import Visitor
from .requests import Request

PUBLIC_FACTS = {"host", "session", "task", "state"}

_PASSED_ON = (
    b"forwarded", b"x-forwarded-for", b"x-real-ip", b"x-client-ip", b"true-client-ip",
    b"cf-connecting-ip", b"fly-client-ip",
)  # fmt: skip
"""Fields in which a tunnel or another proxy on this machine says for whom it asks."""


def shown_to(visitor: Visitor | None, request: Request | None, absence: Absence) -> Absence:
    """Return what a visitor may know of an absence; one who is not known is not here."""
    if visitor is not None and is_here(visitor, request):
        return absence
    facts = {name: fact for name, fact in absence.facts.items() if name in PUBLIC_FACTS}
    why = absence.public or absence.why
    return replace(absence, why=why, hint=None, steps=(), facts=facts, public=None)


def is_here(visitor: Visitor, request: Request | None) -> bool:
    """Return whether somebody asks from this machine, and for nobody who is elsewhere."""
    asks = [] if request is None else request.fields
    passed = [
        one for name in _PASSED_ON for value in values(asks, name) for one in value.split(b",")
    ]
    return all(map(_loopback, [visitor.address, *(one.decode("latin-1") for one in passed)]))


def _loopback(address: str) -> bool:
    try:
        found = ip_address(address.strip().partition("%")[0])
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback

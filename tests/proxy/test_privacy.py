"""Who is told why a task does not answer."""

from __future__ import annotations

import pytest

from taskmux.proxy.directory import Absence, Step
from taskmux.proxy.fields import Fields
from taskmux.proxy.forward import Visitor
from taskmux.proxy.privacy import is_here, shown_to
from taskmux.proxy.requests import Request

DOWN = Absence(
    503,
    "task_down",
    "api is failed: exited with 1",
    "mind the secret",
    {"session": "shop", "task": "api", "state": "failed", "reason": "x", "lines": ["secret"]},
    steps=(Step("Start it", "taskmux start api"),),
    public="api is failed",
)


def request(*fields: tuple[str, str]) -> Request:
    found: Fields = [(name.encode(), value.encode()) for name, value in fields]
    return Request(b"GET", b"/", "api.shop.localhost", None, found, 0)


@pytest.mark.parametrize(
    ("address", "fields", "here"),
    [
        ("127.0.0.1", [], True),
        ("127.8.8.8", [], True),
        ("::1", [], True),
        ("::ffff:127.0.0.1", [], True),
        ("192.168.1.7", [], False),
        ("::ffff:192.168.1.7", [], False),
        ("fe80::1%eth0", [], False),
        ("", [], False),
        ("192.168.1.7", [("X-Forwarded-For", "127.0.0.1")], False),
        ("127.0.0.1", [("X-Forwarded-For", "127.0.0.1, ::1")], True),
        ("127.0.0.1", [("X-Forwarded-For", "127.0.0.1, 203.0.113.9")], False),
        ("127.0.0.1", [("x-forwarded-for", "127.0.0.1"), ("X-Forwarded-For", "8.8.8.8")], False),
        ("127.0.0.1", [("X-Real-IP", "203.0.113.9")], False),
        ("127.0.0.1", [("CF-Connecting-IP", "203.0.113.9")], False),
        ("127.0.0.1", [("Forwarded", "for=203.0.113.9")], False),
        ("127.0.0.1", [("X-Forwarded-For", "somebody")], False),
    ],
)
def test_who_is_here(address: str, fields: list[tuple[str, str]], here: bool) -> None:
    assert is_here(Visitor(address, "https", 443), request(*fields)) is here


def test_who_is_elsewhere_learns_how_it_is_and_not_why() -> None:
    told = shown_to(Visitor("192.168.1.7", "https", 443), request(), DOWN)
    facts = {"session": "shop", "task": "api", "state": "failed"}
    assert told == Absence(503, "task_down", "api is failed", facts=facts)


def test_nobody_known_is_nobody_here() -> None:
    assert shown_to(None, request(), DOWN).facts.keys() == {"session", "task", "state"}
    assert shown_to(Visitor("::1", "https", 443), None, DOWN) is DOWN

"""What the proxy says itself: pages for people, JSON for programs, plain words for curl."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus

from . import sheet
from .directory import Absence
from .fields import Fields, render
from .forward import Visitor
from .harmless import harmless
from .negotiation import Form, wanted
from .privacy import shown_to
from .requests import Request
from .wording import advice

RETRY = 1
"""Seconds after which a program may ask again."""

_HEADERS = (("Session", "session"), ("Task", "task"), ("State", "state"))


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response of ours, before it is framed by a version of HTTP."""

    status: int
    fields: Fields
    """With `Content-Type` and `Content-Length`, which says how long the body is, sent or not."""

    body: bytes
    """Empty for HEAD."""


def compose(absence: Absence, request: Request | None, visitor: Visitor | None = None) -> Reply:
    """Return what to answer; without a request, which could not be read, in plain words.

    Only a visitor who is known to be at this machine is told more than how the task is.
    """
    known = absence if absence.hint else replace(absence, hint=advice(absence))
    told = shown_to(visitor, request, known)
    form = Form.TEXT if request is None else wanted(request.fields)
    body = _body(form, told, request)
    fields = [
        (b"Content-Type", b"%b; charset=utf-8" % form.encode()),
        (b"Content-Length", b"%d" % len(body)),
        (b"Cache-Control", b"no-store"),
        (b"Vary", b"Accept, Sec-Fetch-Dest"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"Cross-Origin-Resource-Policy", b"same-origin"),
        *_named(told),
    ]
    if form is Form.PAGE:
        fields.append((b"Content-Security-Policy", sheet.policy()))
    if told.location is not None and request is not None:
        path = request.target if request.target.startswith(b"/") else b"/"
        fields.append((b"Location", told.location.encode() + path))
    if told.retry:
        fields.append((b"Retry-After", b"%d" % RETRY))
    silent = request is not None and request.method == b"HEAD"
    return Reply(told.status, fields, b"" if silent else body)


def answer(
    absence: Absence,
    request: Request | None,
    visitor: Visitor | None = None,
    *,
    persistent: bool,
) -> bytes:
    """Return what `compose` does as a response of HTTP/1.1."""
    reply = compose(absence, request, visitor)
    phrase = HTTPStatus(reply.status).phrase.encode()
    fields = [*reply.fields, *([] if persistent else [(b"Connection", b"close")])]
    line = b"HTTP/1.1 %d %b\r\n" % (reply.status, phrase)
    return b"".join((line, render(fields), b"\r\n", reply.body))


def _named(absence: Absence) -> Fields:
    facts = [("Error", absence.code)]
    facts += [(name, str(absence.facts[key])) for name, key in _HEADERS if absence.facts.get(key)]
    return [
        (f"X-Taskmux-{name}".encode(), harmless(fact).encode("ascii", "replace"))
        for name, fact in facts
    ]


def _body(form: Form, absence: Absence, request: Request | None) -> bytes:
    match form:
        case Form.PAGE:
            # What was sent with another method is not sent again by itself.
            again = request is not None and request.method in (b"GET", b"HEAD")
            return sheet.page(absence, again=again).encode("utf-8", "replace")
        case Form.JSON:
            return _document(absence)
        case Form.TEXT:
            return "\n".join([*_text(absence), ""]).encode("utf-8", "replace")


def _document(absence: Absence) -> bytes:
    head = {"ok": False, "error": absence.why, "error_code": absence.code, "hint": absence.hint}
    if head["hint"] is None and absence.steps:
        head["hint"] = f"run `{absence.steps[0].command}`"
    return json.dumps(head | dict(absence.facts)).encode()


def _text(absence: Absence) -> list[str]:
    said = [harmless(absence.why)]
    if absence.hint:
        said.append(f"hint: {harmless(absence.hint)}")
    said += [f"{step.does.lower()}: {harmless(step.command)}" for step in absence.steps]
    said += [f"  {harmless(str(url))}" for url in absence.facts.get("urls", ())]
    if lines := absence.facts.get("lines"):
        said += ["", "last output:", *(f"  {harmless(line)}" for line in lines)]
    return said

"""In which form somebody wants to be told: by `Accept`, and by what a browser needs it for.

What is named outranks what a wildcard covers, and what is named first the rest, so
`application/json, text/plain, */*` asks for JSON. Where nothing decides, it is a page for who
looks at it, JSON for a script that called `fetch`, and plain words for curl.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .fields import Fields, values


class Form(StrEnum):
    """How something is said."""

    PAGE = "text/html"
    JSON = "application/json"
    TEXT = "text/plain"


LOOKED_AT = {b"document", b"embed", b"fencedframe", b"frame", b"iframe", b"object"}
"""Uses to which a browser puts what a person sees (the values of `Sec-Fetch-Dest`)."""

_QUALITY = re.compile(rb"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)

_EXACT, _KIND, _ANY = 2, 1, 0


@dataclass(frozen=True, slots=True)
class _Range:
    kind: bytes
    subtype: bytes
    quality: float
    place: int

    def covers(self, form: Form) -> int | None:
        """Return how precisely it names a form; None if it doesn't."""
        kind, _, subtype = form.encode().partition(b"/")
        if self.kind == self.subtype == b"*":
            return _ANY
        if self.kind != kind:
            return None
        if self.subtype == b"*":
            return _KIND
        json = form is Form.JSON and self.subtype.endswith(b"+json")
        return _EXACT if json or self.subtype == subtype else None


def wanted(fields: Fields) -> Form:
    """Return the form for a request with these fields; plain text if it accepts none we have."""
    offered = _offered(fields)
    accepted = list(_ranges(values(fields, b"accept")))
    if not accepted:
        return offered[0]
    ranked = [(_rank(form, accepted), -place, form) for place, form in enumerate(offered)]
    best = max(found for found in ranked)
    return best[2] if best[0][0] > 0 else Form.TEXT


def _offered(fields: Fields) -> list[Form]:
    """Return the forms that make sense, the one for those who don't care first."""
    used = values(fields, b"sec-fetch-dest")
    match used[0].lower() if used else None:
        case None:
            return [Form.TEXT, Form.JSON, Form.PAGE]
        case b"empty":
            return [Form.JSON, Form.TEXT, Form.PAGE]
        case dest if dest in LOOKED_AT:
            return [Form.PAGE, Form.TEXT, Form.JSON]
    return [Form.TEXT, Form.JSON]  # a page is no script, no style and no picture


def _rank(form: Form, accepted: list[_Range]) -> tuple[float, int, int]:
    """Return how welcome a form is: by its quality, then by how it was named, then where."""
    found = [(precision, one) for one in accepted if (precision := one.covers(form)) is not None]
    if not found:
        return 0.0, 0, 0
    precision, best = max(found, key=lambda pair: (pair[0], -pair[1].place))
    return best.quality, precision, -best.place if precision == _EXACT else 0


def _ranges(accept: list[bytes]) -> Iterator[_Range]:
    """Yield what `Accept` lists; what is malformed in it counts for nothing."""
    for place, part in enumerate(b",".join(accept).split(b",")):
        name, *parameters = part.lower().split(b";")
        kind, slash, subtype = name.strip().partition(b"/")
        quality = _quality(parameters)
        if slash and quality is not None:
            yield _Range(kind, subtype, quality, place)


def _quality(parameters: list[bytes]) -> float | None:
    for parameter in parameters:
        if parameter.strip().startswith(b"q="):
            found = _QUALITY.fullmatch(parameter)
            return None if found is None else float(found[1])
    return 1.0

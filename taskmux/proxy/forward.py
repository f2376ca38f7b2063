"""What is sent on: a request to a task, and its response to the browser, as heads."""

from __future__ import annotations

from dataclasses import dataclass, field

from .bodies import CHUNKED, UNTIL_CLOSE, Framing
from .fields import Fields, end_to_end, render, values, words
from .requests import Request
from .responses import Response

HOPS = b"x-taskmux-hops"
"""How often a request came through here: a task may ask another one, but not for ever."""

MOST_HOPS = 8
_COUNTS = {b"%d" % count for count in range(MOST_HOPS)}

_OURS = {
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port",
    b"x-forwarded-proto", b"x-real-ip", HOPS,
}  # fmt: skip
"""What a task may believe: it is from here, whatever the client says."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and how they came."""

    address: str
    scheme: str
    port: int
    """Where they were let in, unless their Host says otherwise."""

    told: bytes = field(init=False, compare=False, repr=False)
    """What a task is told of them with every request."""

    def __post_init__(self) -> None:
        address, scheme = self.address.encode(), self.scheme.encode()
        told = [
            (b"X-Forwarded-For", address),
            (b"X-Forwarded-Proto", scheme),
            (b"X-Real-IP", address),
        ]
        object.__setattr__(self, "told", render(told))


def hops(request: Request) -> int:
    """Return how often a request came through here; as often as it may, if that can't be read."""
    found = request.values(HOPS)
    if not found:
        return 0
    return int(found[0]) if len(found) == 1 and found[0] in _COUNTS else MOST_HOPS


def request_head(request: Request, visitor: Visitor) -> bytes:
    """Return the head of a request as its task gets it."""
    kept = end_to_end(request.fields, chunked=request.framing == CHUNKED, but=_OURS)
    kept += [
        (b"X-Forwarded-Host", request.values(b"host")[0]),
        (b"X-Forwarded-Port", b"%d" % (request.port or visitor.port)),
        (b"X-Taskmux-Hops", b"%d" % (hops(request) + 1)),
    ]
    if b"trailers" in words(request.values(b"te")):
        kept += [(b"TE", b"trailers"), (b"Connection", b"TE")]
    if request.upgrade:
        kept += [(b"Connection", b"Upgrade"), (b"Upgrade", request.upgrade)]
    kept += _framed(request.framing, none=request.method in (b"GET", b"HEAD", b"OPTIONS"))
    line = b"%b %b HTTP/1.1\r\n" % (request.method, request.target)
    return b"".join((line, render(kept), visitor.told, b"\r\n"))


def reframed(response: Response, request: Request) -> Framing:
    """Return how the body of a response is sent on."""
    if isinstance(response.framing, int):
        return response.framing
    return UNTIL_CLOSE if request.old else CHUNKED


def response_head(response: Response, request: Request, *, persistent: bool) -> bytes:
    """Return the head of a response as its client gets it; `persistent` as the connection stays."""
    framing = reframed(response, request)
    kept = end_to_end(response.fields, chunked=framing == CHUNKED)
    if response.status == 101:
        kept.append((b"Connection", b"Upgrade"))
        kept += [(b"Upgrade", value) for value in values(response.fields, b"upgrade")]
    elif not response.preliminary:
        kept += _length(response, request) if framing == 0 else _framed(framing)
        if not persistent:
            kept.append((b"Connection", b"close"))
        elif request.old:
            kept.append((b"Connection", b"keep-alive"))
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (response.status, response.reason, render(kept))


def _framed(framing: Framing, *, none: bool = False) -> Fields:
    match framing:
        case "chunked":
            return [(b"Transfer-Encoding", b"chunked")]
        case 0 if none:
            return []
        case int():
            return [(b"Content-Length", b"%d" % framing)]
        case _:
            return []


def _length(response: Response, request: Request) -> Fields:
    """Return what is said of a body that is not sent: with HEAD and 304, how long it would be."""
    said = [(b"Content-Length", value) for value in values(response.fields, b"content-length")[:1]]
    if request.method == b"HEAD" or response.status == 304:
        return said
    return [] if response.status == 204 else [(b"Content-Length", b"0")]

"""Bodies: the same in whatever pieces they come, and never longer than they say."""

from __future__ import annotations

import pytest

from taskmux.proxy.bodies import CHUNKED, UNTIL_CLOSE, Body, Framing, chunk, last_chunk
from taskmux.proxy.fields import LARGEST_HEAD, Malformed

WHOLE: dict[str, tuple[Framing, bytes, bytes]] = {
    "counted": (5, b"hello", b"hello"),
    "none": (0, b"", b""),
    "one chunk": (CHUNKED, b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "many": (CHUNKED, b"1\r\nh\r\n2\r\nel\r\nA\r\nlo world..\r\n0\r\n\r\n", b"hello world.."),
    "nothing": (CHUNKED, b"0\r\n\r\n", b""),
    "zeros before": (CHUNKED, b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    "extensions": (CHUNKED, b'5;a="b;c" ;d\r\nhello\r\n0;x\r\n\r\n', b"hello"),
    "trailers": (CHUNKED, b"5\r\nhello\r\n0\r\nSum: 1\r\nB: 2\r\n\r\n", b"hello"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_the_same_in_whatever_pieces_it_comes(name: str) -> None:
    framing, text, carried = WHOLE[name]
    text += b"GET /next"
    for first in range(len(text) + 1):
        body = Body(framing)
        pieces, rest = [], b""
        for part in (text[:first], text[first:]):
            if body.done:
                rest += part
            else:
                piece, left = body.feed(part)
                pieces.append(piece)
                rest += left
        assert (b"".join(pieces), rest, body.done) == (carried, b"GET /next", True)
        assert body.trailers == ([(b"Sum", b"1"), (b"B", b"2")] if name == "trailers" else [])


def test_it_is_the_same_byte_by_byte() -> None:
    framing, text, carried = WHOLE["trailers"]
    body = Body(framing)
    found = [body.feed(text[at : at + 1]) for at in range(len(text))]
    assert b"".join(piece for piece, _ in found) == carried
    assert body.done
    assert body.trailers == [(b"Sum", b"1"), (b"B", b"2")]


def test_one_that_ends_with_the_connection_does_not_end_before() -> None:
    body = Body(UNTIL_CLOSE)
    assert body.feed(b"0\r\n\r\n") == (b"0\r\n\r\n", b"")
    assert not body.done


CORPUS = {
    "no size": b"\r\nhello",
    "a size that is none": b"x\r\n",
    "a size in 0x": b"0x5\r\nhello\r\n",
    "a negative size": b"-5\r\nhello\r\n",
    "a signed size": b"+5\r\nhello\r\n",
    "a space before the size": b" 5\r\nhello\r\n",
    "an underscore": b"1_0\r\n",
    "a size beyond all": b"FFFFFFFFFFFFFFFF\r\n",
    "LF after the size": b"5\nhello\r\n",
    "CR after the size": b"5\rhello\r\n",
    "LF in an extension": b"5;a\nb\r\nhello\r\n",
    "a size that does not end": b"5;" + b"a" * 300,
    "more than it says": b"5\r\nhello!\r\n",
    "LF after a chunk": b"5\r\nhello\n",
    "any two bytes after a chunk": b"5\r\nhelloXX0\r\n\r\n",
    "LF after the last": b"0\r\n\n",
    "a folded trailer": b"0\r\nA: 1\r\n B: 2\r\n\r\n",
    "a trailer that is none": b"0\r\nhello\r\n\r\n",
    "endless trailers": b"0\r\n" + b"A: 1\r\n" * (LARGEST_HEAD // 6 + 1),
}


@pytest.mark.parametrize("name", CORPUS)
def test_what_two_could_read_differently_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        Body(CHUNKED).feed(CORPUS[name])


def test_what_is_framed_anew_says_the_same() -> None:
    body = Body(CHUNKED)
    text = chunk(b"hello") + chunk(b"x" * 300) + last_chunk([(b"Sum", b"1")])
    assert body.feed(text + b"rest") == (b"hello" + b"x" * 300, b"rest")
    assert body.trailers == [(b"Sum", b"1")]
    assert last_chunk([]) == b"0\r\n\r\n"

"""Frames, however they are cut; patience; what waits to be sent."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from taskmux.proxy import frames
from taskmux.proxy.frames import LARGEST, Frames, OutOfPlace, Piece, TooLong
from taskmux.proxy.outbox import Outbox
from taskmux.proxy.patience import MOST, RATE, Patience

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int = 0, body: bytes = b"", stream: int = 1) -> bytes:
    return len(body).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + body


HEAD = frame(1, 4, b"x" * 30)
GOAWAY = frame(7, 0, b"\0" * 8, 0)
PING = frame(6, 0, b"\0" * 8, 0)


def test_bodies_and_goaway_are_kept_from_h2_however_it_is_cut() -> None:
    data = b"".join(
        (PREFACE, HEAD, frame(0, 0, b"abc"), PING, GOAWAY, PING, frame(0, 1, b"de", 3), HEAD)
    )
    random = Random(5)
    for _ in range(300):
        cuts = sorted([0, *random.sample(range(len(data)), random.randrange(8)), len(data)])
        seen, found = Frames(), list[Piece | bytes]()
        for begin, end in pairwise(cuts):
            found += seen.look(data[begin:end])
        shown = b"".join(part for part in found if isinstance(part, bytes))
        assert shown == PREFACE + HEAD + PING + PING + HEAD
        pieces = [part for part in found if isinstance(part, Piece)]
        assert pieces == [Piece(1, b"abc", 3, False), Piece(3, b"de", 2, True)]
        assert seen.leaving


def test_the_order_is_kept() -> None:
    found = list(Frames().look(PREFACE + HEAD + frame(0, 1, b"abc") + PING))
    assert found == [PREFACE + HEAD, Piece(1, b"abc", 3, True), PING]


def test_padding_counts_for_the_window_alone() -> None:
    [_, piece] = Frames().look(PREFACE + frame(0, 8, b"\x02abc\0\0"))
    assert piece == Piece(1, b"abc", 6, False)


@pytest.mark.parametrize("body", [b"", b"\x01", b"\x04abc"])
def test_more_padding_than_frame_is_a_fault(body: bytes) -> None:
    with pytest.raises(OutOfPlace):
        list(Frames().look(PREFACE + frame(0, 8, body)))


def test_a_body_in_the_middle_of_a_head_is_a_fault() -> None:
    with pytest.raises(OutOfPlace):
        list(Frames().look(PREFACE + frame(1, 0, b"x") + frame(0, 0, b"x")))
    list(Frames().look(PREFACE + frame(1, 0, b"x") + frame(9, 4, b"x") + frame(0, 0, b"x")))


def test_a_frame_that_is_too_long_is_not_waited_for() -> None:
    list(Frames().look(PREFACE + (LARGEST).to_bytes(3) + b"\0" * 6))
    with pytest.raises(TooLong):
        list(Frames().look(PREFACE + (LARGEST + 1).to_bytes(3) + b"\0" * 6))


@pytest.mark.parametrize(
    ("found", "cost"),
    [
        (HEAD, 0),
        (frame(0, 0, b"x"), 0),
        (frame(0, 1), 0),
        (frame(0), 1),
        (frame(2, 0, b"\0" * 5), 1),
        (frame(3, 0, b"\0" * 4), 1),
        (frame(4, 0, b"", 0), 1),
        (frame(4, 0, b"\0" * 60, 0), 11),
        (PING, 1),
        (frame(8, 0, b"\0\0\0\1"), 1),
        (frame(9, 4, b"x"), 1),
        (frame(77, 0, b"x"), 1),
    ],
)
def test_what_brings_nothing_costs(found: bytes, cost: int) -> None:
    seen = Frames()
    list(seen.look(PREFACE + found))
    assert seen.cost == cost


def test_frames_are_made() -> None:
    assert frames.window(3, 5) == frame(8, 0, b"\0\0\0\5", 3)
    assert frames.body(3, 5) + b"hello" == frame(0, 0, b"hello", 3)
    assert frames.end(3) == frame(1, 5, b"", 3)


def test_patience_ends_and_comes_back() -> None:
    patience = Patience()
    assert patience.spend(MOST, 0.0)
    assert not patience.spend(1, 0.0)
    assert patience.spend(int(RATE) - 1, 1.0)
    assert not patience.spend(1, 1.0)
    patience.earn(2)
    assert patience.spend(1, 1.0)


def test_patience_is_never_more_than_at_first() -> None:
    patience = Patience()
    patience.earn(50)
    assert patience.spend(0, 0.0)
    assert patience.spend(0, 1000.0)
    assert not patience.spend(MOST + 1, 1000.0)


def test_what_waits_comes_out_as_it_went_in() -> None:
    random, box, came, went = Random(7), Outbox(), b"", b""
    for _ in range(400):
        piece = random.randbytes(random.randrange(50))
        box.put(piece)
        came += piece
        if box and random.random() < 0.7:
            most = random.randrange(1, 60)
            size = min(most, len(box))
            taken = bytes(box.take(most))
            assert len(taken) == size
            went += taken
        assert len(box) == len(came) - len(went)
    while box:
        went += box.take(13)
    assert came == went

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskmux.daemon.handover import (
    Failure,
    Handed,
    collecting,
    decode_failure,
    encode_failure,
    leave,
    offering,
    take,
)
from taskmux.daemon.listeners import Listener, Listeners, heard, spoken, usable
from taskmux.errors import PluginFailed


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    made = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def listeners(sockets: list[socket.socket]) -> list[Listener]:
    """Return listeners that are their own: whoever holds them may close them."""
    uses = ("https", "http")
    return [Listener(use, os.dup(one.fileno())) for use, one in zip(uses, sockets, strict=True)]


def places(found: list[Listener] | Listeners) -> list[tuple[str, tuple[str, int]]]:
    return [(one.use, one.place) for one in found]


def close(found: list[Listener] | Listeners) -> None:
    for one in found:
        os.close(one.descriptor)


def test_what_is_offered_can_be_taken(home: Path, sockets: list[socket.socket]) -> None:
    mine = listeners(sockets)
    failures = [Failure("hosts", "it is read-only")]
    with offering(home, Handed(mine, failures)) as path:
        found = take(path)
    assert places(list(found.listeners)) == places(mine)
    assert list(found.failures) == failures
    assert not any(os.get_inheritable(one.descriptor) for one in found.listeners)
    assert {one.descriptor for one in found.listeners}.isdisjoint(one.descriptor for one in mine)
    assert list(home.iterdir()) == []
    close([*found.listeners, *mine])


def test_what_is_left_is_collected(home: Path, sockets: list[socket.socket]) -> None:
    mine = listeners(sockets)
    with collecting(home) as (path, found):
        leave(path, Handed(mine))
    assert places(found) == places(mine)
    close([*found, *mine])


def test_nobody_need_come(home: Path) -> None:
    with collecting(home) as (path, found):
        pass
    assert found == []
    with pytest.raises(OSError, match="No such file"):
        take(path)


@pytest.mark.parametrize("nonsense", [b"", b"{", b'{"uses":7}'])
def test_nonsense_hands_nothing(home: Path, nonsense: bytes) -> None:
    with collecting(home) as (path, found), socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(path))
        visitor.sendall(nonsense)
        visitor.shutdown(socket.SHUT_WR)
        assert visitor.recv(1) == b""
    assert found == []


def test_what_is_no_listener_is_closed(home: Path) -> None:
    ends = socket.socketpair()
    with ends[0], ends[1], collecting(home) as (path, found):
        leave(path, Handed([Listener("https", ends[0].fileno())]))
    assert found == []
    assert not usable("https", ends[0].fileno())


def test_one_that_is_held_already_is_closed(sockets: list[socket.socket]) -> None:
    held = Listeners(listeners(sockets))
    again = listeners(sockets)
    held.add(again)
    assert len(list(held)) == 2
    for one in again:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(one.descriptor)
    assert [one.use for one in held.of("http")] == ["http"]
    assert [(one.address, one.port) for one in held.report()] == [
        place for _, place in places(held)
    ]
    close(held)


def test_words_name_what_is_inherited_and_no_child_inherits_it(
    sockets: list[socket.socket],
) -> None:
    mine = listeners(sockets)
    for one in mine:
        os.set_inheritable(one.descriptor, True)
    words = [word.removeprefix("--listener=") for word in spoken(mine)]
    assert heard([*words, "https=999", "https=0", "gopher=3", "https", "https=x"]) == mine
    assert not any(os.get_inheritable(one.descriptor) for one in mine)
    close(mine)


def test_a_failure_comes_back_from_a_variable() -> None:
    said = encode_failure(PluginFailed("hosts", "prepare", "read-only"))
    assert decode_failure(said) == [Failure("hosts", "hosts could not prepare: read-only")]
    assert decode_failure("") == decode_failure("{}") == []

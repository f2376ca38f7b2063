from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from websockets.exceptions import InvalidStatus

from taskmux.api.connection import Limits
from taskmux.api.websocket import Patience, open_websocket_door
from tests.api.toys import ToyDesk
from tests.api.visitors import (
    ASK_SHOP,
    SHOP,
    TOKEN,
    Door,
    ask_shop,
    exchange,
    handshake,
    open_door,
    our_uid,
    talk,
    text,
    wire,
)


async def test_a_program_of_the_same_user_needs_no_token(door: Door) -> None:
    assert await talk(door, ask_shop) == SHOP


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
async def test_the_door_is_on_both_loopback_addresses(door: Door, name: str) -> None:
    assert await talk(door, ask_shop, uri=f"ws://{name}:{door.port}/any/path") == SHOP


async def test_both_ends_are_shown_to_the_kernel(home: Path) -> None:
    shown = []

    def note(local: tuple[str, int], peer: tuple[str, int]) -> int:
        shown.append((local, peer))
        return os.getuid()

    async with open_door(peer_uid=note) as door:
        peer = await talk(door, lambda client: client.local_address)
        assert shown == [(("127.0.0.1", door.port), peer)]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        (
            {
                "origin": "https://evil.example",
                "additional_headers": {"Authorization": f"Bearer {TOKEN.secret}"},
            },
            403,
        ),
    ],
)
async def test_a_web_page_is_refused(door: Door, options: dict[str, Any], status: int) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await talk(door, ask_shop, **options)
    response = caught.value.response
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(bytes(response.body or b"")) == {
        "ok": False,
        "error": "not_allowed",
        "message": "not allowed: web pages may not use this daemon",
        "error_code": "E800",
        "hint": None,
    }


async def test_our_own_page_comes_in(door: Door) -> None:
    assert await talk(door, ask_shop, origin=f"http://127.0.0.1:{door.port}") == SHOP


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "0.0.0.0:{port}"])
async def test_a_name_that_is_not_ours_is_refused(door: Door, host: str) -> None:
    request = handshake(
        door, f"Authorization: Bearer {TOKEN.secret}", host=host.replace("{port}", str(door.port))
    )
    said = await exchange(door, request)
    assert said.startswith("HTTP/1.1 403 ")
    assert "the Host is not an address of this daemon" in said


@pytest.mark.parametrize("header", ["Host: localhost", "Origin: x\r\nOrigin: y"])
async def test_a_header_given_twice_is_refused(door: Door, header: str) -> None:
    assert (await exchange(door, handshake(door, header))).startswith("HTTP/1.1 403 ")


@pytest.mark.parametrize("uid", [None, 4711])
async def test_anybody_else_needs_the_token(uid: int | None) -> None:
    async with open_door(peer_uid=lambda local, peer: uid) as door:
        with pytest.raises(InvalidStatus) as caught:
            await talk(door, ask_shop)
        assert caught.value.response.status_code == 401
        assert caught.value.response.headers["WWW-Authenticate"] == "Bearer"
        wrong = {"Authorization": "Bearer wrong"}
        with pytest.raises(InvalidStatus):
            await talk(door, ask_shop, additional_headers=wrong)
        right = {"Authorization": f"Bearer {TOKEN.secret}"}
        assert await talk(door, ask_shop, additional_headers=right) == SHOP


async def test_compression_is_not_offered(door: Door) -> None:
    said = await talk(
        door,
        lambda client: (
            client.response and client.response.headers.get_all("Sec-WebSocket-Extensions")
        ),
    )
    assert said == []


async def test_a_browser_that_looks_in_is_told_what_this_is(door: Door) -> None:
    said = await exchange(door, f"GET / HTTP/1.1\r\nHost: localhost:{door.port}\r\n\r\n".encode())
    assert said.startswith("HTTP/1.1 426 Upgrade Required\r\n")
    assert "This is taskmux." in said


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=["text", "tls", "version", "header", "headers", "path", "body"],
)
async def test_what_cannot_be_read_is_answered_and_hung_up_on(
    door: Door, request_bytes: bytes
) -> None:
    said = await exchange(door, request_bytes)
    assert said.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert "Traceback" not in said


@pytest.mark.parametrize("early", [b"\x89\x80\x00\x00\x00\x00", b"\xff\xff"], ids=["ping", "junk"])
async def test_frames_before_the_handshake_is_done_are_refused(door: Door, early: bytes) -> None:
    said = await exchange(door, handshake(door) + early)
    assert said.startswith("HTTP/1.1 400 Bad Request\r\n")


async def test_an_upgrade_to_something_else_is_answered(door: Door) -> None:
    request = handshake(door).replace(b"Upgrade: websocket", b"Upgrade: h2c")
    assert (await exchange(door, request)).startswith("HTTP/1.1 426 ")


async def test_a_client_that_does_not_finish_its_handshake_is_let_go() -> None:
    async with open_door(patience=Patience(handshake=0.1)) as door:
        assert await exchange(door, b"GET / HTTP/1.1\r\nHost: loc") == ""


async def test_where_all_are_served_nobody_else_is_let_in() -> None:
    async with open_door(most=2) as door, wire(door) as one, wire(door) as other:
        for client in (one, other):
            await client.send(text('{"command": "subscribe"}'))
            assert (await client.answer())["ok"]
        said = await exchange(door, handshake(door))
    assert said.startswith("HTTP/1.1 503 ")
    assert "2 connections are open already" in said


async def test_who_has_been_idle_longest_makes_room() -> None:
    doors = open_door(Limits(idle=0), most=2)
    async with doors as door, wire(door) as silent, wire(door) as other:
        assert await talk(door, ask_shop) == SHOP
        assert await silent.close_code() == 1001
        await other.send(text(ASK_SHOP))
        assert await other.answer() == SHOP


async def test_a_port_that_is_taken_is_an_error_of_the_system(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with open_websocket_door(port, ToyDesk(), home, token=TOKEN, peer_uid=our_uid):
                pass


async def test_a_port_whose_other_half_is_taken_is_one_too(home: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with open_websocket_door(port, ToyDesk(), home, token=TOKEN, peer_uid=our_uid):
                pass
    with socket.create_server(("127.0.0.1", port)):
        pass  # and the first half was given back


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(
    sys.platform != "linux",
    reason="only Linux has the table of sockets, with their users, in /proc",
)
async def test_another_user_is_seen_by_the_kernel() -> None:
    from taskmux.processes.native import peer_uid

    program = """
import encodings.idna, os, socket, sys
os.setuid(65534)
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.sendall(sys.stdin.buffer.read())
print(client.makefile().readline(), end="")
"""
    async with open_door(peer_uid=peer_uid) as door:
        assert await talk(door, ask_shop) == SHOP
        command = [sys.executable, "-c", program, str(door.port)]
        told = await anyio.run_process(command, input=handshake(door))
        assert told.stdout.startswith(b"HTTP/1.1 401 ")
        knowing = handshake(door, f"Authorization: Bearer {TOKEN.secret}")
        told = await anyio.run_process(command, input=knowing)
        assert told.stdout.startswith(b"HTTP/1.1 101 ")

from __future__ import annotations

import json
import struct
from typing import Any

import anyio
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.sync.client import ClientConnection

from taskmux.api.connection import Limits
from taskmux.api.websocket import Patience
from tests.api.toys import MALFORMED, MEGABYTE, seen
from tests.api.visitors import (
    ASK_SHOP,
    SHOP,
    Door,
    ask_shop,
    more,
    open_door,
    talk,
    text,
    wire,
)


@pytest.mark.parametrize(
    "line", [line for line in MALFORMED if len(line) < 64 * 1024], ids=lambda line: repr(line[:24])
)
async def test_a_malformed_message_is_answered_and_the_next_one_understood(
    door: Door, line: bytes
) -> None:
    async with wire(door) as client:
        await client.send(text(line))
        refused = await client.answer()
        assert refused["error"] in {"bad_request", "unknown_command"}
        await client.send(text(ASK_SHOP))
        assert await client.answer() == SHOP


async def test_a_binary_message_is_answered_and_the_next_one_understood(door: Door) -> None:
    async with wire(door) as client:
        await client.send(Frame(Opcode.BINARY, ASK_SHOP.encode()))
        answer = await client.answer()
        assert (answer["error"], answer["message"]) == (
            "bad_request",
            "send text messages, not binary ones",
        )
        await client.send(text(ASK_SHOP))
        assert await client.answer() == SHOP


async def test_a_message_in_fragments_is_put_together(door: Door) -> None:
    async with wire(door) as client:
        await client.send(text(ASK_SHOP[:10], fin=False), more("", fin=False))
        await client.send(Frame(Opcode.PING, b"between"))
        assert (await client.frame()).opcode is Opcode.PONG
        await client.send(more(ASK_SHOP[10:20], fin=False), more(ASK_SHOP[20:]))
        assert await client.answer() == SHOP
        await client.send(text(ASK_SHOP))
        assert await client.answer() == SHOP


async def test_a_ping_is_answered_with_what_it_said(door: Door) -> None:
    async with wire(door) as client:
        await client.send(Frame(Opcode.PING, b"hello"))
        pong = await client.frame()
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"hello")


async def test_a_quick_request_overtakes_a_slow_one(door: Door) -> None:
    async with wire(door) as client:
        await client.send(text(ASK_SHOP.replace("shop", "slow").replace("1", "2")))
        await client.send(text(ASK_SHOP))
        assert await client.answer() == SHOP
        door.desk.release.set()
        assert await client.answer() == seen("slow", id=2)


async def test_an_answer_may_have_five_megabytes(door: Door) -> None:
    def ask(client: ClientConnection) -> Any:
        client.send('{"command": "status", "params": {"session": "big"}}')
        return json.loads(client.recv())

    answer = await talk(door, ask, max_size=None)
    assert len(answer["config"]) == 5 * MEGABYTE


async def test_a_subscription_streams_beside_the_answers(door: Door) -> None:
    async with wire(door) as client:
        await client.send(text('{"command": "subscribe"}'))
        assert await client.answer() == {"command": "subscribe", "ok": True}
        for seq in range(12):
            door.desk.mailbox.put_nowait({"push": "event", "seq": seq})
        assert [(await client.answer())["seq"] for _ in range(10)] == list(range(10))
        assert await client.answer() == {"push": "lost", "count": 2}
        await client.send(text(ASK_SHOP))
        assert await client.answer() == SHOP


async def test_a_client_that_never_reads_is_dropped_and_holds_up_nobody() -> None:
    async with open_door(Limits(send=0.2)) as door, wire(door) as sleeper, wire(door) as other:
        for session in ("slow", "big", "big", "big"):
            await sleeper.send(text(ASK_SHOP.replace("shop", session)))
        for _ in range(100):
            await other.send(text(ASK_SHOP))
            assert await other.answer() == SHOP
        await door.desk.abandoned.wait()  # as every request of somebody who is gone


async def test_a_client_that_went_away_without_a_word_is_noticed() -> None:
    async with open_door(patience=Patience(pulse=0.1)) as door, wire(door) as client:
        await client.send(text(ASK_SHOP.replace("shop", "slow")))
        ping = await client.frame()
        assert ping.opcode is Opcode.PING
        await door.desk.abandoned.wait()  # nobody answered


async def test_a_silent_client_that_answers_pings_stays() -> None:
    async with open_door(patience=Patience(pulse=1)) as door, wire(door) as client:
        for _ in range(2):
            ping = await client.frame()
            assert ping.opcode is Opcode.PING
            await client.send(Frame(Opcode.PONG, bytes(ping.data)))
        await client.send(text(ASK_SHOP))
        assert await client.answer() == SHOP


async def test_a_client_that_says_goodbye_is_answered(door: Door) -> None:
    async with wire(door) as client:
        await client.send(Frame(Opcode.CLOSE, struct.pack("!H", 1000)))
        assert await client.close_code() == CloseCode.NORMAL_CLOSURE


async def test_a_client_that_goes_away_ends_the_waits_of_its_requests(door: Door) -> None:
    async with wire(door) as client:
        await client.send(text(ASK_SHOP.replace("shop", "slow")))
        await door.desk.until_waiting()
    await door.desk.abandoned.wait()


async def test_a_client_that_goes_away_while_its_requests_queue_ends_them_too() -> None:
    async with open_door(Limits(in_flight=1)) as door:
        async with wire(door) as client:
            await client.send(*[text(ASK_SHOP.replace("shop", "slow"))] * 3)
            await door.desk.until_waiting()
            await anyio.wait_all_tasks_blocked()
        await door.desk.abandoned.wait()


async def test_a_daemon_that_ends_says_so() -> None:
    async with anyio.create_task_group() as group:
        opened = anyio.Event()
        scope = anyio.CancelScope()

        async def live() -> None:
            with scope:
                async with open_door() as door:
                    doors.append(door)
                    opened.set()
                    await anyio.sleep_forever()

        doors: list[Door] = []
        group.start_soon(live)
        await opened.wait()
        async with wire(doors[0]) as client:
            await client.send(text(ASK_SHOP))
            await client.answer()
            scope.cancel()
            assert await client.close_code() == CloseCode.GOING_AWAY


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([text("x" * 65537)], 1009),
        ([text("x" * 40000, fin=False), more("x" * 40000)], 1009),
        ([more("x")], 1002),
        ([text("x", fin=False), text("y")], 1002),
        ([Frame(Opcode.CLOSE, b"\x00")], 1002),
        ([Frame(Opcode.CLOSE, struct.pack("!H", 1005))], 1002),
    ],
    ids=["large", "large in pieces", "continuation", "unfinished", "close", "code"],
)
async def test_a_broken_protocol_ends_the_connection_with_the_right_code(
    door: Door, frames: list[Frame], code: int
) -> None:
    async with wire(door) as client:
        await client.send(*frames)
        assert await client.close_code() == code
    assert await talk(door, ask_shop) == SHOP


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x81\x02hi", 1002),
        (b"\xc1\x80\x00\x00\x00\x00", 1002),
        (b"\x83\x80\x00\x00\x00\x00", 1002),
        (b"\x89\xfe\x00\x80\x00\x00\x00\x00" + b"x" * 128, 1002),
        (b"\x09\x80\x00\x00\x00\x00", 1002),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1009),
    ],
    ids=["unmasked", "compressed", "opcode", "long ping", "fragmented ping", "huge"],
)
async def test_bytes_that_are_no_frame_end_the_connection_with_the_right_code(
    door: Door, raw: bytes, code: int
) -> None:
    async with wire(door) as client:
        await client.stream.send(raw)
        assert await client.close_code() == code
    assert await talk(door, ask_shop) == SHOP


async def test_the_longest_message_is_understood(door: Door) -> None:
    head, tail = '{"command":"add","params":{"task":"web","command":"', '"}}'
    room = 64 * 1024 - len(head) - len(tail)
    async with wire(door) as client:
        await client.send(text(head + "x" * room + tail))
        assert (await client.answer())["config"] == str(room)


async def test_an_independent_client_closes_cleanly(door: Door) -> None:
    def leave(client: ClientConnection) -> Any:
        client.close()
        with pytest.raises(ConnectionClosed) as caught:
            client.recv()
        return caught.value.rcvd and caught.value.rcvd.code

    assert await talk(door, leave) == CloseCode.NORMAL_CLOSURE

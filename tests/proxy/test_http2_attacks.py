"""What HTTP/2 lets a client try: none of it reaches a task, or another stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import anyio
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes

from taskmux.proxy import multiplex, stream
from taskmux.proxy.wire import MOST_STREAMS, WINDOW, Broken, Wire
from tests.proxy.h2client import visiting
from tests.proxy.secure import NAME, Secure, secured
from tests.proxy.stage import OK, Talk, answers

HEAD = [
    (b":method", b"POST"),
    (b":scheme", b"https"),
    (b":authority", NAME.encode()),
    (b":path", b"/"),
]


def frame(kind: int, flags: int = 0, body: bytes = b"", stream: int = 0) -> bytes:
    return len(body).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + body


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Secure]:
    async with secured(tmp_path) as secure:
        await secure.stage.serve(answers)
        yield secure


@pytest.mark.parametrize(
    "field",
    [
        (b"x", b"a\r\nTransfer-Encoding: chunked"),
        (b"x\r\ny", b"a"),
        (b"transfer-encoding", b"chunked"),
        (b":path", b"/again"),
    ],
)
async def test_what_is_no_request_ends_its_stream_alone(
    secure: Secure, field: tuple[bytes, bytes]
) -> None:
    async with visiting(secure) as browser:
        answer = await browser.answer(await browser.open([*HEAD, field]))
        assert answer.reset == ErrorCodes.PROTOCOL_ERROR
        assert secure.stage.met == 0
        assert (await browser.answer(await browser.ask())).body == b"ok"


@pytest.mark.parametrize("way", ["short", "long", "short, with trailers"])
async def test_a_body_of_another_length_than_said_is_never_whole(secure: Secure, way: str) -> None:
    asked, left, got = anyio.Event(), anyio.Event(), b""

    async def play(talk: Talk) -> None:
        nonlocal got
        if (await talk.head()).startswith(b"GET"):
            await talk.send(OK)
            return
        asked.set()
        try:
            await talk.rest()
        finally:
            got = talk.got
            left.set()

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream = await browser.open([*HEAD, (b"content-length", b"10")], end=False)
        await asked.wait()
        await browser.send(stream, b"x" * (11 if way == "long" else 5), end=way == "short")
        if way == "short, with trailers":
            browser.h2.send_headers(stream, [(b"sum", b"5")], end_stream=True)
            await browser.flush()
        assert (await browser.answer(stream)).reset == ErrorCodes.PROTOCOL_ERROR
        await left.wait()
        assert (await browser.answer(await browser.ask())).body == b"ok"
    assert len(got) < 10


PING = frame(6, 0, b"12345678")


@pytest.mark.parametrize(
    ("flood", "times", "code"),
    [
        (PING, 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(4), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(4, 0, b"\xff\0\0\0\0\0" * 2000), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(0, 0, b"", 1), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(2, 0, b"\0\0\0\0\0", 1), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(8, 0, b"\0\0\0\1"), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(8, 0, b"\0\0\0\1", 1), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(200, 0, b"", 1), 1100, ErrorCodes.ENHANCE_YOUR_CALM),
        (frame(9, 0, b"", 1), 3, ErrorCodes.PROTOCOL_ERROR),
        (frame(0, 0, b"x", 9), 3, ErrorCodes.PROTOCOL_ERROR),
        (frame(0, 0, b"x", 0), 3, ErrorCodes.PROTOCOL_ERROR),
        (frame(8, 0, b"\x7f\xff\xff\xff"), 3, ErrorCodes.FLOW_CONTROL_ERROR),
        (b"\x00\x40\x01" + b"\0" * 6, 3, ErrorCodes.FRAME_SIZE_ERROR),
    ],
    ids=str,
)
async def test_a_flood_of_frames_ends_the_connection(
    secure: Secure, flood: bytes, times: int, code: ErrorCodes
) -> None:
    async with visiting(secure) as browser:
        await browser.open(HEAD, end=False)
        await browser.raw(flood * times)
        assert await browser.farewell() == code
    async with visiting(secure) as browser:
        assert (await browser.answer(await browser.ask())).body == b"ok"


async def test_who_is_served_may_ask_for_as_much_as_it_takes(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n")
        for _ in range(40):
            await talk.send(b"x" * 1_000_000)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream, pings = await browser.ask(), 0
        answer = browser.answers[stream]
        while not answer.ended:
            await browser.read()
            while pings < len(answer.body) // 16_384:
                browser.h2.ping(b"12345678")
                pings += 1
            await browser.flush()
        assert pings > 2000
        assert len(answer.body) == 40_000_000


async def test_a_flood_of_continuations_ends_the_connection(secure: Secure) -> None:
    async with visiting(secure) as browser:
        await browser.raw(frame(1, 0, b"", 1) + frame(9, 0, b"x", 1) * 100)
        assert await browser.farewell() == ErrorCodes.PROTOCOL_ERROR


async def test_rapid_resets_end_the_connection_and_reach_nobody(secure: Secure) -> None:
    async with visiting(secure) as browser:
        for _ in range(1500):
            number = browser.h2.get_next_available_stream_id()
            browser.h2.send_headers(number, HEAD, end_stream=True)
            browser.h2.reset_stream(number, ErrorCodes.CANCEL)
        with suppress(ConnectionError):
            await browser.flush()
        assert await browser.farewell() == ErrorCodes.ENHANCE_YOUR_CALM
    assert secure.stage.met <= 20  # only those whose reset came in another read


async def test_a_head_that_grows_out_of_little_ends_the_connection(secure: Secure) -> None:
    async with visiting(secure) as browser:
        big = (b"x", b"a" * 4000)
        await browser.open([*HEAD, *[big] * 20])
        assert await browser.farewell() == ErrorCodes.ENHANCE_YOUR_CALM


async def test_more_streams_than_agreed_end_the_connection(secure: Secure) -> None:
    async def hang(talk: Talk) -> None:
        await talk.rest()

    await secure.stage.serve(hang)
    async with visiting(secure) as browser:
        browser.h2.remote_settings.max_concurrent_streams = 1000
        browser.h2.remote_settings.acknowledge()
        for _ in range(MOST_STREAMS + 1):
            number = browser.h2.get_next_available_stream_id()
            browser.h2.send_headers(number, HEAD, end_stream=True)
        await browser.flush()
        assert await browser.farewell() == ErrorCodes.PROTOCOL_ERROR


async def test_more_than_the_window_ends_its_stream_alone(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        if (await talk.head()).startswith(b"GET"):
            await talk.send(OK)
        else:
            await anyio.sleep_forever()

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream = await browser.open(HEAD, end=False)
        size = 0
        while browser.answers[stream].reset is None and size < 200 * WINDOW:
            await browser.raw(frame(0, 0, b"x" * 16_384, stream) * 16)
            size += 16 * 16_384
            with anyio.move_on_after(0.01):
                await browser.read()
        assert browser.answers[stream].reset == ErrorCodes.FLOW_CONTROL_ERROR
        assert (await browser.answer(await browser.ask())).body == b"ok"


async def test_what_is_not_http_2_is_cut_off(secure: Secure) -> None:
    reader, writer = await secure.connect(protocol="h2")
    writer.write(b"GET / HTTP/1.1\r\nHost: api.shop.localhost\r\n\r\n")
    with suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    writer.transport.abort()
    assert secure.stage.met == 0


# Time.


async def test_a_client_has_to_begin_in_time(
    secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiplex, "OPENING", 0.2)
    reader, writer = await secure.connect(protocol="h2")
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM")
    with suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    writer.transport.abort()


async def test_a_connection_that_nobody_uses_is_ended(
    secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiplex, "IDLE", 0.3)
    async with visiting(secure) as browser:
        assert (await browser.answer(await browser.ask())).body == b"ok"
        assert await browser.farewell() == ErrorCodes.NO_ERROR


async def test_pings_keep_no_connection_open(
    secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiplex, "IDLE", 0.3)
    async with visiting(secure) as browser, anyio.create_task_group() as group:

        async def ping() -> None:
            while True:
                await browser.raw(PING + frame(4))
                await anyio.sleep(0.05)

        group.start_soon(ping)
        assert await browser.farewell() == ErrorCodes.NO_ERROR
        group.cancel_scope.cancel()


async def test_an_answer_that_nobody_takes_is_given_up(
    secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STALL", 0.4)
    monkeypatch.setattr(multiplex, "OPENING", 0.1)
    monkeypatch.setattr(multiplex, "IDLE", 0.1)
    left = anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        try:
            await talk.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 40_000_000)
        finally:
            left.set()

    await secure.stage.serve(play)
    async with visiting(secure, window=0) as browser:
        answer = await browser.answer(await browser.ask())
        assert (answer.reset, answer.body) == (ErrorCodes.CANCEL, b"")
        await left.wait()


# Anything at all.


def spoken() -> bytes:
    """Return what a client says that does nothing odd."""
    client = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False))
    client.initiate_connection()
    client.send_headers(1, [*HEAD, (b"content-length", b"300")])
    client.send_data(1, b"x" * 200)
    client.ping(b"12345678")
    client.send_data(1, b"x" * 100, end_stream=True)
    client.send_headers(3, HEAD, priority_weight=5)
    client.send_data(3, b"y" * 50, pad_length=9)
    client.send_headers(3, [(b"sum", b"5")], end_stream=True)
    client.increment_flow_control_window(500)
    client.increment_flow_control_window(500, 1)
    client.send_headers(5, HEAD)
    client.reset_stream(5)
    return client.data_to_send()


def test_whatever_comes_is_read_or_ends_the_connection() -> None:
    said, random = spoken(), Random(11)
    ended = 0
    for _ in range(1500):
        data, wire = bytearray(said), Wire()
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(24, len(data))
            match random.randrange(3):
                case 0:
                    data[at] = random.randrange(256)
                case 1:
                    del data[at : at + random.randrange(12)]
                case _:
                    data[at:at] = random.randbytes(random.randrange(12))
        try:
            while data:
                size = random.randrange(1, 200)
                wire.received(bytes(data[:size]), 0.0)
                del data[:size]
        except Broken:
            ended += 1
        wire.output()
    assert 300 < ended < 1500

"""The proxy, from a client's socket to a task's and back."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest
import websockets

from taskmux.proxy import front
from taskmux.proxy.bodies import LAST_CHUNK
from taskmux.proxy.server import bind
from tests.proxy.stage import GET, HOST, OK, Stage, Talk, answers

POST = b"POST / HTTP/1.1\r\n" + HOST


async def test_connections_are_kept_on_both_sides(stage: Stage) -> None:
    await stage.serve(answers)
    async with stage.client() as client:
        for _ in range(3):
            await client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
            assert await client.exactly(2) == b"ok"
    assert stage.met == 1


async def test_requests_in_a_row_are_answered_in_order(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        while True:
            path = (await talk.head()).split()[1]
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(b"".join(GET.replace(b"/ ", b"/%d " % n, 1) for n in range(5)))
        for number in range(5):
            await client.head()
            assert await client.exactly(2) == b"/%d" % number


async def test_bodies_in_chunks_pass_both_ways_with_what_follows_them(stage: Stage) -> None:
    got: list[bytes] = []

    async def play(talk: Talk) -> None:
        got.append(await talk.head())
        got.append(await talk.until(b"\r\nSum: 5\r\n\r\n"))
        await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n")
        await talk.send(b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nSum: 6\r\nContent-Length: 9\r\n\r\n")
        await talk.rest()

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(
            POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSum: 5\r\n\r\n"
        )
        assert b"\r\nTrailer: Sum\r\n" in await client.head()
        assert await client.until(b"0\r\nSum: 6\r\n\r\n") == b"5\r\nabcde\r\n0\r\nSum: 6\r\n\r\n"
    assert got[1] == b"5\r\nhello\r\n0\r\nSum: 5\r\n\r\n"


async def test_a_body_waits_for_continue(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        assert b"\r\nExpect: 100-continue\r\n" in await talk.head()
        await talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await talk.exactly(5) == b"hello"
        await talk.send(OK)

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"hello")
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_what_is_streamed_comes_at_once(stage: Stage) -> None:
    heard = anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            await talk.send(b"data: %d\n\n" % number)
            await heard.wait()

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        assert b"Transfer-Encoding: chunked" in await client.head()
        assert await client.until(b"0\n\n\r\n") == b"9\r\ndata: 0\n\n\r\n"
        heard.set()
        assert (await client.until(b"0\r\n\r\n")).endswith(b"data: 2\n\n\r\n0\r\n\r\n")
        await client.send(GET)  # the connection stays, though the task's did not
        await client.head()


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_who_reads_slowly_slows_who_sends(stage: Stage, direction: str) -> None:
    size, sent, go_on = 64_000_000, 0, anyio.Event()

    async def pour(talk: Talk) -> None:
        nonlocal sent
        while sent < size:
            await talk.send(b"x" * 1_000_000)
            sent += 1_000_000

    async def play(talk: Talk) -> None:
        await talk.head()
        if direction == "up":
            await go_on.wait()
            await talk.skip(size)
            await talk.send(OK)
        else:
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            await pour(talk)

    await stage.serve(play)
    async with stage.client() as client, anyio.create_task_group() as group:
        if direction == "up":
            await client.send(POST + b"Content-Length: %d\r\n\r\n" % size)
            group.start_soon(pour, client)
        else:
            await client.send(GET)
        before = -1
        while before != sent or sent == 0:  # until nothing moves
            before = sent
            await anyio.sleep(0.3)
        assert sent < size / 2
        go_on.set()
        if direction == "down":
            await client.head()
            await client.skip(size)
        else:
            await client.head()
    assert sent == size


async def test_a_websocket_passes_whatever_its_size(stage: Stage) -> None:
    async def echo(socket: websockets.ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    server = websockets.serve(echo, "127.0.0.1", 0, subprotocols=["vite-hmr"], max_size=None)  # type: ignore[list-item]
    async with server as listening:
        stage.at = listening.sockets[0].getsockname()[1]
        async with websockets.connect(
            f"ws://api.shop.localhost:{stage.port}/",
            host="127.0.0.1",
            subprotocols=["vite-hmr"],  # type: ignore[list-item]
            max_size=None,
        ) as socket:
            assert socket.subprotocol == "vite-hmr"
            for message in ("hi", "x" * 8_000_000, b"\x00" * 3_000_000):
                await socket.send(message)
                assert await socket.recv() == message


async def test_what_comes_with_the_change_of_protocol_is_not_lost(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nfirst"
        )
        assert await talk.exactly(5) == b"early"
        await talk.send(b"last")

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\nearly"
        )
        assert b"\r\nUpgrade: x\r\n" in await client.head()
        assert await client.rest() == b"firstlast"


async def test_one_side_of_a_tunnel_may_end_before_the_other(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
        )
        assert await talk.rest() == b"all of it"
        await talk.send(b"heard")

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n"
        )
        await client.head()
        await client.send(b"all of it")
        client.end()
        assert await client.rest() == b"heard"


async def test_who_will_not_change_answers_as_ever(stage: Stage) -> None:
    await stage.serve(answers)
    async with stage.client() as client:
        await client.send(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        assert await client.exactly(2) == b"ok"
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_change_that_nobody_asked_for_is_a_fault(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
        )
        await talk.rest()

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")


async def test_a_connection_that_was_given_up_meanwhile_is_made_again(stage: Stage) -> None:
    async def once(talk: Talk) -> None:
        await talk.head()
        await talk.send(OK)
        await talk.head()  # and hangs up, when the next one has come

    await stage.serve(once)
    async with stage.client() as client:
        for _ in range(4):
            await client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")
            await client.exactly(2)
    assert stage.met == 4


async def test_what_cannot_be_repeated_is_sent_once(stage: Stage) -> None:
    bodies: list[bytes] = []

    async def play(talk: Talk) -> None:
        while True:
            head = await talk.head()
            if head.startswith(b"POST"):
                bodies.append(await talk.exactly(2))
                return
            await talk.send(OK)

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        await client.head()
        await client.exactly(2)
        await client.send(POST + b"Content-Length: 2\r\n\r\nhi")
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")
    assert bodies == [b"hi"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nX\r\n",
    ],
)
async def test_half_an_answer_is_never_taken_for_a_whole_one(stage: Stage, answer: bytes) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(answer[:-1])
        await talk.send(answer[-1:])

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        with suppress(ConnectionError):
            await client.rest()
        assert not client.got.endswith(LAST_CHUNK)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_none_is_said_to_be(stage: Stage, answer: bytes) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        if answer:
            await talk.send(answer)

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")


async def test_what_is_refused_reaches_nobody_and_ends_the_connection(stage: Stage) -> None:
    await stage.serve(answers)
    async with stage.client() as client:
        both = b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"
        await client.send(GET + POST + both + GET)
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        await client.exactly(2)
        found = await client.rest()
        assert found.startswith(b"HTTP/1.1 400 ")
        assert found.count(b"HTTP/1.1") == 1
    assert stage.met == 1


async def test_a_body_that_is_malformed_on_the_way_ends_it(stage: Stage) -> None:
    ended = anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        try:
            await talk.rest()
        finally:
            ended.set()

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        await client.send(b"5\r\nhello\r\nX\r\n")
        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
        await ended.wait()


async def test_who_sends_no_more_is_answered(stage: Stage) -> None:
    await stage.serve(answers)
    async with stage.client() as client:
        await client.send(GET)
        client.end()
        assert (await client.rest()).endswith(b"ok")


async def test_an_answer_may_come_before_the_question_is_whole(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(POST + b"Content-Length: 100000\r\n\r\nsome")
        assert b"\r\nConnection: close\r\n" in await client.head()
        assert await client.exactly(2) == b"no"


async def test_a_task_that_listens_on_v6_alone_is_found(stage: Stage) -> None:
    await stage.serve(answers, "::1")
    async with stage.client() as client:
        for _ in range(2):
            await client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")
            await client.exactly(2)


async def test_nobody_there_is_said_and_the_connection_stays(stage: Stage) -> None:
    [listener] = bind(["127.0.0.1"], 0)
    stage.at = listener.getsockname()[1]
    listener.close()
    async with stage.client() as client:
        await client.send(GET.replace(b"\r\n\r\n", b"\r\nAccept: application/json\r\n\r\n"))
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nX-Taskmux-Error: task_down\r\n" in head
        assert b'"error_code": "task_down"' in await client.until(b"}")
        await stage.serve(answers)
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_name_that_is_nobodys_is_said_to_be(stage: Stage) -> None:
    async with stage.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 404 ")
    assert stage.met == 0


async def test_a_request_that_goes_in_circles_is_stopped(stage: Stage) -> None:
    stage.at = stage.port
    async with stage.client() as client:
        await client.send(GET)
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 508 ")


async def test_who_goes_away_is_missed_by_nobody(stage: Stage) -> None:
    asked, left = anyio.Event(), anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        asked.set()
        try:
            await talk.rest()
        finally:
            left.set()

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        await asked.wait()
        client.reset()
    await left.wait()


async def test_a_head_has_to_come_in_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "HEAD", 0.2)
    async with stage.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost:")
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_nobody_uses_is_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "IDLE", 0.2)
    await stage.serve(answers)
    async with stage.client() as client:
        await client.send(GET)
        assert (await client.rest()).endswith(b"ok")
    assert not stage.proxy.guests


async def test_head_has_no_body(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        while True:
            await talk.head()
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")

    await stage.serve(play)
    async with stage.client() as client:
        for _ in range(2):
            await client.send(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert b"\r\nContent-Length: 500\r\n" in await client.head()

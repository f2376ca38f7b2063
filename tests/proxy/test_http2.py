"""HTTP/2, from a client's streams to a task's connections and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
import websockets
from anyio import run_process
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from taskmux.proxy.server import bind
from tests.proxy.h2client import Browser, head, visiting
from tests.proxy.secure import NAME, Secure, secured
from tests.proxy.stage import OK, Held, Talk, answers


def socket(path: bytes = b"/", *more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Return what asks for a WebSocket."""
    return [
        (b":method", b"CONNECT"),
        (b":protocol", b"websocket"),
        (b":scheme", b"https"),
        (b":authority", NAME.encode()),
        (b":path", path),
        (b"sec-websocket-version", b"13"),
        *more,
    ]


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Secure]:
    async with secured(tmp_path) as secure:
        await secure.stage.serve(answers)
        yield secure


async def test_many_requests_go_over_one_connection(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        while True:
            path = (await talk.head()).split()[1]
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        for _ in range(2):
            streams = [await browser.ask(f"/{number}") for number in range(100)]
            for number, stream in enumerate(streams):
                answer = await browser.answer(stream)
                assert (answer.status, answer.body) == (200, b"/%d" % number)


async def test_the_task_hears_what_http_1_says(secure: Secure) -> None:
    heads: list[bytes] = []

    async def play(talk: Talk) -> None:
        heads.append(await talk.head())
        await talk.send(OK)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        answer = await browser.answer(
            await browser.ask("/a", (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x", b"y"))
        )
    assert answer.fields == [(b":status", b"200"), (b"content-length", b"2")]
    [head] = heads
    assert head.startswith(b"GET /a HTTP/1.1\r\nhost: api.shop.localhost\r\n")
    for line in (
        b"cookie: a=1; b=2",
        b"x: y",
        b"X-Forwarded-For: 127.0.0.1",
        b"X-Forwarded-Host: api.shop.localhost",
        b"X-Forwarded-Port: %d" % secure.stage.port,
        b"X-Forwarded-Proto: https",
        b"X-Taskmux-Hops: 1",
    ):
        assert b"\r\n" + line + b"\r\n" in head


async def test_head_has_no_body(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        while True:
            await talk.head()
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        answer = await browser.answer(await browser.ask(method="HEAD"))
        assert (dict(answer.fields)[b"content-length"], answer.body) == (b"500", b"")
        answer = await browser.answer(await browser.ask(method="HEAD", host="evil.example"))
        assert (answer.status, answer.body) == (421, b"")
        answer = await browser.answer(
            await browser.ask("/", (b"host", b"other.localhost"), method="HEAD")
        )
        assert (answer.status, answer.body) == (400, b"")


async def test_bodies_pass_both_ways_with_what_follows_them(secure: Secure) -> None:
    got: list[bytes] = []

    async def play(talk: Talk) -> None:
        got.append(await talk.head())
        got.append(await talk.until(b"\r\n0\r\nsum: 5\r\n\r\n"))
        await talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n")
        await talk.send(b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nSum: 6\r\nContent-Length: 9\r\n\r\n")

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream = await browser.ask("/", (b"te", b"trailers"), method="POST", end=False)
        await browser.send(stream, b"hello")
        browser.h2.send_headers(stream, [(b"sum", b"5")], end_stream=True)
        await browser.flush()
        answer = await browser.answer(stream)
    assert answer.early == [[(b":status", b"103"), (b"link", b"</a>")]]
    assert answer.fields == [(b":status", b"200"), (b"trailer", b"Sum")]
    assert (answer.body, answer.trailers) == (b"abcde", [(b"sum", b"6")])
    assert got[1].endswith(b"5\r\nhello\r\n0\r\nsum: 5\r\n\r\n")


async def test_a_body_waits_for_continue(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        assert b"\r\nexpect: 100-continue\r\n" in await talk.head()
        await talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await talk.exactly(5) == b"hello"
        await talk.send(OK)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        fields = (b"content-length", b"5"), (b"expect", b"100-continue")
        stream = await browser.ask("/", *fields, method="POST", end=False)
        await browser.until(lambda: browser.answers[stream].early)
        await browser.send(stream, b"hello", end=True)
        assert (await browser.answer(stream)).body == b"ok"


async def test_what_is_streamed_comes_at_once(secure: Secure) -> None:
    heard = anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await talk.send(b"data: 0\n\n")
        await heard.wait()
        await talk.send(b"data: 1\n\n")

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream = await browser.ask()
        await browser.until(lambda: browser.answers[stream].body == b"data: 0\n\n")
        heard.set()
        assert (await browser.answer(stream)).body == b"data: 0\n\ndata: 1\n\n"


async def test_a_browser_that_takes_nothing_slows_its_own_task_alone(secure: Secure) -> None:
    size, sent = 32_000_000, 0

    async def play(talk: Talk) -> None:
        nonlocal sent
        while True:
            path = (await talk.head()).split()[1]
            if path != b"/big":
                await talk.send(OK)
                continue
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            while sent < size:
                await talk.send(b"x" * 500_000)
                sent += 500_000

    await secure.stage.serve(play)
    async with visiting(secure, window=100_000) as browser:
        big = await browser.ask("/big")
        await browser.until(lambda: len(browser.answers[big].body) == 100_000)
        before = -1
        while before != sent:  # until nothing moves
            before = sent
            await anyio.sleep(0.2)
            assert (await browser.answer(await browser.ask())).body == b"ok"
        assert sent < size / 2
        browser.takes = True
        browser.h2.acknowledge_received_data(100_000, big)
        await browser.flush()
        assert len((await browser.answer(big)).body) == size


async def test_a_task_that_takes_nothing_slows_its_own_stream_alone(secure: Secure) -> None:
    size, go_on, got = 16_000_000, anyio.Event(), 0

    async def play(talk: Talk) -> None:
        nonlocal got
        while True:
            if not (await talk.head()).startswith(b"POST"):
                await talk.send(OK)
                continue
            await go_on.wait()
            await talk.skip(size)
            got = size
            await talk.send(OK)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        length = (b"content-length", b"%d" % size)
        up = await browser.ask("/", length, method="POST", end=False)
        sent = 0
        while True:  # until there is no room left
            while room := min(browser.h2.local_flow_control_window(up), 16_384):
                browser.h2.send_data(up, b"x" * room)
                sent += room
                await browser.flush()
            assert (await browser.answer(await browser.ask())).body == b"ok"
            if not browser.h2.local_flow_control_window(up):
                with anyio.move_on_after(0.3):
                    await browser.until(lambda: browser.h2.local_flow_control_window(up))
                if not browser.h2.local_flow_control_window(up):
                    break
        assert sent < size / 2
        go_on.set()
        await browser.send(up, b"x" * (size - sent), end=True)
        assert (await browser.answer(up)).body == b"ok"
    assert got == size


async def test_big_answers_share_a_connection(secure: Secure) -> None:
    size = 3_000_000

    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        one, two = await browser.ask(), await browser.ask()
        await browser.until(lambda: any(answer.ended for answer in browser.answers.values()))
        assert min(len(answer.body) for answer in browser.answers.values()) > size / 4
        assert len((await browser.answer(one)).body) == size
        assert len((await browser.answer(two)).body) == size


async def test_an_answer_may_come_before_the_question_is_whole(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream = await browser.ask("/", (b"content-length", b"100000"), method="POST", end=False)
        answer = await browser.answer(stream)
        assert (answer.status, answer.body) == (413, b"no")
        await browser.until(lambda: answer.reset == ErrorCodes.NO_ERROR)
        await secure.stage.serve(answers)
        assert (await browser.answer(await browser.ask())).body == b"ok"


# Names, and what is said where nobody is.


async def test_a_connection_goes_for_all_hosts_of_a_project_and_no_others(secure: Secure) -> None:
    async with visiting(secure) as browser:
        found = await browser.answer(await browser.ask(host="web.shop.localhost"))
        assert found.status == 200
        found = await browser.answer(await browser.ask(host="api.blog.localhost"))
        assert found.status == 421
        found = await browser.answer(await browser.ask())
        assert found.status == 200


async def test_pages_come_as_ever(secure: Secure) -> None:
    async with visiting(secure, "blog.localhost") as browser:
        accept = (b"accept", b"application/json")
        found = await browser.answer(await browser.ask("/", accept, host="blog.localhost"))
        assert found.status == 404
        assert dict(found.fields)[b"x-taskmux-error"] == b"unknown_host"
        assert b'"error_code": "unknown_host"' in found.body
        assert dict(found.fields)[b"content-length"] == b"%d" % len(found.body)


async def test_nobody_there_is_said_and_the_connection_stays(secure: Secure) -> None:
    [listener] = bind(["127.0.0.1"], 0)
    secure.stage.at = listener.getsockname()[1]
    listener.close()
    async with visiting(secure) as browser:
        found = await browser.answer(await browser.ask())
        assert (found.status, dict(found.fields)[b"retry-after"]) == (503, b"1")
        await secure.stage.serve(answers)
        assert (await browser.answer(await browser.ask())).status == 200


async def test_an_answer_that_is_none_is_said_to_be(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"nonsense\r\n\r\n")

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        assert (await browser.answer(await browser.ask())).status == 502


async def test_a_task_that_breaks_off_ends_its_stream_alone(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        if b"/half" in await talk.head():
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        else:
            await talk.send(OK)

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        half = await browser.answer(await browser.ask("/half"))
        assert (half.reset, half.ended) == (ErrorCodes.INTERNAL_ERROR, False)
        assert (await browser.answer(await browser.ask())).body == b"ok"


async def test_a_stream_that_is_reset_is_missed_by_nobody(secure: Secure) -> None:
    asked, left = anyio.Event(), anyio.Event()

    async def play(talk: Talk) -> None:
        if b"/hang" not in await talk.head():
            await talk.send(OK)
            return
        asked.set()
        try:
            await talk.rest()
        finally:
            left.set()

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        hang = await browser.ask("/hang")
        await asked.wait()
        browser.h2.reset_stream(hang, ErrorCodes.CANCEL)
        await browser.flush()
        await left.wait()
        assert (await browser.answer(await browser.ask())).body == b"ok"


async def test_who_goes_away_leaves_nothing_behind(secure: Secure) -> None:
    asked, left = anyio.Event(), anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        asked.set()
        try:
            await talk.rest()
        finally:
            left.set()

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        await browser.ask()
        await asked.wait()
    await left.wait()


async def test_who_asks_for_nothing_more_gets_what_was_asked_for(secure: Secure) -> None:
    held = Held()
    await secure.stage.serve(held.play)
    async with visiting(secure) as browser:
        stream = await browser.ask()
        await held.asked.wait()
        await browser.raw(b"\0\0\x08\x07\0\0\0\0\0" + b"\0" * 8)  # GOAWAY
        held.go_on.set()
        assert (await browser.answer(stream)).body == b"ok"
        assert await browser.farewell() == ErrorCodes.NO_ERROR


async def test_when_all_have_to_go_what_was_asked_is_answered(secure: Secure) -> None:
    held = Held()
    await secure.stage.serve(held.play)
    async with visiting(secure) as browser, visiting(secure) as idle:
        await idle.until(lambda: idle.events)
        stream = await browser.ask()
        await held.asked.wait()
        secure.stage.proxy.pause()
        assert await idle.farewell() == ErrorCodes.NO_ERROR
        later = await browser.answer(await browser.ask())
        assert (browser.last, later.reset) == (stream, ErrorCodes.REFUSED_STREAM)
        secure.stage.proxy.pause()
        given_up = browser.h2.get_next_available_stream_id()
        browser.h2.send_headers(given_up, head(), end_stream=True)
        browser.h2.reset_stream(given_up)
        later = await browser.answer(await browser.ask())
        assert (browser.last, later.reset) == (stream, ErrorCodes.REFUSED_STREAM)
        held.go_on.set()
        assert (await browser.answer(stream)).body == b"ok"
        assert await browser.farewell() == ErrorCodes.NO_ERROR
    secure.stage.proxy.resume()
    async with visiting(secure) as browser:
        assert (await browser.answer(await browser.ask())).body == b"ok"


# WebSockets.


class Socket:
    """The WebSocket of a browser, over one stream."""

    def __init__(self, browser: Browser, stream: int) -> None:
        self.browser = browser
        self.stream = stream
        self.seen = 0

    async def send(self, opcode: Opcode, data: bytes) -> None:
        frame = Frame(opcode, data).serialize(mask=True)
        await self.browser.send(self.stream, frame)

    async def take(self, size: int) -> bytes:
        """Return so many bytes that came."""
        answer = self.browser.answers[self.stream]
        await self.browser.until(lambda: len(answer.body) >= self.seen + size or answer.ended)
        found = answer.body[self.seen : self.seen + size]
        self.seen += len(found)
        return bytes(found)


async def test_a_websocket_passes_whatever_its_size(secure: Secure) -> None:
    async def echo(socket: websockets.ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.headers["Origin"] == "https://x"
        async for message in socket:
            await socket.send(message)

    async with websockets.serve(
        echo,
        "127.0.0.1",
        0,
        subprotocols=["vite-hmr"],  # type: ignore[list-item]
        compression=None,
        max_size=None,
    ) as listening:
        secure.stage.at = next(iter(listening.sockets)).getsockname()[1]
        async with visiting(secure) as browser:
            await browser.until(lambda: browser.h2.remote_settings.enable_connect_protocol)
            more = (b"origin", b"https://x"), (b"sec-websocket-protocol", b"vite-hmr")
            stream = await browser.open(socket(b"/", *more), end=False)
            answer = browser.answers[stream]
            await browser.until(lambda: answer.fields)
            assert answer.status == 200
            fields = dict(answer.fields)
            assert fields[b"sec-websocket-protocol"] == b"vite-hmr"
            assert not {b"sec-websocket-accept", b"upgrade", b"connection"} & fields.keys()
            ours = Socket(browser, stream)
            for size, header in ((2, 2), (8_000_000, 10)):
                await ours.send(Opcode.BINARY, b"x" * size)
                assert (await ours.take(header + size))[header:] == b"x" * size
            await ours.send(Opcode.CLOSE, b"\x03\xe8")
            await browser.until(lambda: answer.ended)
            browser.h2.end_stream(stream)
            await browser.flush()


async def test_one_side_of_a_tunnel_may_end_before_the_other(secure: Secure) -> None:
    async def play(talk: Talk) -> None:
        head = await talk.head()
        await talk.send(shaken(head) + b"first")
        assert await talk.rest() == b"early, late"
        await talk.send(b", last")

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        stream = await browser.open(socket(), end=False)
        await browser.send(stream, b"early")
        await browser.until(lambda: browser.answers[stream].body == b"first")
        await browser.send(stream, b", late", end=True)
        assert (await browser.answer(stream)).body == b"first, last"


def shaken(head: bytes) -> bytes:
    """Return the answer of a server that speaks WebSocket."""
    [key] = [line[19:] for line in head.split(b"\r\n") if line.startswith(b"sec-websocket-key")]
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key.decode())}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_a_tunnel_that_breaks_is_reset_and_one_that_is_reset_breaks(secure: Secure) -> None:
    left = anyio.Event()

    async def play(talk: Talk) -> None:
        head = await talk.head()
        await talk.send(shaken(head))
        if b"/break" in head:
            await talk.exactly(1)
            talk.reset()
            return
        try:
            await talk.rest()
        finally:
            left.set()

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        broken = await browser.open(socket(b"/break"), end=False)
        await browser.until(lambda: browser.answers[broken].fields)
        await browser.send(broken, b"x")
        assert (await browser.answer(broken)).reset == ErrorCodes.CANCEL
        stream = await browser.open(socket(), end=False)
        await browser.until(lambda: browser.answers[stream].fields)
        browser.h2.reset_stream(stream, ErrorCodes.CANCEL)
        await browser.flush()
        await left.wait()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 502),
        (b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", 403),
        (
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: no\r\n\r\n",
            502,
        ),
    ],
)
async def test_a_websocket_is_not_open_unless_the_task_opens_it(
    secure: Secure, answer: bytes, status: int
) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(answer)
        await talk.rest()

    await secure.stage.serve(play)
    async with visiting(secure) as browser:
        found = await browser.answer(await browser.open(socket(), end=False))
        assert found.status == status


# Other people's clients.

NODE = """
const http2 = require("http2"), fs = require("fs");
const session = http2.connect("https://api.shop.localhost:PORT", {
  ca: fs.readFileSync("ROOT"), lookup: (name, options, done) => done(null, [{
    address: "127.0.0.1", family: 4}]),
});
let left = 20;
for (let n = 0; n < 20; n++) {
  const ask = session.request({":path": "/" + n, ":method": "POST"});
  let got = "";
  ask.on("response", fields => { got += fields[":status"]; });
  ask.on("data", piece => { got += piece; });
  ask.on("end", () => {
    if (got !== "200ok") throw new Error(got);
    if (--left === 0) session.close();
  });
  ask.end("x".repeat(200000));
}
"""


async def test_curl_and_node_are_served(secure: Secure, tmp_path: Path) -> None:
    async def play(talk: Talk) -> None:
        while True:
            if (await talk.head()).startswith(b"POST"):
                while piece := await talk.until(b"\r\n"):
                    size = int(piece, 16)
                    await talk.exactly(size + 2)
                    if not size:
                        break
            await talk.send(OK)

    await secure.stage.serve(play)
    url, at = f"https://{NAME}:{secure.stage.port}/", f"{NAME}:{secure.stage.port}:127.0.0.1"
    curl = ["curl", "-s", "--http2", "--cacert", str(secure.root), "--resolve", at]
    found = await run_process([*curl, "-w", " %{http_version}", url])
    assert found.stdout == b"ok 2"
    script = NODE.replace("PORT", str(secure.stage.port)).replace("ROOT", str(secure.root))
    await run_process(["node", "-e", script])


async def test_settings_are_said_at_once(secure: Secure) -> None:
    async with visiting(secure) as browser:
        settings = browser.h2.remote_settings
        await browser.until(lambda: settings.enable_connect_protocol)
        assert settings[SettingCodes.MAX_CONCURRENT_STREAMS] == 128
        assert settings[SettingCodes.MAX_HEADER_LIST_SIZE] == 65_536
        assert settings.initial_window_size == 262_144

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import AnyByteStream, Listener, SocketAttribute
from anyio.streams.tls import TLSListener

from taskmux.contracts import HealthProbe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.probes.exchange import MOST, Answer
from taskmux.probes.url import UrlProbe, judge
from taskmux.testing import AskingProbeContract, probe_target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Oh\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n"
CUT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nrea"
HERE = "http://localhost:$PORT/health"


class Server:
    """Answers every request with `reply`, or with silence if there is none."""

    def __init__(self, reply: bytes | None) -> None:
        self.reply = reply
        self.requests: list[str] = []
        self.asked, self.left = anyio.Event(), anyio.Event()

    async def handle(self, stream: AnyByteStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request and not request.startswith(b"\x16"):  # of TLS
                request += await stream.receive()
            self.requests.append(request.decode("latin-1"))
            self.asked.set()
            if self.reply is not None:
                await stream.send(self.reply)
                return
            with suppress(anyio.EndOfStream):
                await stream.receive()
            self.left.set()


@asynccontextmanager
async def serving(
    folder: Path,
    server: Server,
    address: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    **table: Any,
) -> AsyncIterator[ProbeTarget]:
    plain = await anyio.create_tcp_listener(local_host=address)
    port = plain.extra(SocketAttribute.local_port)
    listener: Listener[Any] = TLSListener(plain, tls, standard_compatible=False) if tls else plain
    task = TaskFacts("web", **{"health_url": HERE} | table)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, server.handle)
        yield probe_target(task, folder, port=port)
        group.cancel_scope.cancel()


async def ask(folder: Path, reply: bytes | None, **table: Any) -> ProbeResult:
    async with serving(folder, Server(reply), **table) as target:
        return await UrlProbe().prepare(target)()


class TestUrl(AskingProbeContract):
    def make(self) -> HealthProbe:
        return UrlProbe()

    def well(self, folder: Path) -> Any:
        return serving(folder, Server(OK))

    def unwell(self, folder: Path) -> Any:
        return serving(folder, Server(BROKEN))

    def silent(self, folder: Path) -> Any:
        return serving(folder, Server(None))


@pytest.mark.parametrize(
    ("reply", "table", "ok", "detail"),
    [
        (OK, {}, True, "HTTP 200"),
        (BROKEN, {}, False, "HTTP 500"),
        (BROKEN, {"health_expected_status": 500}, True, "HTTP 500"),
        (MOVED, {}, False, "HTTP 302"),
        (MOVED, {"health_expected_status": 302}, True, "HTTP 302"),
        (OK, {"health_expected_body": "ready"}, True, "HTTP 200"),
        (CHUNKED, {"health_expected_body": "ready"}, True, "HTTP 200"),
        (OK, {"health_expected_body": "done"}, False, "HTTP 200, body lacks 'done'"),
        (CUT, {"health_expected_body": "ready"}, False, "the answer broke off"),
        (b"SSH-2.0-x\r\n", {}, False, "no HTTP spoken there"),
        (b"", {}, False, "hung up without an answer"),
        (OK, {"health_url": "https://localhost:$PORT"}, False, "no TLS spoken there"),
        (None, {"health_timeout": 0.05}, False, "no answer within 0.05 s"),
    ],
)
async def test_what_an_answer_means(
    tmp_path: Path, reply: bytes | None, table: dict[str, Any], ok: bool, detail: str
) -> None:
    assert await ask(tmp_path, reply, **table) == ProbeResult(ok, detail)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [('id="__next"', True), ("a.c", True), ("^x", False), ("f(", True), ("g(", False)],
)
def test_a_body_is_searched_for_the_text_and_then_for_the_pattern(wanted: str, found: bool) -> None:
    answer = Answer(200, b'<p id="__next">abc f(x)')
    assert judge(answer, TaskFacts("web", health_expected_body=wanted)).ok is found


@pytest.mark.parametrize(("before", "ok"), [(MOST - 5, True), (MOST - 4, False)])
async def test_only_the_beginning_of_a_body_counts(tmp_path: Path, before: int, ok: bool) -> None:
    reply = b"HTTP/1.0 200 OK\r\n\r\n" + b" " * before + b"ready"
    assert (await ask(tmp_path, reply, health_expected_body="ready")).ok is ok


async def test_a_body_nobody_asked_for_is_not_waited_for(tmp_path: Path) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"
    assert (await ask(tmp_path, endless)).ok


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("host", ["localhost", "api.shop.localhost"])
async def test_localhost_is_both_loopbacks(tmp_path: Path, address: str, host: str) -> None:
    server = Server(OK)
    url = f"http://{host}:$PORT/"
    async with serving(tmp_path, server, address, health_url=url) as target:
        assert (await UrlProbe().prepare(target)()).ok
    assert f"Host: {host}:{target.port}\r\n" in server.requests[0]


async def test_asks_politely(tmp_path: Path) -> None:
    server = Server(OK)
    url = "http://me:pw@127.0.0.1:${PORT}/a%20b?c=d"
    async with serving(tmp_path, server, health_url=url) as target:
        await UrlProbe().prepare(target)()
    assert server.requests == [
        f"GET /a%20b?c=d HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: 127.0.0.1:{target.port}\r\n"
        "Accept: */*\r\nUser-Agent: taskmux\r\nAuthorization: Basic bWU6cHc=\r\n"
        "Connection: close\r\n\r\n"
    ]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger"]
    run = partial(subprocess.run, check=True, capture_output=True)
    run([*make, "-keyout", str(key), "-out", str(cert)])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_on_this_machine_is_not_looked_at(
    tmp_path: Path, certificate: ssl.SSLContext, host: str
) -> None:
    url = f"https://{host}:$PORT"
    async with serving(tmp_path, Server(OK), tls=certificate, health_url=url) as target:
        assert await UrlProbe().prepare(target)() == ProbeResult(True, "HTTP 200")


async def test_a_refusal_on_the_tasks_own_port_says_where_it_listens(tmp_path: Path) -> None:
    now = 100.0

    async def elsewhere() -> list[int]:
        return [5173]

    def life(url: str) -> ProbeTarget:
        return probe_target(TaskFacts("web", health_url=url), tmp_path, listening=elsewhere)

    probe = UrlProbe(lambda: now)
    own, foreign = probe.prepare(life(HERE)), probe.prepare(life("http://localhost:2/"))
    assert await own() == ProbeResult(False, "connection refused")
    now += 1
    assert await own() == ProbeResult(False, "listening on 5173, expected 1")
    assert await foreign() == ProbeResult(False, "connection refused")


async def test_a_question_given_up_hangs_up(tmp_path: Path) -> None:
    server = Server(None)
    async with serving(tmp_path, server, health_timeout=3600) as target:

        async def pose() -> None:
            await UrlProbe().prepare(target)()

        async with anyio.create_task_group() as group:
            group.start_soon(pose)
            await server.asked.wait()
            group.cancel_scope.cancel()
        with anyio.fail_after(10):
            await server.left.wait()


def test_applies_where_there_is_an_address_that_can_be_meant() -> None:
    assert UrlProbe().applies(TaskFacts("web", health_url=HERE))
    assert not UrlProbe().applies(TaskFacts("web"))
    with pytest.raises(ValueError, match="is not like http://localhost"):
        UrlProbe().applies(TaskFacts("web", health_url="localhost:$PORT"))
    with pytest.raises(ValueError, match="'health_url' needs health_url beside it"):
        UrlProbe().applies(TaskFacts("web", health_probe="health_url"))

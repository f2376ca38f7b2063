"""Django and uvicorn behind the proxy."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from subprocess import run
from urllib.parse import urlencode, urlsplit

import pytest
from websockets import Subprotocol
from websockets.sync.client import connect

from tests.e2e.site import Site

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

GIGABYTE = 2**30

APP = """
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "shop"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"].upper()})
        return
    if scope["type"] != "http":
        return
    kind, _, number = scope["path"].strip("/").partition("/")
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"text/event-stream" if kind == "ticks" else b"text/plain"),
    ]})
    await globals()[kind](receive, send, int(number or 0))
    await send({"type": "http.response.body", "body": b""})

async def said(receive, send, _):
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.body", "body": b"%d" % size, "more_body": True})

async def zeros(receive, send, number):
    for _ in range(number >> 20):
        await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})

async def ticks(receive, send, number):
    for tick in range(number):
        body = b"data: %d\\n\\n" % tick
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(1)
"""

UVICORN = """
[tasks.api]
command = "'{python}' -m uvicorn app:app --port $PORT --log-level warning"
host = "api"
"""

DJANGO = """
[tasks.web]
command = "'{python}' manage.py runserver $PORT"
host = "@"
"""


@contextmanager
def visit(url: str, context: ssl.SSLContext) -> Iterator[HTTPSConnection]:
    """Yield a connection to a task, which is found without asking a name server."""
    place = urlsplit(url)
    assert place.hostname is not None

    class Here(HTTPSConnection):
        def connect(self) -> None:
            self.host, name = "127.0.0.1", self.host
            try:
                super(HTTPSConnection, self).connect()
            finally:
                self.host = name
            self.sock = context.wrap_socket(self.sock, server_hostname=name)

    connection = Here(place.hostname, place.port or 443, timeout=120)
    try:
        yield connection
    finally:
        connection.close()


def authority(site: Site) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(site.home / "ca" / "root.pem"))


@pytest.fixture
def api(site: Site, python: Path) -> str:
    """The address of a server of uvicorn's."""
    (site.folder / "app.py").write_text(APP)
    site.write(UVICORN.format(python=python))
    site.ask("start")
    url: str = site.tasks()["api"]["url"]
    return url


def peak(pid: int) -> int:
    """Return the most memory that a process ever had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def test_two_gigabytes_go_both_ways_and_take_no_memory(site: Site, api: str) -> None:
    pid = site.daemon_pid()
    assert pid is not None
    with visit(api, authority(site)) as connection:
        connection.request("GET", f"/zeros/{1 << 20}")
        connection.getresponse().read()
        before = peak(pid)
        connection.request("GET", f"/zeros/{2 * GIGABYTE}")
        answer, size = connection.getresponse(), 0
        while piece := answer.read(1 << 20):
            size += len(piece)
        assert size == 2 * GIGABYTE
        piece = bytes(1 << 20)
        connection.request(
            "POST",
            "/said",
            (piece for _ in range(2048)),
            {"Content-Length": str(2 * GIGABYTE)},
        )
        assert connection.getresponse().read() == b"%d" % (2 * GIGABYTE)
    assert peak(pid) - before < 32 << 20


def test_what_a_stream_says_comes_as_it_is_said_for_a_minute(site: Site, api: str) -> None:
    with visit(api, authority(site)) as connection:
        connection.request("GET", "/ticks/61")
        answer = connection.getresponse()
        began, came = time.monotonic(), []
        while line := answer.readline():
            if line.startswith(b"data: "):
                came.append((int(line[6:]), time.monotonic() - began))
    assert [number for number, _ in came] == list(range(61))
    # Whatever keeps pieces back gives many at once: each came nearer to its own second than that.
    assert max(abs(at - number) for number, at in came) < 10


def test_a_websocket_of_uvicorn_s(site: Site, api: str) -> None:
    place = urlsplit(api)
    with connect(
        api.replace("https", "wss"),
        sock=socket.create_connection(("127.0.0.1", place.port or 443)),
        ssl=authority(site),
        subprotocols=[Subprotocol("shop")],
    ) as talk:
        assert talk.subprotocol == "shop"
        talk.send("hello")
        assert talk.recv(30) == "HELLO"


def test_who_is_logged_in_to_django_stays_so(site: Site, python: Path) -> None:
    run([python, "-m", "django", "startproject", "shop", "."], cwd=site.folder, check=True)
    settings = site.folder / "shop" / "settings.py"
    secure = 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\n'
    settings.write_text(f"{settings.read_text()}\n{secure}")
    manage = [str(python), "manage.py"]
    run([*manage, "migrate"], cwd=site.folder, check=True, capture_output=True)
    environ = {"DJANGO_SUPERUSER_PASSWORD": "secret", "PATH": "/usr/bin:/bin"}
    user = ["createsuperuser", "--noinput", "--username", "joe", "--email", "joe@example.com"]
    run([*manage, *user], cwd=site.folder, check=True, capture_output=True, env=environ)
    site.write(DJANGO.format(python=python))
    site.ask("start")
    url = site.tasks()["web"]["url"]
    with visit(url, authority(site)) as connection:
        connection.request("GET", "/admin/login/?next=/admin/")
        answer = connection.getresponse()
        page = answer.read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        assert token is not None
        fields = {"username": "joe", "password": "secret", "csrfmiddlewaretoken": token[1]}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie,
            "Origin": url,
            "Referer": f"{url}/admin/login/",
        }
        connection.request("POST", "/admin/login/?next=/admin/", urlencode(fields), headers)
        answer = connection.getresponse()
        assert answer.status == 302, answer.read()
        assert answer.getheader("Location") == "/admin/"

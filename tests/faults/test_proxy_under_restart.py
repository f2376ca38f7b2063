"""Who asks a task through the proxy while the daemon executes its program anew, or ends."""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.e2e.conftest import make_site
from tests.e2e.site import QUIET, Site

SERVER = """
import http.server, time
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path != "/": time.sleep(float(self.path[1:]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
import os; Server(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
CLIENTS = 8
NAME = "api.shop.localhost"


@pytest.fixture
def site(home: Any) -> Iterator[Site]:
    site = make_site(home.parent)
    quiet = QUIET.replace("proxy_enabled = false", "proxy_enabled = true")
    ports = "proxy_https_port = 0\nproxy_http_redirect_port = 0\n"
    (site.home / "config.toml").write_text(quiet + ports)
    (site.folder / "server.py").write_text(SERVER)
    site.write(f'[tasks.api]\ncommand = "exec {sys.executable} server.py"\nhost = "api"\n')
    yield site
    site.end()


class Client:
    """Asks over one connection as long as that is open, and then over another one."""

    def __init__(self, site: Site) -> None:
        status = site.ask("status")
        self._port = status["proxy"]["port"]
        self._context = ssl.create_default_context(cafile=str(site.home / "ca/root.pem"))
        self._open: http.client.HTTPConnection | None = None

    def ask(self, path: str = "/") -> tuple[int, bool]:
        """Return the status of an answer, and whether the connection had been used before."""
        used = self._open is not None
        if self._open is None:
            self._open = http.client.HTTPConnection(NAME)
            found = socket.create_connection(("127.0.0.1", self._port), 30)
            self._open.sock = self._context.wrap_socket(found, server_hostname=NAME)
        try:
            self._open.request("GET", path)
            answer = self._open.getresponse()
            answer.read()
        except BaseException:
            self.close()
            raise
        if answer.will_close:
            self.close()
        return answer.status, used

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


@contextmanager
def asking(site: Site) -> Iterator[Counter[str]]:
    """Ask again and again meanwhile; yield how often what came of it."""
    counts: Counter[str] = Counter()
    enough = threading.Event()

    def ask() -> None:
        client = Client(site)
        while not enough.is_set():
            before = client._open is not None
            try:
                counts[str(client.ask()[0])] += 1
            except (OSError, http.client.HTTPException) as error:
                # Who hears nothing on a connection that was used before asks once more.
                counts["once more" if before else f"refused: {error!r}"] += 1
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_nobody_who_asks_while_the_daemon_restarts_is_refused(site: Site) -> None:
    site.ask("start")
    with closing(Client(site)) as client, asking(site) as counts:
        for _ in range(3):
            before = counts["200"]
            assert site.ask("daemon", "restart")["pid"] == site.daemon_pid()
            while counts["200"] < before + 100:
                client.close()
                assert client.ask()[0] == 200
    assert set(counts) <= {"200", "once more"}, counts
    assert counts["once more"] <= 3 * CLIENTS


def test_an_answer_under_way_arrives_before_the_daemon_restarts(site: Site) -> None:
    site.ask("start")
    with closing(Client(site)) as client:
        client.ask()
        statuses = []
        thread = threading.Thread(target=lambda: statuses.append(client.ask("/0.3")))
        thread.start()
        site.ask("daemon", "restart")
        thread.join()
    assert statuses == [(200, True)]

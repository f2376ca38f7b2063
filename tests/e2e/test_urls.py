"""Tasks and aliases by their names, through a daemon and its proxy."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site

TASKS = """
[tasks.api]
command = "env >env; exec sleep 1000"
host = "api"
health_probe = "alive"
[tasks.web]
command = "exec sleep 1000"
auto_start = false
"""


class Neighbour(BaseHTTPRequestHandler):
    """Says what it was asked for."""

    def do_GET(self) -> None:
        said = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def neighbour() -> Iterator[int]:
    """Be a program that is no task, on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Neighbour) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


def get(
    host: str, port: int, *, encrypted: bool = True, root: Path | None = None
) -> tuple[int, Any, str | None]:
    """Ask for a name; return the status, the document, and where else to ask.

    Without a `root` to trust it is all the same who signed the certificate.
    """
    with socket.create_connection(("127.0.0.1", port), 30) as plain:
        context = ssl.create_default_context(cafile=None if root is None else str(root))
        if root is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        found = context.wrap_socket(plain, server_hostname=host) if encrypted else plain
        with found:
            connection = http.client.HTTPConnection(host, port)
            connection.sock = found
            connection.request("GET", "/x", headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body or b"null"), answer.headers["Location"]


@pytest.fixture
def ports(site: Site) -> tuple[int, int]:
    """Return the proxy's ports, which the daemon is to have."""
    https, http_ = free(), free()
    quiet = (site.home / "config.toml").read_text().replace("proxy_enabled = false\n", "")
    own = f"proxy_https_port = {https}\nproxy_http_redirect_port = {http_}\n"
    (site.home / "config.toml").write_text(quiet + own)
    return https, http_


def test_an_alias_is_reached_from_daemon_to_daemon(site: Site, ports: tuple[int, int]) -> None:
    https, plain = ports
    site.write(TASKS)
    with neighbour() as port:
        url = site.ask("alias", "add", "admin", str(port), "--host", "boss")["url"]
        assert url == f"https://boss.shop.localhost:{https}"
        for restart in ([], ["daemon", "restart"], ["daemon", "restart", "--stop-tasks"]):
            if restart:
                site.ask(*restart)
            status, headers, _ = get("boss.shop.localhost", https)
            assert (status, headers["x-forwarded-proto"]) == (200, "https")
        assert get("boss.shop.localhost", plain, encrypted=False)[0::2] == (307, f"{url}/x")
        assert get("evil.example", plain, encrypted=False)[0::2] == (404, None)
    status, facts, _ = get("boss.shop.localhost", https)
    assert (status, facts["error_code"], facts["port"]) == (503, "alias_down", port)
    site.ask("alias", "remove", "admin")
    status, facts, _ = get("boss.shop.localhost", https)
    assert (status, facts["error_code"]) == (404, "unknown_host")
    assert facts["urls"] == [f"https://api.shop.localhost:{https}"]


TENANTS = """
[tasks.exact]
command = "{python} tenants.py exact"
host = "acme"
[tasks.rest]
command = "{python} tenants.py rest"
host = "*"
"""

SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Tenants(BaseHTTPRequestHandler):
    def do_GET(self):
        said = json.dumps([sys.argv[1], self.headers["Host"]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Tenants).serve_forever()
"""


def test_tenants_have_names_of_any_depth_and_exact_ones_go_first(
    site: Site, ports: tuple[int, int]
) -> None:
    https, root = ports[0], site.home / "ca" / "root.pem"
    (site.folder / "tenants.py").write_text(SERVER)
    site.write(TENANTS.format(python=sys.executable))
    site.ask("start")
    for host, task in (
        ("acme.shop.localhost", "exact"),
        ("globex.shop.localhost", "rest"),
        ("eu.acme.shop.localhost", "rest"),
        ("a.b.c.shop.localhost", "rest"),
    ):
        assert get(host, https, root=root)[:2] == (200, [task, f"{host}:{https}"])
    status, facts, _ = get("shop.localhost", https, root=root)
    assert (status, facts["error_code"]) == (404, "unknown_host")
    with pytest.raises(ssl.SSLCertVerificationError):
        get("acme.example.com", https, root=root)


def test_a_task_is_told_where_it_and_its_siblings_are_found(
    site: Site, ports: tuple[int, int]
) -> None:
    site.write(TASKS)
    site.ask("start")
    tasks = site.tasks()
    url = f"https://api.shop.localhost:{ports[0]}"
    assert (tasks["api"]["healthy"], tasks["api"]["url"]) == (True, url)
    pairs = (line.partition("=") for line in (site.folder / "env").read_text().splitlines())
    given = {name: value for name, _, value in pairs}
    assert (given["TASKMUX_URL"], given["TASKMUX_URL_API"]) == (url, url)
    assert given["TASKMUX_URL_WEB"] == tasks["web"]["internal_url"]
    assert given["TASKMUX_PORT_WEB"] == str(tasks["web"]["port"])
    assert given["PORT"] == given["TASKMUX_PORT_API"] == str(tasks["api"]["port"])


def test_without_certificates_tasks_run_on_and_say_that_nobody_reaches_them(
    site: Site, ports: tuple[int, int]
) -> None:
    (site.home / "ca.lock").mkdir()
    site.write(TASKS)
    site.ask("start")
    while (report := site.ask("status"))["proxy"]["bound"]:
        pass  # they are made beside, once somebody has a name
    _, out, _ = site.people("status")
    api = {task["name"]: task for task in report["tasks"]}["api"]
    assert (api["state"], api["healthy"], api["url"]) == ("running", False, None)
    assert api["last_health"]["method"] == "proxy"
    assert report["proxy"]["bound"] is False
    assert report["proxy"]["reason"].startswith("no certificates can be made: ")
    assert out.count("No proxy: no certificates can be made: ") == 1
    status, error = site.call("url", "api")
    assert (status, error["error_code"]) == (1, "E503")
    (site.home / "ca.lock").rmdir()
    site.ask("restart", "api")
    while not site.ask("status")["proxy"]["bound"]:
        pass
    assert site.ask("url", "api")["url"] == f"https://api.shop.localhost:{ports[0]}"

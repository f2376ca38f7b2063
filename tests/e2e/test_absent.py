"""What is answered at the name of a task that does not answer itself, by a real daemon."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

import pytest

from tests.e2e.site import QUIET, Site

CONFIG = """
[tasks.api]
host = "api"
command = "printf '\\\\033[31mno <b>database</b>\\\\n'; printf '0%.0s' $(seq 5000); exit 3"
restart_policy = "no"
auto_start = false

[tasks.web]
host = "@"
command = "exec sleep 1000"
auto_start = false

[tasks.mail]
host = "mail"
command = "exec sleep 1000"
depends_on = ["web"]
auto_start = false
"""

Answer = tuple[int, dict[str, str], Any]


@pytest.fixture
def proxied(site: Site) -> Site:
    """Return a project whose names are answered at, and whose daemon runs."""
    settings = QUIET.replace("proxy_enabled = false", "proxy_https_port = 0")
    (site.home / "config.toml").write_text(f"{settings}proxy_http_redirect_port = 0\n")
    site.write(CONFIG)
    site.ask("status")
    return site


def ask(site: Site, host: str, accept: str = "application/json") -> Answer:
    """Return status, X-Taskmux fields and body of the answer to a GET."""
    port = site.ask("status")["proxy"]["port"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # not what this is about
    request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: {accept}\r\n\r\n"
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    with plain, context.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(request.encode())
        response = HTTPResponse(connection)
        response.begin()
        body = response.read().decode()
    ours = {name: value for name, value in response.getheaders() if name.startswith("X-Taskmux")}
    return response.status, ours, json.loads(body) if "json" in accept else body


def test_each_state_of_a_task_is_told_and_what_to_do(proxied: Site) -> None:
    status, fields, answer = ask(proxied, "api.shop.localhost")
    assert (status, answer["state"], answer["lines"]) == (503, "stopped", [])
    assert answer["hint"] == "run `taskmux start api --project shop`"

    assert proxied.call("start", "api")[0] == 1
    status, fields, answer = ask(proxied, "api.shop.localhost")
    assert (answer["error"], answer["exit_code"]) == ("api is failed: exited with 3", 3)
    assert "no <b>database</b>" in answer["lines"]
    assert "0" * 999 + "…" in answer["lines"]
    assert fields == {
        "X-Taskmux-Error": "task_down",
        "X-Taskmux-Session": "shop",
        "X-Taskmux-Task": "api",
        "X-Taskmux-State": "failed",
    }
    _, _, page = ask(proxied, "api.shop.localhost", "text/html")
    assert "<title>api failed · shop</title>" in page
    assert "<bdi>no &lt;b&gt;database&lt;/b&gt;\n</bdi>" in page

    proxied.ask("start", "mail", "--no-wait")
    _, _, answer = ask(proxied, "mail.shop.localhost")
    assert (answer["state"], answer["waits_for"]) == ("waiting", ["web"])
    _, _, answer = ask(proxied, "shop.localhost")
    assert answer["state"] == "starting"
    assert f"does not answer on port {answer['port']}: " in answer["error"]


def test_a_name_that_nobody_has_leads_to_those_that_exist(proxied: Site) -> None:
    status, fields, answer = ask(proxied, "apo.shop.localhost")
    assert (status, fields) == (
        404,
        {"X-Taskmux-Error": "unknown_host", "X-Taskmux-Session": "shop"},
    )
    names = ["api.shop", "shop", "mail.shop"]
    assert [url.partition(".localhost")[0] for url in answer["urls"]] == [
        f"https://{name}" for name in names
    ]
    assert answer["nearest"] == answer["urls"][0]
    _, _, answer = ask(proxied, "a.nobody.localhost")
    assert len(answer["urls"]) == 3
    assert answer["session"] is None


def test_a_project_that_cannot_be_used_says_where_it_is_wrong(
    proxied: Site, other: Callable[[str], Site]
) -> None:
    toys = other("toys")
    config = toys.folder / "taskmux.toml"
    config.write_text('name = "toys"\n[tasks.a]\ncommand = "true"\nhost = "a"\n')
    toys.ask("status")
    config.write_text('name = "toys"\n[tasks.a]\ncomand = "true"\n')
    toys.await_event("config_error")
    _, _, answer = ask(proxied, "b.toys.localhost")
    assert answer["hint"].startswith("the newest taskmux.toml of toys is not in force: unknown key")
    proxied.ask("daemon", "stop")  # a restart would go on with what was in force
    status, fields, answer = ask(proxied, "a.toys.localhost")
    assert (status, fields["X-Taskmux-Error"]) == (503, "project_down")
    assert (answer["session"], answer["cause"], answer["line"]) == ("toys", "E102", 3)

"""Encrypted connections, as clients that verify them see them."""

from __future__ import annotations

import ssl

import pytest
from anyio import run_process

from taskmux.proxy.certificates import names_for
from tests.proxy.secure import TLDS, Secure
from tests.proxy.stage import GET


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("localhost", ("localhost",)),
        ("shop.localhost", ("shop.localhost", "*.shop.localhost")),
        ("api.shop.localhost", ("shop.localhost", "*.shop.localhost")),
        ("a.b.shop.localhost", ("a.b.shop.localhost",)),
        ("evil.example", None),
        ("localhost.evil.example", None),
        ("a..localhost", None),
        ("", None),
        ("x.dev.test", ("x.dev.test", "*.x.dev.test")),
        ("api.x.dev.test", ("x.dev.test", "*.x.dev.test")),
    ],
)
def test_a_certificate_goes_for_a_whole_project(name: str, names: tuple[str, ...] | None) -> None:
    assert names_for(name, TLDS) == names


@pytest.mark.parametrize("name", ["shop.localhost", "api.shop.localhost", "a.b.c.shop.localhost"])
async def test_a_name_is_proved_to_who_trusts_the_root(secure: Secure, name: str) -> None:
    async with secure.client(name) as client:
        await client.send(GET.replace(b"api.shop.localhost", name.encode()))
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_name_outside_is_not(secure: Secure) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        async with secure.client("evil.example"):
            pass


async def test_a_connection_is_for_the_project_it_was_opened_for(secure: Secure) -> None:
    async with secure.client("web.shop.localhost") as client:
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        await client.exactly(2)
        await client.send(GET.replace(b"api.shop", b"api.blog"))
        assert (await client.head()).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize(
    "command",
    [
        "curl -s --cacert {root} --resolve api.shop.localhost:{port}:127.0.0.1 {url}",
        'node -e \'require("https").get({host: "127.0.0.1", port: {port}, path: "/", '
        'servername: "api.shop.localhost", headers: {host: "api.shop.localhost"}}, '
        "r => r.pipe(process.stdout))'",
    ],
    ids=["curl", "node"],
)
async def test_programs_verify_it(secure: Secure, command: str) -> None:
    url = f"https://api.shop.localhost:{secure.stage.port}/"
    line = command.replace("{root}", str(secure.root)).replace("{url}", url)
    line = line.replace("{port}", str(secure.stage.port))
    environ = {"PATH": "/usr/bin:/bin", "NODE_EXTRA_CA_CERTS": str(secure.root)}
    assert (await run_process(line, env=environ)).stdout == b"ok"

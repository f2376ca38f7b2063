from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from taskmux_resolver_dns.asking import NoAnswer, NotAsked
from taskmux_resolver_dns.commands import dns_app
from taskmux_resolver_dns.delegation import MARK
from taskmux_resolver_dns.operations import NeedsRoot
from taskmux_resolver_dns.resolver import serving
from taskmux_resolver_dns.settings import DnsSettings, SettingWrong
from taskmux_resolver_dns.system import CommandFailed, System, Undelegated

from taskmux.contracts import CommandContext
from tests.loopback import free_port
from tests.nobody import as_nobody

STUB = "nameserver 127.0.0.53\n"
FLUSHED = "resolvectl flush-caches"
HANGUP = "killall -HUP mDNSResponder"
DROP_IN = "etc/systemd/resolved.conf.d/taskmux.conf"


@contextmanager
def served(settings: DnsSettings) -> Iterator[None]:
    there = serving(settings, logging.getLogger("taskmux.testing"))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(there):
        yield


class Terminal:
    """Runs `taskmux dns …` on a system, and keeps what it answered."""

    def __init__(self, system: System, **settings: Any) -> None:
        self.system, self.settings = system, settings
        self.facts: dict[str, Any] = {}
        self.text = ""

    def run(self, *words: str) -> None:
        environ = {"PATH": str(self.system.top / "bin")}
        lent = CommandContext(self.settings, environ, self.system.top, self._answer)
        dns_app(self.system)(list(words), standalone_mode=False, obj=lent)

    def _answer(self, facts: Any, text: str) -> None:
        assert not self.facts, "answered once"
        self.facts, self.text = facts, text


def made(top: Path, platform: str, *commands: str, failing: str = "") -> System:
    """Return a system at `top` with systemd-resolved and `commands`, one of them `failing`."""
    (top / "bin").mkdir()
    for name in commands:
        script = top / "bin" / name
        ending = 'echo "no bus" >&2; exit 3' if name == failing else "exit 0"
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {top}/ran\n{ending}\n')
        script.chmod(0o755)
    for path, text in (
        ("run/systemd/resolve/stub-resolv.conf", STUB),
        ("etc/resolv.conf", STUB),
        ("etc/nsswitch.conf", "hosts: files dns\n"),
    ):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    return System(platform, top=top, path=str(top / "bin"))


def ran(system: System) -> list[str]:
    path = system.top / "ran"
    return path.read_text().splitlines() if path.exists() else []


# install and uninstall


def test_install_tells_resolved_and_says_that_nothing_came_of_it(tmp_path: Path) -> None:
    system = made(tmp_path, "linux", "systemctl", "resolvectl")
    terminal = Terminal(system, dns_managed_tld="test", dns_server_port=free_port())
    terminal.run("install")
    port = terminal.settings["dns_server_port"]
    lines = ["[Resolve]", f"DNS=127.0.0.1:{port}", "Domains=~test"]
    assert (tmp_path / DROP_IN).read_text() == "\n".join([MARK, *lines, ""])
    assert ran(system) == ["systemctl try-restart systemd-resolved.service", FLUSHED]
    # This machine's own resolver knows nothing of that file.
    assert terminal.facts["ok"] is False
    assert terminal.facts["self_test"]["addresses"] == ()
    assert (terminal.facts["changed"], terminal.facts["tld"]) == (True, "test")
    assert 'set `host_resolver = "etc_hosts"`' in terminal.text


def test_a_second_install_changes_nothing(tmp_path: Path) -> None:
    system = made(tmp_path, "linux", "systemctl", "resolvectl")
    settings = {"dns_managed_tld": "test", "dns_server_port": free_port()}
    Terminal(system, **settings).run("install")
    before = ran(system)
    again = Terminal(system, **settings)
    again.run("install")
    assert (again.facts["changed"], again.facts["flushed"]) == (False, [])
    assert ran(system) == before


def test_a_reload_that_fails_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    system = made(tmp_path, "linux", "systemctl", failing="systemctl")
    with pytest.raises(CommandFailed, match=r"`systemctl try-restart .*` failed: no bus"):
        Terminal(system, dns_managed_tld="test").run("install")
    assert not (tmp_path / DROP_IN).exists()


def test_where_no_name_can_be_delegated_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Undelegated) as trouble:
        Terminal(System("linux", top=tmp_path)).run("install")
    assert "etc_hosts" in trouble.value.__notes__[0]


def test_uninstall_removes_what_any_install_wrote(tmp_path: Path) -> None:
    system = made(tmp_path, "darwin", "dscacheutil")
    for tld in ("test", "localhost"):
        system.install(tld, 5454)
    theirs = tmp_path / "etc/resolver/corp"
    theirs.write_text("nameserver 192.0.2.1\n")
    terminal = Terminal(system)
    terminal.run("uninstall")
    assert terminal.facts == {
        "ok": True,
        "removed": ["/etc/resolver/localhost", "/etc/resolver/test"],
        "flushed": [{"command": "dscacheutil -flushcache", "ok": True, "detail": ""}],
    }
    assert terminal.text.splitlines()[0] == "removed /etc/resolver/localhost"
    assert list(theirs.parent.iterdir()) == [theirs]
    again = Terminal(system)
    again.run("uninstall")
    assert (again.facts["removed"], again.text) == ([], "there was nothing of taskmux's")


def test_uninstall_reloads_resolved(tmp_path: Path) -> None:
    system = made(tmp_path, "linux", "systemctl")
    system.install("test", 5454)
    Terminal(system).run("uninstall")
    assert ran(system) == ["systemctl try-restart systemd-resolved.service"] * 2
    assert not (tmp_path / DROP_IN).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to be somebody who may not write")
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_who_is_not_root_is_told_the_command(verb: str) -> None:
    top = Path(tempfile.mkdtemp())  # a folder that everybody may enter, other than tmp_path
    try:
        top.chmod(0o755)
        system = made(top, "darwin", "taskmux")
        if verb == "uninstall":
            system.install("shop.test", 5555)
        terminal = Terminal(system, dns_managed_tld="shop.test", dns_server_port=5555)
        with as_nobody(), pytest.raises(NeedsRoot) as trouble:
            terminal.run(verb)
        options = " --port 5555 --tld shop.test" if verb == "install" else ""
        assert trouble.value.__notes__ == [f"run `sudo {top}/bin/taskmux dns {verb}{options}`"]
        assert (top / "etc/resolver/shop.test").exists() is (verb == "uninstall")
    finally:
        shutil.rmtree(top)


def test_options_come_before_settings(tmp_path: Path) -> None:
    system = made(tmp_path, "darwin")
    port = free_port()
    terminal = Terminal(system, dns_managed_tld="localhost", dns_server_port=1)
    terminal.run("install", "--port", str(port), "--tld", "shop.test")
    assert f"port {port}" in (tmp_path / "etc/resolver/shop.test").read_text()
    assert terminal.facts["self_test"]["name"].endswith(".shop.test")


def test_a_setting_that_cannot_be_meant_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingWrong, match="dns_managed_tld"):
        Terminal(System("darwin", top=tmp_path), dns_managed_tld="a b").run("install")


def test_a_port_that_is_taken_is_said_by_the_self_test(tmp_path: Path) -> None:
    system = made(tmp_path, "darwin")
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        terminal = Terminal(system, dns_server_port=port, dns_managed_tld="test")
        terminal.run("install")
    assert terminal.facts["ok"] is False
    assert f"not tested: port {port} of 127.0.0.1 is taken" in terminal.text


# flush


@pytest.mark.parametrize(
    ("platform", "commands", "expected"),
    [
        ("linux", ["resolvectl", "systemd-resolve", "nscd"], [FLUSHED, "nscd -i hosts"]),
        ("linux", ["systemd-resolve"], ["systemd-resolve --flush-caches"]),
        ("darwin", ["dscacheutil", "killall"], ["dscacheutil -flushcache", HANGUP]),
        ("linux", [], []),
    ],
)
def test_flush_runs_what_is_there(
    tmp_path: Path, platform: str, commands: list[str], expected: list[str]
) -> None:
    terminal = Terminal(made(tmp_path, platform, *commands))
    terminal.run("flush")
    assert ran(terminal.system) == expected
    assert terminal.facts["ok"] is True
    assert len(terminal.facts["ran"]) == len(expected)
    assert terminal.text


def test_a_flush_that_fails_says_what_to_run(tmp_path: Path) -> None:
    terminal = Terminal(made(tmp_path, "linux", "resolvectl", failing="resolvectl"))
    terminal.run("flush")
    assert terminal.facts == {
        "ok": False,
        "ran": [{"command": FLUSHED, "ok": False, "detail": "no bus"}],
    }
    assert f"run `sudo {FLUSHED}`" in terminal.text


# query


def test_query_shows_what_our_server_answers(tmp_path: Path) -> None:
    settings = DnsSettings(free_port())
    terminal = Terminal(System("linux", top=tmp_path), dns_server_port=settings.port)
    with served(settings):
        terminal.run("query", "Api.foo.localhost", "--type", "a")
    record = {"name": "Api.foo.localhost.", "type": "A", "ttl": 5, "data": "127.0.0.1"}
    reply = {"type": "A", "rcode": "NOERROR", "authoritative": True, "records": (record,)}
    assert terminal.facts == {
        "ok": True,
        "name": "Api.foo.localhost",
        "server": f"127.0.0.1:{settings.port}",
        "replies": [{"transport": "udp", **reply}, {"transport": "tcp", **reply}],
    }
    assert terminal.text.splitlines() == [
        "udp  A     NOERROR 127.0.0.1, for 5 s",
        "tcp  A     NOERROR 127.0.0.1, for 5 s",
    ]


def test_query_asks_for_both_families_and_shows_a_refusal(tmp_path: Path) -> None:
    settings = DnsSettings(free_port())
    terminal = Terminal(System("linux", top=tmp_path))
    with served(settings):
        terminal.run("query", "example.com", "--port", str(settings.port))
    asked = [(reply["transport"], reply["type"]) for reply in terminal.facts["replies"]]
    assert asked == [("udp", "A"), ("udp", "AAAA"), ("tcp", "A"), ("tcp", "AAAA")]
    assert terminal.text.splitlines()[0] == "udp  A     REFUSED, no records"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x." * 127 + "localhost"], "is not a host name"),
        (["a..b"], "is not a host name"),
        (["a.localhost", "--type", "nonsense"], "NONSENSE is not a type of record"),
    ],
)
def test_what_cannot_be_asked_is_an_error(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(NotAsked, match=said):
        Terminal(System("linux", top=tmp_path)).run("query", *words)


def test_a_server_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(NoAnswer, match=f"port {port}, by udp: Connection refused") as trouble:
        Terminal(System("linux", top=tmp_path), dns_server_port=port).run("query", "a.localhost")
    assert 'host_resolver = "dns_server"' in trouble.value.__notes__[0]


HEADER = b"\x85\x80\0\1\0\0\0\0\0\0"
# Two pointers, each of which lies in a label that the other's target begins.
LOOP = (b"\x3f" + b"a" * 63) * 10 + b"\x06aaaaaa" + b"\x01\x04\xc2\x94aa\xc2\x93"


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(lambda query: b"", id="nothing"),
        pytest.param(lambda query: query[:2] + b"x" * 30, id="noise"),
        pytest.param(lambda query: query[:2] + HEADER + LOOP, id="a loop"),
        pytest.param(lambda query: b"\0\0\x85\x80" + query[4:], id="another question's"),
    ],
)
def test_a_stranger_on_our_port_is_no_dns(
    tmp_path: Path, garbage: Callable[[bytes], bytes]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        terminal = Terminal(System("linux", top=tmp_path))
        terminal.settings["dns_server_port"] = stranger.getsockname()[1]
        with start_blocking_portal() as portal:
            portal.start_task_soon(answer_once, stranger, garbage)
            with pytest.raises(NoAnswer, match="what comes back is no DNS"):
                terminal.run("query", "a.localhost")


async def answer_once(stranger: socket.socket, garbage: Callable[[bytes], bytes]) -> None:
    query, sender = stranger.recvfrom(2000)
    stranger.sendto(garbage(query), sender)

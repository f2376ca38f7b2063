from __future__ import annotations

import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest
from taskmux_resolver_hosts import beside
from taskmux_resolver_hosts.entries import BadEntry
from taskmux_resolver_hosts.exchange import exchange
from taskmux_resolver_hosts.place import BadSetting, Place
from taskmux_resolver_hosts.resolver import HostsResolver
from taskmux_resolver_hosts.trouble import NamesMissing, Unreadable

from taskmux.contracts import HostRecord
from taskmux.plugins import Plugins
from taskmux.testing.lent import lend
from tests.nobody import NOBODY, as_nobody

pytestmark = pytest.mark.anyio

USERS = "127.0.0.1\tlocalhost\n"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to drop its privileges")


@pytest.fixture
def etc() -> Iterator[Path]:
    """Return a folder that every user can reach, with a hosts file in it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "hosts").write_text(USERS)
        (Path(folder) / "hosts").chmod(0o644)
        os.utime(
            Path(folder) / "hosts", (0, 0)
        )  # nobody seems to be at it, which would be waited for
        yield Path(folder)


@pytest.fixture
def resolver(etc: Path) -> HostsResolver:
    """Return a resolver that takes that file for the system's."""
    return HostsResolver(Place(str(etc / "hosts")))


def records(*names: str, address: str = "127.0.0.1") -> list[HostRecord]:
    return [HostRecord(name, ip_address(address)) for name in names]


def block(*lines: str) -> str:
    return "\n".join(["# BEGIN taskmux managed", *lines, "# END taskmux managed", ""])


API = ["127.0.0.1\tapi.shop.localhost", "::1\tapi.shop.localhost"]
WEB = ["127.0.0.1\tweb.shop.localhost", "::1\tweb.shop.localhost"]


def test_taskmux_finds_it() -> None:
    plugins = Plugins()
    assert isinstance(plugins.resolvers["etc_hosts"], HostsResolver)
    assert "resolver-hosts" not in plugins.broken


def test_root_writes_both_loopback_addresses(etc: Path, resolver: HostsResolver) -> None:
    resolver.prepare_as_root(["web.shop.localhost", "api.shop.localhost"], {})
    assert (etc / "hosts").read_text() == USERS + block(*API, *WEB)
    resolver.prepare_as_root(["api.shop.localhost"], {"hosts_file": str(etc / "hosts")})
    assert (etc / "hosts").read_text() == USERS + block(*API)
    resolver.prepare_as_root([], {})
    assert (etc / "hosts").read_text() == USERS


def test_root_leaves_any_other_file_alone(etc: Path, resolver: HostsResolver) -> None:
    own = etc / "own"
    own.write_text("mine\n")
    resolver.prepare_as_root(["api.shop.localhost"], {"hosts_file": str(own)})
    assert own.read_text() == "mine\n"
    assert (etc / "hosts").read_text() == USERS


@pytest.mark.parametrize(
    "name", ["example.com", "localhost", "a.localhost\n6.6.6.6 bank.example", "*.localhost"]
)
def test_root_writes_no_name_that_is_not_taskmux_s(
    name: str, etc: Path, resolver: HostsResolver
) -> None:
    with pytest.raises(BadEntry):
        resolver.prepare_as_root(["api.shop.localhost", name], {})
    assert (etc / "hosts").read_text() == USERS


async def test_a_wrong_setting_is_told_in_words(resolver: HostsResolver, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="hosts_file = 7 is not a path"):
        resolver.prepare_as_root([], {"hosts_file": 7})
    with pytest.raises(BadSetting, match="hosts_file = 7 is not a path"):
        async with resolver.open(lend(tmp_path, {"hosts_file": 7})):
            pytest.fail("it was opened")


async def test_a_record_for_elsewhere_is_not_written_into_the_system_s_file(
    etc: Path, resolver: HostsResolver, tmp_path: Path
) -> None:
    async with resolver.open(lend(tmp_path, {})) as hosts:
        await hosts.publish(records("api.shop.localhost"))
        published = (etc / "hosts").read_text()
        for bad in (records("api.shop.localhost", address="10.0.0.1"), records("example.com")):
            with pytest.raises(BadEntry):
                await hosts.publish(bad)
        assert (etc / "hosts").read_text() == published


@needs_root
async def test_once_dropped_the_names_of_the_start_are_enough(
    etc: Path, resolver: HostsResolver, caplog: pytest.LogCaptureFixture
) -> None:
    resolver.prepare_as_root(["web.shop.localhost", "api.shop.localhost"], {})
    prepared = (etc / "hosts").read_text()
    with as_nobody(), caplog.at_level(logging.INFO):
        async with resolver.open(lend(Path("/nonexistent"), {})) as hosts:
            await hosts.publish(records("api.shop.localhost", "web.shop.localhost"))
            await hosts.publish(records("api.shop.localhost", address="::1"))
            await hosts.publish([])
    assert (etc / "hosts").read_text() == prepared
    [said] = [record for record in caplog.records if record.name == "taskmux.testing"]
    assert (said.levelname, "until the next start as root" in said.message) == ("INFO", True)


@needs_root
async def test_once_dropped_new_names_are_told_with_what_to_do(
    etc: Path, resolver: HostsResolver
) -> None:
    resolver.prepare_as_root(["api.shop.localhost"], {})
    wanted = records("api.shop.localhost", *(f"{n}.shop.localhost" for n in "edcba"))
    with as_nobody():
        async with resolver.open(lend(Path("/nonexistent"), {})) as hosts:
            with pytest.raises(NamesMissing) as raised:
                await hosts.publish(wanted)
    assert str(raised.value) == (
        f"{etc}/hosts lacks a.shop.localhost, b.shop.localhost, c.shop.localhost and 2 more,"
        " and may not be written by this user"
    )
    assert raised.value.__notes__ == [
        'run `sudo taskmux daemon restart`, or set `host_resolver = "dns_server"`'
    ]


@needs_root
async def test_a_file_of_the_user_s_that_they_may_not_write_needs_no_root(
    etc: Path, resolver: HostsResolver
) -> None:
    (etc / "own").touch()
    with as_nobody():
        async with resolver.open(lend(Path("/x"), {"hosts_file": str(etc / "own")})) as hosts:
            with pytest.raises(NamesMissing) as raised:
                await hosts.publish(records("a.localhost"))
    assert raised.value.__notes__ == [
        "let your user write it, or leave hosts_file out of the settings"
    ]


async def test_where_root_cannot_write_either_it_is_not_advised(
    etc: Path, resolver: HostsResolver, tmp_path: Path
) -> None:
    (etc / "hosts").rename(etc / "generated")
    (etc / "generated").chmod(0o444)
    (etc / "hosts").symlink_to("generated")
    async with resolver.open(lend(tmp_path, {})) as hosts:
        await hosts.publish([])
        with pytest.raises(NamesMissing) as raised:
            await hosts.publish(records("a.localhost"))
    assert raised.value.__notes__ == [
        'set `host_resolver = "dns_server"`, or "noop" to see to the names yourself'
    ]


@needs_root
async def test_in_a_file_of_the_user_s_names_and_addresses_are_theirs(
    etc: Path, resolver: HostsResolver
) -> None:
    own = etc / "own"
    own.touch()
    os.chown(own, NOBODY, NOBODY)
    with as_nobody():
        async with resolver.open(lend(etc, {"hosts_file": str(own)})) as hosts:
            await hosts.publish(records("api.test", address="10.0.0.1"))
            assert own.read_text() == block("10.0.0.1\tapi.test")
    assert own.read_text() == ""
    assert (etc / "hosts").read_text() == USERS


async def test_no_file_is_an_error_of_publishing_not_of_leaving(
    etc: Path, resolver: HostsResolver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with resolver.open(lend(tmp_path, {})) as hosts:
        (etc / "hosts").unlink()
        with pytest.raises(Unreadable, match="No such file"):
            await hosts.publish(records("a.localhost"))
    assert "the names stay where they are" in caplog.text


async def test_a_line_of_the_user_s_that_comes_first_is_told_once(
    etc: Path, resolver: HostsResolver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (etc / "hosts").write_text("10.0.0.1 a.localhost\n")
    async with resolver.open(lend(tmp_path, {})) as hosts:
        for names in (["a.localhost"], ["a.localhost"], ["a.localhost", "b.localhost"]):
            await hosts.publish(records(*names))
    [said] = [record.message for record in caplog.records if record.name == "taskmux.testing"]
    assert said == f"{etc}/hosts leads a.localhost to 10.0.0.1 first"


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


async def test_nobody_waits_for_a_file_that_is_waited_for(
    etc: Path, resolver: HostsResolver, tmp_path: Path
) -> None:
    async with resolver.open(lend(tmp_path, {})) as hosts:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                with locked(etc / "hosts"):
                    group.start_soon(hosts.publish, records("a.localhost"))
                    await anyio.wait_all_tasks_blocked()  # the loop goes on meanwhile
                    assert (etc / "hosts").read_text() == USERS
            assert (etc / "hosts").read_text() == USERS + block("127.0.0.1\ta.localhost")


async def test_what_was_given_up_does_not_come_back_after_leaving(
    etc: Path, resolver: HostsResolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def count(folder: int, one: str, other: str) -> bool:
        nonlocal written
        written += 1
        return exchange(folder, one, other)

    monkeypatch.setattr(beside, "exchange", count)
    async with resolver.open(lend(tmp_path, {})) as hosts:
        with locked(etc / "hosts"):
            for number in range(3):
                with anyio.move_on_after(0.05) as scope:
                    await hosts.publish(records(f"a{number}.localhost"))
                assert scope.cancelled_caught
    assert (etc / "hosts").read_text() == USERS
    assert written == 2  # the first of them had begun; the others never do


async def test_who_is_cancelled_leaves_no_names_behind(
    etc: Path, resolver: HostsResolver, tmp_path: Path
) -> None:
    with anyio.CancelScope() as scope:
        async with resolver.open(lend(tmp_path, {})) as hosts:
            await hosts.publish(records("a.localhost"))
            scope.cancel()
            await anyio.sleep_forever()
    assert (etc / "hosts").read_text() == USERS

from __future__ import annotations

import pytest
from taskmux_resolver_dns.delegation import (
    MARK,
    PRIVATE,
    Asked,
    Impossible,
    Run,
    Unneeded,
    Write,
    flushing,
    folders,
    plan,
    without_file,
)

DEBIAN = "passwd: files\nhosts:          files dns\n"
FEDORA = "hosts: files myhostname resolve [!UNAVAIL=return] dns # resolve"
UBUNTU = "#hosts: resolve\nhosts: files mdns4_minimal [NOTFOUND=return] dns\n"
STUB = "# by systemd\nnameserver 127.0.0.53\noptions edns0\n"
PLAIN = "nameserver 192.0.2.1\n nameserver 127.0.0.1\n"


def test_macos_has_a_file_a_domain() -> None:
    asked = plan(Asked("darwin"), "shop.test", 5454)
    content = f"{MARK}\nnameserver 127.0.0.1\nport 5454\n"
    assert asked == Write("/etc/resolver/shop.test", content)


@pytest.mark.parametrize(
    ("nsswitch", "resolv_conf"),
    [
        pytest.param(FEDORA, PLAIN, id="nss-resolve"),
        pytest.param(DEBIAN, STUB, id="the stub"),
        pytest.param("", STUB, id="no nsswitch.conf"),
        pytest.param(UBUNTU, "nameserver 127.0.0.54", id="the other stub"),
    ],
)
def test_systemd_resolved_has_a_drop_in(nsswitch: str, resolv_conf: str) -> None:
    system = Asked("linux", nsswitch, resolv_conf, resolved=True)
    content = f"{MARK}\n[Resolve]\nDNS=127.0.0.1:5454\nDomains=~test\n"
    expected = Write(
        "/etc/systemd/resolved.conf.d/taskmux.conf",
        content,
        (("systemctl", "try-restart", "systemd-resolved.service"),),
    )
    assert plan(system, "test", 5454) == expected
    for tld in ("localhost", "shop.localhost"):
        found = plan(system, tld, 5454)
        assert isinstance(found, Unneeded)
        assert f"systemd resolves {tld}" in found.why


@pytest.mark.parametrize(
    ("nsswitch", "resolv_conf", "resolved"),
    [
        pytest.param(DEBIAN, PLAIN, False, id="plain"),
        pytest.param(DEBIAN, PLAIN, True, id="resolved runs, and nobody asks it"),
        pytest.param(FEDORA.replace("myhostname", ""), PLAIN, False, id="it does not run"),
        pytest.param(UBUNTU, "", True, id="commented out"),
        pytest.param("", "", False, id="nothing known"),
    ],
)
@pytest.mark.parametrize("tld", ["localhost", "test"])
def test_elsewhere_on_linux_nothing_can_be_delegated(
    nsswitch: str, resolv_conf: str, resolved: bool, tld: str
) -> None:
    found = plan(Asked("linux", nsswitch, resolv_conf, resolved), tld, 5454)
    assert isinstance(found, Impossible)
    assert "etc_hosts" in found.advice


def test_myhostname_resolves_localhost_without_resolved() -> None:
    assert isinstance(plan(Asked("linux", FEDORA, PLAIN), "localhost", 5454), Unneeded)
    assert isinstance(plan(Asked("linux", FEDORA, PLAIN), "test", 5454), Impossible)


def test_a_system_that_asks_us_for_everything_needs_nothing() -> None:
    system = Asked("linux", DEBIAN, "nameserver 127.0.0.1\nnameserver 192.0.2.1\n")
    assert isinstance(plan(system, "test", 53), Unneeded)
    assert isinstance(plan(system, "test", 5454), Impossible)
    for text in (PLAIN, "nameserver 192.0.2.1", "#nameserver 127.0.0.1", ""):
        assert isinstance(plan(Asked("linux", DEBIAN, text), "test", 53), Impossible)


def test_windows_has_a_rule() -> None:
    found = plan(Asked("win32"), "localhost", 53)
    assert isinstance(found, Run)
    added = "Add-DnsClientNrptRule -Namespace '.localhost' -NameServers '127.0.0.1'"
    removed = without_file("win32")
    assert removed is not None
    assert added in found.command[-1]
    assert found.command[-1].startswith(removed[-1]), "a second one does not pile up"
    assert "$_.Comment -eq 'taskmux'" in removed[-1]
    assert "Add-" not in removed[-1]
    assert without_file("darwin") is without_file("linux") is None


def test_a_rule_of_windows_has_no_place_for_a_port() -> None:
    found = plan(Asked("win32"), "localhost", 5454)
    assert isinstance(found, Impossible)
    assert "port 53 only, not on 5454" in found.why
    assert "dns_server_port = 53" in found.advice


def test_of_other_systems_nothing_is_known() -> None:
    found = plan(Asked("freebsd14"), "localhost", 5454)
    assert isinstance(found, Impossible)
    assert "freebsd14" in found.why


@pytest.mark.parametrize("tld", [*PRIVATE, "shop.test", "a.b.home.arpa"])
def test_private_domains_may_be_delegated(tld: str) -> None:
    assert isinstance(plan(Asked("darwin"), tld, 5454), Write)


@pytest.mark.parametrize("tld", ["com", "dev", "bank.com", "local", "arpa", "xtest", "test.com"])
@pytest.mark.parametrize("platform", ["darwin", "linux", "win32"])
def test_other_peoples_domains_may_not(platform: str, tld: str) -> None:
    system = Asked(platform, FEDORA, STUB, resolved=True)
    found = plan(system, tld, 53)
    assert isinstance(found, Impossible)
    assert f"{tld} may belong to somebody" in found.why
    assert "localhost, test" in found.advice


@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_what_is_written_is_where_it_is_looked_for(platform: str) -> None:
    found = plan(Asked(platform, FEDORA, STUB, resolved=True), "test", 5454)
    assert isinstance(found, Write)
    assert found.path.rpartition("/")[0] in folders(platform)
    assert found.content.startswith(f"{MARK}\n")


def test_every_system_has_its_commands_to_flush() -> None:
    assert flushing("darwin") == [
        [("dscacheutil", "-flushcache")],
        [("killall", "-HUP", "mDNSResponder")],
    ]
    resolved, nscd = flushing("linux")
    assert [command[0] for command in resolved] == ["resolvectl", "systemd-resolve"]
    assert nscd == [("nscd", "-i", "hosts")]
    assert flushing("win32") == [[("ipconfig", "/flushdns")]]
    assert flushing("freebsd14") == []

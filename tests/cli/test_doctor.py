from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from taskmux import wire
from taskmux.cli import checkup, proxyports
from taskmux.cli.trustcheck import ANEW
from taskmux.daemon.privileged.sockets import Place
from taskmux.trust.authority import KEY, own
from taskmux.trust.issue import AUTHORITY
from tests.cli.conftest import FakeDaemon, Taskmux
from tests.trust.test_authority import aged, keep


def found(taskmux: Taskmux, **environ: str) -> dict[str, Any]:
    document = taskmux("doctor", "--json", **environ).document
    return {one["name"]: one for one in document["checks"]}


@pytest.fixture(autouse=True)
def free(home: Path) -> int:
    """Return a port nobody has, which the proxy is to have."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.toml").write_text(f"proxy_https_port = {port}\nproxy_http_redirect_port = 0\n")
    (home / "config.toml").chmod(0o600)
    return port


def test_where_all_is_well_it_says_so(taskmux: Taskmux, free: int, config: Path) -> None:
    checks = found(taskmux)
    assert [name for name, one in checks.items() if not one["ok"]] == []
    assert checks["taskmux.toml"]["detail"] == "shop, tasks: 2"
    assert checks["daemon"]["detail"].startswith("not running")
    outcome = taskmux("doctor")
    assert (outcome.status, outcome.out.splitlines()[-1]) == (0, "All is well")


def test_what_is_amiss_comes_with_what_to_do(
    taskmux: Taskmux, home: Path, free: int, config: Path
) -> None:
    config.write_text('name = "shop"\n[tasks.a]\ncomand = "x"\n')
    (home / "config.toml").write_text('proxy_bind = "nowhere at all"\n')
    checks = found(taskmux)
    assert not checks["taskmux.toml"]["ok"]
    assert checks["taskmux.toml"]["fix"] == "did you mean 'command'?"
    assert not checks["config.toml"]["ok"]
    outcome = taskmux("doctor")
    assert outcome.status == 1
    assert "fix: did you mean 'command'?" in outcome.out


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_who_holds_the_port_is_named(taskmux: Taskmux, free: int, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, free), family=family):
        check = found(taskmux)[f"port {free}"]
    assert not check["ok"]
    assert re.search(rf"\(pid {os.getpid()}, user {os.geteuid()}\) has ", check["detail"])
    assert check["fix"].endswith("run `taskmux config set proxy_https_port 8443`")
    assert taskmux(*["config", "set", "proxy_https_port", "8443"]).status == 0


def places(use: str, number: int, *addresses: str) -> list[Place]:
    return [Place(use, address, number) for address in addresses]


def test_a_port_the_daemon_holds_is_well(free: int) -> None:
    wanted = places("https", free, "127.0.0.1")
    with socket.create_server(("127.0.0.1", free)):
        assert not proxyports.port("proxy_https_port", wanted, [], "").ok
        assert not proxyports.port("proxy_https_port", wanted, [("127.0.0.2", free)], "").ok
        assert proxyports.port("proxy_https_port", wanted, [("127.0.0.1", free)], "").ok


def test_what_a_machine_has_no_address_for_is_not_amiss(free: int) -> None:
    wanted = places("https", free, "2001:db8::1")
    assert proxyports.port("proxy_https_port", wanted, [], "").ok
    assert not proxyports.port("proxy_https_port", places("https", free, "192.0.2.1"), [], "").ok


def test_only_a_python_of_its_own_is_given_a_capability(tmp_path: Path) -> None:
    python = tmp_path / "it's python"
    python.touch()
    link = tmp_path / "link"
    link.symlink_to(python)
    assert f"setcap cap_net_bind_service=+ep {quote(str(python))}" in proxyports.capable(python)
    assert "of its own" in proxyports.capable(link)
    assert "cap_net" not in proxyports.capable(link)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("/usr/local/bin/taskmux", "taskmux"),
        ("/home/joe/my programs/taskmux", "'/home/joe/my programs/taskmux'"),
        (None, f"{quote(sys.executable)} -P -m taskmux"),
    ],
)
def test_sudo_finds_what_it_is_told_to_run(found: str | None, said: str) -> None:
    assert proxyports.program(found) == said


def amiss(taskmux: Taskmux, home: Path) -> tuple[str, str]:
    """Return what is said of the folder, and run what is said to mend it, without sudo."""
    check = found(taskmux)["folder"]
    assert not check["ok"]
    subprocess.run(["/bin/sh", "-ec", check["fix"].removeprefix("sudo ")], check=True)
    assert found(taskmux)["folder"]["ok"]
    return check["detail"], check["fix"]


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("takes root, to make something somebody else's")


def test_a_folder_that_others_own_is_told(home: Path, taskmux: Taskmux) -> None:
    needs_root()
    os.chown(home, 12345, -1)
    assert amiss(taskmux, home)[1] == f"sudo chown 0:{os.getegid()} {home}"


def test_what_root_left_in_the_folder_is_told(home: Path, taskmux: Taskmux) -> None:
    needs_root()
    (home / "projects" / "shop").mkdir(parents=True)
    for place in (home / "projects", home / "projects" / "shop"):
        os.chown(place, 12345, -1)
    (home / "registry.json").symlink_to("/etc/hostname")
    os.lchown(home / "registry.json", 12345, -1)
    was = Path("/etc/hostname").stat()
    assert "projects" in amiss(taskmux, home)[0]
    assert Path("/etc/hostname").stat().st_uid == was.st_uid
    assert (home / "projects" / "shop").stat().st_uid == 0


def test_a_folder_that_others_may_enter_is_told(home: Path, taskmux: Taskmux) -> None:
    home.chmod(0o755)
    assert amiss(taskmux, home)[0].endswith("is open to others")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.parametrize("what", ["a file", "a link to nowhere", "a loop"])
def test_what_is_no_folder_is_told(home: Path, taskmux: Taskmux, what: str) -> None:
    shutil.rmtree(home)
    if what == "a file":
        home.touch()
    else:
        home.symlink_to(home if what == "a loop" else "/nowhere")
    if what == "a loop":
        assert not found(taskmux)["folder"]["ok"]
    else:
        amiss(taskmux, home)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("registry.json", lambda path: path.write_bytes(b"\x00{")),
        ("registry.json", lambda path: path.write_text("[1]")),
        ("registry.json", lambda path: os.mkfifo(path)),
        ("daemon.pid", lambda path: path.mkdir()),
        ("events.jsonl", lambda path: path.symlink_to(path)),
    ],
)
def test_a_damaged_file_is_told(
    home: Path, taskmux: Taskmux, name: str, damage: Callable[[Path], object]
) -> None:
    assert found(taskmux)["state"]["ok"]
    damage(home / name)
    check = found(taskmux)["state"]
    assert (check["ok"], str(home / name) in check["detail"]) == (False, True)
    assert "daemon restart --stop-tasks" in check["fix"]


def test_what_was_set_aside_is_counted(home: Path, taskmux: Taskmux) -> None:
    (home / "registry.json.corrupt-20260101T000000.000000").touch()
    check = found(taskmux)["state"]
    assert check["ok"]
    assert "damaged files set aside: 1" in check["detail"]


@pytest.mark.parametrize("text", [b"=", b"\xff", None])
def test_a_config_that_cannot_be_read_can_be_moved_away(
    home: Path, taskmux: Taskmux, text: bytes | None
) -> None:
    path = home / "config.toml"
    path.unlink()
    path.mkdir() if text is None else path.write_bytes(text)
    check = found(taskmux)["config.toml"]
    [command] = re.findall("`(mv [^`]*)`", check["fix"])
    subprocess.run(["/bin/sh", "-ec", command], check=True)
    assert found(taskmux)["config.toml"]["ok"]


def test_a_link_to_a_folder_is_none_of_our_business(
    home: Path, taskmux: Taskmux, tmp_path: Path
) -> None:
    home.rename(tmp_path / "elsewhere")
    home.symlink_to(tmp_path / "elsewhere")
    check = found(taskmux)["folder"]
    assert (check["ok"], f"leads to {tmp_path}/elsewhere" in check["detail"]) == (True, True)


def test_root_is_told_that_it_has_to_be_meant(taskmux: Taskmux) -> None:
    needs_root()
    check = found(taskmux, TASKMUX_ALLOW_ROOT="")["daemon"]
    assert (check["ok"], "TASKMUX_ALLOW_ROOT=1" in check["fix"]) == (False, True)


def test_a_daemon_that_hangs_costs_a_moment(
    daemon: FakeDaemon, taskmux: Taskmux, home: Path
) -> None:
    release = threading.Event()

    def hang() -> bytes:
        release.wait()
        return b""

    daemon.answers["hello"] = daemon.answers["list_plugins"] = hang
    (home / "daemon.pid").write_text("4711\n")
    try:
        check = found(taskmux)["daemon"]
    finally:
        release.set()
    assert (check["ok"], check["detail"]) == (False, "no answer within 5 s")
    assert "`kill -KILL 4711`" in check["fix"]


def test_a_daemon_that_speaks_otherwise_is_no_daemon_that_rests(
    daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers["hello"] = b"220 ready\r\n"
    check = found(taskmux)["daemon"]
    assert (check["ok"], check["fix"] is not None) == (False, True)


ABOUT = wire.DaemonReport(
    running=True, pid=1, version="0.0.1", protocol=1, started_at=None, home="/", api_port=8765,
    projects=0, tasks=0, reason="",
)  # fmt: skip


def test_what_the_daemon_knows_is_part_of_it(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    trouble = wire.Finding("names", ok=False, detail="new names need root", fix="use sudo")
    names = ["localhost"]
    daemon.answers["hello"] = ABOUT
    daemon.answers["diagnose"] = wire.DoctorReport(ok=False, checks=[trouble], names=names)
    daemon.answers["list_plugins"] = wire.PluginsReport(plugins=[])
    checks = found(taskmux)
    assert checks["names"] == {
        "name": "names", "ok": False, "detail": "new names need root", "fix": "use sudo",
    }  # fmt: skip
    assert checks["resolving"]["detail"] == "localhost lead here"
    assert not checks["daemon"]["ok"]
    assert "taskmux daemon restart" in checks["daemon"]["fix"]


def test_a_name_that_leads_nowhere_is_told() -> None:
    finding = checkup.resolves(["nobody.invalid"], lambda: "look elsewhere")
    assert (finding.ok, finding.fix) == (False, "look elsewhere")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('host_resolver = "dns_server"\ndns_server_port = 53\n', "taskmux dns install --port 53`"),
        ('host_resolver = "etc_hosts"\n', "`sudo taskmux daemon restart`"),
        ('host_resolver = "etc_hosts"\nhosts_file = "/mine"\n', "read /mine"),
        ('host_resolver = "etc_hosts"\nhosts_file = "mine"\n', "`taskmux plugins`"),
        ('host_resolver = "noop"\n', "your own DNS"),
        ('host_resolver = "nobody\'s"\n', "`taskmux plugins`"),
    ],
)
def test_the_resolver_has_words_of_its_own_for_names_that_lead_nowhere(
    settings: str, said: str, home: Path, daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    (home / "config.toml").write_text(settings)
    daemon.answers["hello"] = ABOUT
    daemon.answers["list_plugins"] = wire.PluginsReport(plugins=[])
    daemon.answers["diagnose"] = wire.DoctorReport(ok=True, checks=[], names=["nobody.invalid"])
    check = found(taskmux)["resolving"]
    assert not check["ok"]
    assert said in check["fix"]


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a user's folder with a database of Firefox; no other store counts."""
    if shutil.which("certutil") is None:
        pytest.skip("certutil, of NSS's tools, is not installed")
    folder = tmp_path / "person"
    profile = folder / ".mozilla/firefox/x"
    profile.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{profile}", "--empty-password"], check=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TRUST_STORES", "nss")
    return folder


def test_without_an_authority_there_is_nothing_to_trust(taskmux: Taskmux, person: Path) -> None:
    checks = found(taskmux)
    assert checks["certificates"]["ok"]
    assert not [name for name in checks if name.startswith("trust ")]


def test_who_does_not_trust_the_authority_is_told(
    taskmux: Taskmux, home: Path, person: Path
) -> None:
    own(home, ("localhost",))
    checks = found(taskmux)
    assert checks["certificates"]["ok"]
    check = checks["trust Firefox"]
    assert (check["ok"], check["fix"]) == (False, "taskmux ca install")
    assert taskmux(*check["fix"].split()[1:]).status == 0
    assert found(taskmux)["trust Firefox"]["ok"]


def test_a_key_that_others_may_read_is_told(taskmux: Taskmux, home: Path, person: Path) -> None:
    own(home, ("localhost",))
    (home / "ca" / KEY).chmod(0o640)
    check = found(taskmux)["certificates"]
    assert not check["ok"]
    subprocess.run(["/bin/sh", "-ec", check["fix"]], check=True)
    assert found(taskmux)["certificates"]["ok"]


def test_an_authority_that_cannot_be_used_is_told(
    taskmux: Taskmux, home: Path, person: Path
) -> None:
    own(home, ("localhost",))
    (home / "ca" / "root.pem").write_text("")
    check = found(taskmux)["certificates"]
    assert (check["ok"], check["fix"]) == (False, "run `taskmux ca install`")


def test_an_authority_that_ends_soon_is_told(taskmux: Taskmux, home: Path, person: Path) -> None:
    keep(home, aged(AUTHORITY - timedelta(days=100)))
    check = found(taskmux)["certificates"]
    assert (check["ok"], check["fix"]) == (False, ANEW)
    assert taskmux(*ANEW.partition(" && ")[0].split()[1:]).status == 0
    assert found(taskmux)["certificates"]["ok"]


def test_without_a_proxy_nobody_signs(taskmux: Taskmux, home: Path) -> None:
    with (home / "config.toml").open("a") as file:
        file.write("proxy_enabled = false\n")
    assert "certificates" not in found(taskmux)

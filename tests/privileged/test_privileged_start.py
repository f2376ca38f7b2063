from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from taskmux.daemon.privileged.trust import changeable
from tests.privileged.machine import GID, GROUP, ROOT, UID, Machine, machine, sudo_environ

pytestmark = pytest.mark.timeout(180)  # a dozen programs start here, on a machine that is shared

EVERYWHERE = [
    ("https", "127.0.0.1", 443), ("https", "::1", 443),
    ("http", "127.0.0.1", 80), ("http", "::1", 80),
]  # fmt: skip

UNPRIVILEGED = [("https", "127.0.0.1", 8443), ("https", "::1", 8443)]

SHOP = """
name = "shop"
[tasks.sleeper]
command = "umask; exec sleep 1000"
[tasks.web]
command = "true"
host = "@"
[tasks.api]
command = "true"
host = "api"
[tasks.rest]
command = "true"
host = "*"
"""


def held(report: Any) -> list[tuple[str, str, int]]:
    """Return where a daemon says it listens."""
    return [(one["use"], one["address"], one["port"]) for one in report["listeners"]]


def connects(joes: Machine) -> list[bool]:
    """Return of each of the four places whether somebody listens there."""
    code = "import socket as s, sys; a, p = sys.argv[1:]; s.create_connection((a, p), 20)"
    places = [(address, str(port)) for _, address, port in EVERYWHERE]
    tried = [joes.run(sys.executable, "-c", code, *place) for place in places]
    return [one.returncode == 0 for one in tried]


def process(joes: Machine, pid: int) -> dict[str, list[str]]:
    """Return what the kernel says of a process, by the name of the line."""
    lines = joes.run("cat", f"/proc/{pid}/status").stdout.splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def register(joes: Machine) -> list[str]:
    """Write joe's project down; return what chooses it."""
    config = joes.home / "shop" / "taskmux.toml"
    joes.write(config, SHOP)
    joes.write(joes.ours / "registry.json", json.dumps({"shop": str(config)}))
    return ["--project", "shop"]


def test_a_start_with_sudo_is_the_user_s(joes: Machine) -> None:
    shop = register(joes)
    done = joes.sudo("daemon", "start", "--json")
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    pid = report["pid"]
    assert held(report) == EVERYWHERE
    assert done.stderr == f"started the taskmux daemon (pid {pid})\n"

    found = process(joes, pid)
    assert (found["Uid"], found["Gid"]) == ([str(UID)] * 4, [str(GID)] * 4)
    assert sorted(found["Groups"]) == sorted([str(GID), str(GROUP)])
    nothing = [found[name] for name in ("CapPrm", "CapEff", "CapAmb")]
    assert nothing == [["0000000000000000"]] * 3
    assert joes.run("readlink", f"/proc/{pid}/cwd").stdout == "/\n"

    # Readable for joe: a process that only changed its user would not be.
    environ = joes.run(*joes.as_joe("cat", f"/proc/{pid}/environ")).stdout.split("\0")
    names = {pair.partition("=")[0] for pair in environ if pair}
    theirs = {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "TERM", "LANG", "LC_TIME"}
    assert names - {"LC_CTYPE"} == theirs | {"TASKMUX_HOME"} | {n for n in names if "LISTEN_" in n}
    assert f"HOME={joes.home}" in environ
    assert "USER=joe" in environ

    prepared = json.loads((joes.folder / "prepared.json").read_text())
    names_of_shop = ["shop.localhost", "api.shop.localhost"]
    assert (prepared["names"], prepared["ids"]) == (names_of_shop, [0, 0, 0])
    hosts = (joes.folder / "hosts").read_text()
    assert hosts.endswith("127.0.0.1 shop.localhost\n127.0.0.1 api.shop.localhost\n")
    # Of the other plugin, nothing ever ran as root.
    assert not (joes.folder / "bystander.0").exists()

    assert connects(joes) == [True] * 4
    assert joes.ask(*shop, "start", "sleeper")["ok"]
    lines = joes.ask(*shop, "logs", "sleeper")["lines"]
    assert lines[-1].endswith("0022"), "a task begins with what whoever typed sudo had"

    report = joes.ask("daemon", "restart")
    assert (report["pid"], held(report)) == (pid, EVERYWHERE)
    assert joes.sudo("daemon", "restart").stderr == ""
    report = joes.ask("daemon", "restart", "--stop-tasks")
    assert report["pid"] != pid
    assert held(report) == EVERYWHERE
    assert connects(joes) == [True] * 4
    [sleeper] = [one for one in joes.ask(*shop, "status")["tasks"] if one["name"] == "sleeper"]
    opened = joes.run("ls", "-l", f"/proc/{sleeper['pid']}/fd").stdout
    assert "socket:" not in opened, "a task that is started again inherits no listener"
    assert json.loads(joes.sudo("daemon", "status", "--json").stdout)["pid"] == report["pid"]
    checks = {
        one["name"]: one for one in json.loads(joes.sudo("doctor", "--json").stdout)["checks"]
    }
    assert checks["daemon"]["detail"].startswith(f"pid {report['pid']},"), (
        "it is joe's that is meant"
    )
    assert [checks[name]["detail"] for name in ("port 443", "port 80")] == [
        "the daemon holds it"
    ] * 2
    assert joes.sudo("daemon", "stop").stdout == "The daemon is stopped\n"
    assert connects(joes) == [False] * 4
    assert joes.owners() == {UID}
    assert stat.S_IMODE(joes.ours.stat().st_mode) == 0o700


def test_a_daemon_that_runs_is_handed_what_sudo_gives(joes: Machine) -> None:
    settings = 'api_port = 0\nhost_resolver = "noted"\nproxy_http_redirect_port = 0\n'
    joes.write(joes.ours / "config.toml", f'{settings}[plugin.noted]\nhosts_file = "/fail"\n')
    before = joes.ask("daemon", "start")
    told = joes.sudo("daemon", "start", "--json")
    assert "`sudo taskmux daemon restart` hands it the ports" in told.stderr
    assert held(before) == held(json.loads(told.stdout)) == UNPRIVILEGED
    done = joes.sudo("daemon", "restart", "--json")
    report = json.loads(done.stdout)
    assert report["pid"] == before["pid"]
    why = "noted could not prepare host names as root: the hosts file is read-only"
    assert done.stderr == f"{why}\n"
    # Tasks that run have been told of the port they were at until now.
    assert held(report) == [*UNPRIVILEGED, *EVERYWHERE[:2]]
    events = [json.loads(line) for line in (joes.ours / "events.jsonl").read_text().splitlines()]
    failed = [event for event in events if event["event"] == "plugin_failed"]
    assert [event["reason"] for event in failed if event["plugin"] == "noted"] == [why]
    assert joes.owners() == {UID}


@contextmanager
def kept(joes: Machine, *command: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command inside meanwhile, with pipes on all sides; it is gone afterwards."""
    with subprocess.Popen(
        joes.inside(*command),
        env=environ or None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


SQUAT = "import socket; s = socket.create_server(('127.0.0.1', 443)); print(1, flush=True); input()"


def test_in_the_foreground_with_a_port_that_is_taken_and_no_ipv6(joes: Machine) -> None:
    command = f"echo 1 > /proc/sys/net/ipv6/conf/{'{}'}/disable_ipv6"
    for which in ("all", "lo"):
        assert joes.run("sh", "-c", command.format(which)).returncode == 0
    environ = sudo_environ() | {"TASKMUX_HOME": str(joes.home / "elsewhere")}
    with kept(joes, sys.executable, "-c", SQUAT) as squatter:
        assert squatter.stdout is not None
        assert squatter.stdout.readline() == "1\n"
        with kept(joes, *joes.taskmux("daemon"), **environ) as foreground:
            assert foreground.stderr is not None
            said = foreground.stderr.readline()
            assert re.fullmatch(
                r"127\.0\.0\.1:443 cannot be bound: .*python.* \(pid \d+, user 0\) listens there\n",
                said,
            )
            for line in foreground.stderr:
                assert "cannot be bound" not in line, "a machine without IPv6 misses none of it"
                if "ready:" in line:
                    break
            pid = int((joes.home / "elsewhere" / "daemon.pid").read_text())
            assert process(joes, pid)["Uid"] == [str(UID)] * 4
            report = json.loads(joes.sudo("daemon", "status", "--json", **environ).stdout)
            assert held(report) == [("http", "127.0.0.1", 80), ("https", "127.0.0.1", 8443)]
            joes.run("kill", "-INT", str(pid))
            assert foreground.wait(30) == 0
    assert joes.owners() == {UID}


SHADOW = """\
import os, pathlib
pathlib.Path({folder!r}, f"shadow.{{os.geteuid()}}").touch()
"""


def test_root_imports_no_plugin_that_the_user_may_change(joes: Machine) -> None:
    if changeable(ROOT) or changeable(Path(sys.executable)):
        pytest.skip("takes a taskmux that is root's alone")
    lib = joes.home / "lib"
    joes.write(lib / "noted.py", SHADOW.format(folder=str(joes.folder)))
    done = joes.sudo("daemon", "start", "--json", PYTHONPATH=str(lib))
    assert f"root would run {lib}/noted.py, which others may change" in done.stderr
    assert json.loads(done.stdout)["ok"]
    done = joes.sudo("plugins", "--json", PYTHONPATH=str(lib))
    broken = {one["name"] for one in json.loads(done.stdout)["plugins"] if not one["ok"]}
    assert broken == {"noted"}
    assert not (joes.folder / "shadow.0").exists()
    assert not (joes.folder / "prepared.json").exists()
    assert joes.sudo("daemon", "stop").returncode == 0
    assert joes.owners() == {UID}


NOISY = """\
import subprocess, sys, threading
print("hello from a plugin", flush=True)
subprocess.Popen(["sleep", "300"])
threading.Thread(target=threading.Event().wait).start()
from pluggy import HookimplMarker


@HookimplMarker("taskmux")
def taskmux_host_resolvers():
    return ()
"""


def test_plugins_have_no_part_in_what_root_is_told(joes: Machine) -> None:
    (joes.folder / "site" / "bystander.py").write_text(NOISY)
    code = f"""
from taskmux.daemon.privileged.start import environment_of, known, survey_of
joe = known({UID})
print(survey_of(joe, environment_of(joe, {{}})).resolver)
"""
    done = joes.run(sys.executable, "-P", "-c", code)
    assert (done.stdout, done.stderr) == ("noted\n", "")


@pytest.fixture(scope="module")
def empty(made: None) -> Iterator[Machine]:
    """Return a machine for starts that are refused, so that nothing comes of them."""
    with machine() as found:
        (found.folder / "shadow").write_text("root:verysecret:19000::::::\n")
        (found.folder / "shadow").chmod(0o600)
        yield found


def link(joes: Machine) -> None:
    joes.ours.symlink_to(joes.folder)


def loop(joes: Machine) -> None:
    joes.ours.symlink_to(joes.ours)


def root_s(joes: Machine) -> None:
    joes.ours.mkdir()


@pytest.mark.parametrize(
    ("environ", "prepare", "said"),
    [
        ({"SUDO_UID": "0"}, None, "every task as root"),
        ({"SUDO_UID": "4711"}, None, "nobody has that number"),
        ({"SUDO_UID": "joe"}, None, "no user's"),
        ({"SUDO_GID": "0"}, None, "no user's"),
        ({}, link, "is a symbolic link"),
        ({}, loop, "is a symbolic link"),
        ({}, root_s, "belongs to user 0"),
    ],
)
def test_a_start_that_is_refused_changes_nothing(
    empty: Machine,
    environ: dict[str, str],
    prepare: Callable[[Machine], None] | None,
    said: str,
) -> None:
    if prepare is not None:
        prepare(empty)
    before = list(empty.home.rglob("*"))
    try:
        done = empty.sudo("daemon", "start", "--json", **environ)
        answer = json.loads(done.stdout)
        assert (done.returncode, answer["error_code"]) == (1, "E800")
        assert said in answer["error"]
        if prepare is root_s:
            assert answer["hint"] == f"run `sudo chown {UID}:{GID} {empty.ours}`"
        assert list(empty.home.rglob("*")) == before
        assert not (empty.folder / "prepared.json").exists()
    finally:
        if prepare is not None:
            empty.ours.unlink() if empty.ours.is_symlink() else empty.ours.rmdir()


def test_what_doctor_says_makes_the_ports_the_user_s(joes: Machine) -> None:
    def ports() -> dict[str, Any]:
        found = json.loads(joes.joe("doctor", "--json").stdout)["checks"]
        return {one["name"]: one for one in found if one["name"].startswith("port ")}

    before = ports()
    assert (before["port 443"]["ok"], before["port 80"]["ok"]) == (False, True)
    assert "may not be bound" in before["port 80"]["detail"]
    [command] = re.findall("`sudo (sysctl [^`]*)`", before["port 443"]["fix"])
    assert joes.run(*command.split()).returncode == 0
    assert [one["detail"] for one in ports().values()] == ["free, and may be bound"] * 2
    assert list(joes.home.rglob("*")) == [joes.ours, joes.ours / "config.toml"]


HANGING = """
import socket
from taskmux.cli import checkup
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 53))
print(checkup.resolves(["web.shop.test"], str, patience=0.5).detail)
"""


def test_a_resolver_that_hangs_does_not_hang_doctor(empty: Machine) -> None:
    (empty.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    mount = ["mount", "--bind", str(empty.folder / "resolv.conf"), "/etc/resolv.conf"]
    assert empty.run(*mount).returncode == 0
    done = empty.run(sys.executable, "-P", "-c", HANGING)
    assert (done.returncode, "no answer within 0.5 s" in done.stdout) == (0, True), done


def test_in_a_folder_that_is_closed_there_is_no_project(empty: Machine) -> None:
    closed = empty.folder / "closed"
    closed.mkdir(mode=0o700)
    command = shlex.join(empty.as_joe(*empty.taskmux("status", "--json")))
    done = empty.run("sh", "-c", f"cd {closed} && {command}", **empty.joe_environ())
    assert json.loads(done.stdout)["error_code"] == "E100"


def fifo(joes: Machine, config: Path) -> None:
    os.mkfifo(config)


def huge(joes: Machine, config: Path) -> None:
    with config.open("wb") as file:
        file.truncate(1 << 40)


def shadow(joes: Machine, config: Path) -> None:
    config.symlink_to(joes.folder / "shadow")


@pytest.mark.parametrize("config", [fifo, huge, shadow])
def test_a_config_that_is_a_trap_tells_root_nothing(
    empty: Machine, config: Callable[[Machine, Path], None]
) -> None:
    place = empty.ours / "config.toml"
    empty.write(place, "")
    place.unlink()
    config(empty, place)
    try:
        done = empty.sudo("daemon", "start", "--json")
        answer = json.loads(done.stdout)
        assert answer["error_code"] in ("E101", "E104")
        assert "verysecret" not in done.stdout + done.stderr
    finally:
        place.unlink()
        empty.ours.rmdir()


def test_root_alone_has_to_be_meant(empty: Machine) -> None:
    root = {"PATH": os.environ["PATH"], "HOME": str(empty.folder / "root")}
    done = empty.run(*empty.taskmux("daemon", "start", "--json"), **root)
    assert json.loads(done.stdout)["error_code"] == "E800"
    assert "TASKMUX_ALLOW_ROOT=1" in json.loads(done.stdout)["hint"]
    assert not Path(root["HOME"]).exists()
    done = empty.run(*empty.taskmux("daemon", "start", "--allow-root", "--json"), **root)
    report = json.loads(done.stdout)
    assert len(report["listeners"]) == 4
    assert process(empty, report["pid"])["Uid"] == ["0"] * 4
    stopped = empty.run(*empty.taskmux("daemon", "stop", "--json"), **root)
    assert stopped.returncode == 0


def test_root_leaves_no_caches_in_an_installation_of_the_user_s(empty: Machine) -> None:
    lib = empty.home / "lib"
    shutil.copytree(ROOT / "taskmux", lib / "taskmux", ignore=shutil.ignore_patterns("__pycache__"))
    for place in [lib, *lib.rglob("*")]:
        os.chown(place, UID, GID)
    command = [sys.executable, "-P", "-c", "from taskmux.cli import entry; entry()"]
    done = empty.run(*command, "daemon", "status", **sudo_environ(), PYTHONPATH=str(lib))
    assert done.stdout == "The daemon is not running\n"
    assert empty.owners() == {UID}
    shutil.rmtree(lib)


BE_JOE = f"os.setresuid({UID}, {UID}, {UID})"

DROP = f"""
import os
from taskmux.daemon.privileged.drop import StillRoot, drop, prove
from taskmux.daemon.privileged.person import Person
joe = Person("joe", {UID}, {GID}, "/", "/bin/sh")
"""


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ("drop(joe)", True),
        (f"os.setegid({GID}); os.seteuid({UID}); prove(joe)", False),
        (f"os.setgid({GID}); os.setresuid({UID}, {UID}, 0); prove(joe)", False),
        (f"os.setresuid({UID}, {UID}, {UID}); prove(joe)", False),
        ("prove(joe)", False),
        (f"os.setgroups([]); os.setresgid({GID}, {GID}, 0); {BE_JOE}; prove(joe)", False),
        (f"os.setgroups([4]); os.setresgid({GID}, {GID}, {GID}); {BE_JOE}; prove(joe)", False),
        (f"os.setgroups([]); os.setresgid({GID}, {GID}, {GID}); {BE_JOE}; prove(joe)", True),
    ],
)
def test_what_can_be_undone_is_noticed(empty: Machine, code: str, holds: bool) -> None:
    done = empty.run(sys.executable, "-P", "-c", DROP + code)
    assert (done.returncode == 0) == holds, done.stderr
    assert holds or "StillRoot" in done.stderr


SOME = "+setuid,+chown,+dac_override,+net_bind_service"
CAPABLE = ["setpriv", f"--inh-caps={SOME}", f"--ambient-caps={SOME}"]
CAPABLE += ["--securebits=+no_setuid_fixup"]
"""Root as hardly anybody has it: what it is able to would stay with whoever it becomes."""


def test_root_s_capabilities_go_even_where_the_kernel_would_leave_them(empty: Machine) -> None:
    code = f"{DROP}os.setgroups([]); os.setresgid({GID}, {GID}, {GID}); {BE_JOE}; prove(joe)"
    done = empty.run(*CAPABLE, sys.executable, "-P", "-c", code)
    assert "StillRoot: capabilities are left" in done.stderr
    code = f"{DROP}drop(joe); os.execv('/bin/cat', ['cat', '/proc/self/status'])"
    done = empty.run(*CAPABLE, sys.executable, "-P", "-c", code)
    found = dict(line.split(":\t") for line in done.stdout.splitlines() if line.startswith("Cap"))
    bound = found.pop("CapBnd")  # what sudo in a task needs
    assert set(found.values()) == {"0" * 16}, done.stderr
    assert bound != "0" * 16


def test_who_reads_the_settings_has_nothing_of_root(empty: Machine) -> None:
    code = f"""
import sys
from taskmux.daemon.privileged import start
sys.executable = {str(empty.folder / "spy")!r}
joe = start.known({UID})
print(start.ask(joe, {{"HOME": joe.folder}}, ["taskmux.daemon.privileged.inquiry"]).decode())
"""
    spy = empty.folder / "spy"
    spy.write_text("#!/bin/sh\ncat /proc/self/status; cat /proc/self/stat; env\n")
    spy.chmod(0o755)
    command = [*CAPABLE, sys.executable, "-P", "-c", code]
    # In a terminal, as root has it.
    done = empty.run("script", "-qec", shlex.join(command), "/dev/null", SECRET="of root's")
    found = {line.partition(":")[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert found["Uid"] == [str(UID)] * 4, done
    assert found["Gid"] == [str(GID)] * 4
    assert sorted(found["Groups"]) == sorted([str(GID), str(GROUP)])
    nothing = [found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")]
    assert nothing == [["0" * 16]] * 4
    [line] = [line for line in done.stdout.splitlines() if "(cat)" in line]
    assert line.split()[6] == "0", "it has no terminal"
    assert "of root's" not in done.stdout


def test_root_that_cannot_become_anybody_says_so_and_leaves_nothing(empty: Machine) -> None:
    little = ["setpriv", "--bounding-set=-setuid", "--inh-caps=-setuid"]
    done = empty.run(*little, *empty.taskmux("daemon", "start", "--json"), **sudo_environ())
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["error_code"]) == (1, "E800")
    assert "root cannot become joe here" in answer["error"]
    assert list(empty.home.iterdir()) == []

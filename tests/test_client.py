from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskmux import wire
from taskmux.client import Client
from taskmux.client.launch import launch, outlasting
from taskmux.errors import (
    BadRequest,
    DaemonDidNotStart,
    DaemonNotRunning,
    ProtocolMismatch,
    Refused,
)
from taskmux.lock import alone
from tests.cli.conftest import FakeDaemon, about, done, refusal, status, task

ROOT = Path(__file__).parents[1]
STATUS = wire.Status(config="/shop/taskmux.toml")


@pytest.fixture
def client(home: Path) -> Client:
    return Client(home / "daemon.sock")


@pytest.fixture
def daemon(home: Path) -> Iterator[FakeDaemon]:
    yield from serving(home)


def serving(home: Path) -> Iterator[FakeDaemon]:
    with FakeDaemon(home / "daemon.sock") as daemon:
        thread = threading.Thread(target=daemon.serve_forever, args=(0.01,))
        thread.start()
        yield daemon
        daemon.shutdown()
        thread.join()


def test_a_request_carries_its_command_and_fields(daemon: FakeDaemon, client: Client) -> None:
    daemon.answers["status"] = status(task("api"))
    assert client.status(STATUS) == status(task("api"))
    [asked] = daemon.asked
    assert asked["command"] == "status"
    assert asked["params"] == {"session": None, "config": "/shop/taskmux.toml"}


def test_one_task_is_answered_by_one_report_and_several_by_a_list(
    daemon: FakeDaemon, client: Client
) -> None:
    one, several = done("api", "started"), [done("api", "started"), done("web", "started")]
    daemon.answers["start"] = one
    assert client.start(wire.StartTasks(task="api")) == one
    daemon.answers["start"] = every = wire.ActionsReport(ok=True, session="shop", results=several)
    assert client.start(wire.StartTasks()) == every


def test_what_is_pushed_is_not_taken_for_the_reply(daemon: FakeDaemon, client: Client) -> None:
    pushed = {"push": "event", "event": "task_started", "error_code": "E200", "message": "no"}
    other = {"id": 99, "ok": True, "session": "another"}
    daemon.answers["status"] = [pushed, other, pushed, status()]
    assert client.status(STATUS) == status()


def test_a_subscription_yields_what_is_pushed_until_the_daemon_ends(
    daemon: FakeDaemon, client: Client
) -> None:
    pushed = [{"push": "event", "seq": 1}, {"push": "lost", "count": 3}]
    daemon.answers["subscribe"] = [{}, *pushed]
    assert list(client.subscribe(wire.Subscribe())) == pushed


def test_a_refusal_is_raised_with_the_sentence_the_hint_and_the_facts(
    daemon: FakeDaemon, client: Client
) -> None:
    daemon.answers["status"] = refusal("E902", "no ready within 1 s", "wait", limit=1.0)
    with pytest.raises(Refused) as refused:
        client.status(STATUS)
    assert refused.value.exit_status == 124
    assert refused.value.answer() == {
        "ok": False,
        "error": "no ready within 1 s",
        "error_code": "E902",
        "hint": "wait",
        "limit": 1.0,
    }


def test_a_refusal_that_repeats_no_id_is_ours(daemon: FakeDaemon, client: Client) -> None:
    daemon.answers["status"] = json.dumps(refusal("E801", "the message is not JSON")).encode()
    with pytest.raises(Refused, match="the message is not JSON"):
        client.status(STATUS)


@pytest.mark.parametrize(
    "line",
    [b"[]\n", b"{", b"{}\n", b'{"tasks": 3}\n', b"\xff\n", b'{"error_code": 1, "message": 2}\n'],
)
def test_an_answer_that_cannot_be_read(line: bytes, daemon: FakeDaemon, client: Client) -> None:
    daemon.answers["status"] = line
    with pytest.raises(ProtocolMismatch):
        client.status(STATUS)


def test_a_daemon_that_hangs_up_is_not_running(
    daemon: FakeDaemon, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskmux.client.client.CHANCES", 3)  # it would ask for ten seconds
    daemon.answers["status"] = b""
    with pytest.raises(DaemonNotRunning):
        client.status(STATUS)


def test_nobody_there_and_somebody_gone_are_the_same(home: Path, client: Client) -> None:
    with pytest.raises(DaemonNotRunning):
        client.hello()
    for daemon in serving(home):
        daemon.answers["hello"] = about()
        assert client.hello() == about()
    assert (home / "daemon.sock").exists()
    with pytest.raises(DaemonNotRunning):
        client.hello()


def test_a_reply_of_many_megabytes_arrives(daemon: FakeDaemon, client: Client) -> None:
    big = status(task("api", command="x" * 5_000_000))
    daemon.answers["status"] = big
    assert client.status(STATUS) == big


def test_a_door_whose_path_is_too_long_for_a_socket_is_reached(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120)
    for daemon in serving(home):
        daemon.answers["hello"] = about()
        assert Client(home / "daemon.sock").hello() == about()


def test_a_name_that_no_json_can_hold_is_a_bad_request(daemon: FakeDaemon, client: Client) -> None:
    with pytest.raises(BadRequest):
        client.status(wire.Status(session="\udcff"))


def test_whoever_is_woken_is_asked_again(home: Path) -> None:
    daemons: list[FakeDaemon] = []
    servings = serving(home)

    def wake() -> None:
        daemons.append(next(servings))
        daemons[0].answers["hello"] = about()

    client = Client(home / "daemon.sock", wake)
    assert client.hello() == about()
    assert client.hello() == about()
    assert len(daemons) == 1
    assert next(servings, None) is None


STAY = """
import json, socket
if os.fork():
    os._exit(0)
home = os.environ["TASKMUX_HOME"]
seen = {"environ": dict(os.environ), "cwd": os.getcwd()}
seen |= {"pid": os.getpid(), "session": os.getsid(0)}
print("up", flush=True)
with open(home + "/seen.json", "w") as file:
    json.dump(seen, file)
door = socket.socket(socket.AF_UNIX)
door.bind(home + "/daemon.sock")
door.listen()
os.write(fd, b"ready\\n")
os.close(fd)
os.close(lock)
open(home + "/end").read()
"""


def install(tmp_path: Path, body: str) -> dict[str, str]:
    """Return an environment in which `python -m taskmux.daemon` is `body`."""
    package = tmp_path / "lib" / "taskmux" / "daemon"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    head = (
        "import os, sys\nfd, lock = (int(sys.argv[sys.argv.index(option) + 1])"
        " for option in ('--ready-fd', '--lock-fd'))\n"
    )
    (package / "__main__.py").write_text(head + body)
    return {"PYTHONPATH": str(tmp_path / "lib"), "TASKMUX_RUN_ID": "x", "TASKMUX_HOME": "elsewhere"}


@pytest.fixture
def end(home: Path) -> Iterator[None]:
    """End the stand-in afterwards, and wait until it is gone."""
    home.mkdir(mode=0o700)
    os.mkfifo(home / "end")
    yield
    with outlasting(json.loads((home / "seen.json").read_text())["pid"]):
        (home / "end").write_text("")


@pytest.mark.usefixtures("end")
def test_a_daemon_is_started_apart_from_whoever_starts_it(tmp_path: Path, home: Path) -> None:
    assert launch(home, install(tmp_path, STAY))
    seen = json.loads((home / "seen.json").read_text())
    assert seen["cwd"] == "/"
    assert seen["session"] != os.getsid(0)
    assert {key for key in seen["environ"] if key.startswith("TASKMUX")} == {"TASKMUX_HOME"}
    assert seen["environ"]["TASKMUX_HOME"] == str(home)
    assert (home / "daemon.log").read_text() == "up\n"
    assert (home / "daemon.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("end")
def test_however_many_start_one_there_is_one(tmp_path: Path, home: Path) -> None:
    environ, started = install(tmp_path, STAY), list[bool]()
    threads = [
        threading.Thread(target=lambda: started.append(launch(home, environ))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [False, False, False, True]


def test_a_start_goes_on_to_hold_the_lock_when_whoever_asked_is_gone(
    tmp_path: Path, home: Path
) -> None:
    home.mkdir(mode=0o700)
    for pipe in ("go", "begun"):
        os.mkfifo(home / pipe)
    slow = 'home = os.environ["TASKMUX_HOME"]\nopen(home + "/begun", "w").close()\n'
    slow += 'open(home + "/go").read()\nos.write(fd, b"[]\\n")'
    environ = install(tmp_path, slow)
    call = "import os, pathlib, taskmux.client.launch as l"
    call += f"; l.launch(pathlib.Path({str(home)!r}), os.environ)"
    # The stand-in must be found by the daemon alone, and taskmux by who starts it.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {call}"
    first = subprocess.Popen([sys.executable, "-P", "-c", code], env={**os.environ, **environ})
    (home / "begun").read_text()
    first.kill()
    first.wait()
    with pytest.raises(TimeoutError), alone(home / "starting.lock", patience=0):
        pass
    (home / "go").write_text("")
    with alone(home / "starting.lock"):
        pass


def test_a_log_that_nobody_reads_from_keeps_nobody_waiting(tmp_path: Path, home: Path) -> None:
    home.mkdir(mode=0o700)
    os.mkfifo(home / "daemon.log")
    with pytest.raises(DaemonDidNotStart, match="it ended too early"):
        launch(home, install(tmp_path, ""))


def test_who_meets_a_daemon_that_ends_outwaits_it_and_asks_again(
    daemon: FakeDaemon, home: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as ending:
        told = refusal("E308", "the daemon is ending", pid=ending.pid)
        daemon.answers["status"] = told
        with pytest.raises(Refused, match="is ending"):
            Client(home / "daemon.sock").status(STATUS)

        def end() -> object:
            assert ending.stdin is not None
            ending.stdin.close()
            daemon.answers["status"] = lambda: status(task("ended" if ending.poll() else "no"))
            return told

        daemon.answers["status"] = end
        answer = Client(home / "daemon.sock", lambda: None).status(STATUS)
    assert [task.name for task in answer.tasks] == ["ended"]


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path, home: Path) -> None:
    with pytest.raises(DaemonDidNotStart):
        launch(home, install(tmp_path, ""))
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_daemon_that_says_why_it_cannot_is_believed(tmp_path: Path, home: Path) -> None:
    said = json.dumps(refusal("E104", "api_port is wrong"))
    with pytest.raises(Refused, match="api_port is wrong") as refused:
        launch(home, install(tmp_path, f"os.write(fd, {said.encode()!r})"))
    assert (refused.value.code, refused.value.exit_status) == ("E104", 2)


@pytest.mark.parametrize("said", ["", "os.write(fd, b'[]'); ", "os.write(fd, b'{}'); "])
def test_a_daemon_that_just_ends_is_quoted(said: str, tmp_path: Path, home: Path) -> None:
    with pytest.raises(DaemonDidNotStart) as failed:
        launch(home, install(tmp_path, f"{said}print('one', flush=True); sys.exit('two')"))
    assert failed.value.exit_status == 3
    assert failed.value.facts == {"log": ["one", "two"], "path": str(home / "daemon.log")}


def test_a_home_that_cannot_be_is_no_crash(tmp_path: Path, home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(DaemonDidNotStart, match="cannot be used: File exists"):
        launch(home, install(tmp_path, STAY))


def test_outlasting_a_process_that_is_gone_already() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with outlasting(child.pid):
        pass


def test_outlasting_waits_for_the_end_of_a_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    with outlasting(child.pid):
        assert child.poll() is None
        child.stdin.write(b"\n")
        child.stdin.close()
    assert child.wait(timeout=0) == 0

"""What holds for every command line: one answer, one document, one exit status."""

from __future__ import annotations

import inspect
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from taskmux.cli import main
from taskmux.cli.argv import split
from taskmux.cli.commands import COMMANDS, NAMES
from taskmux.cli.examples import EXAMPLES
from taskmux.cli.parsing import build
from tests.cli.conftest import FakeDaemon, Screen, Taskmux, refusal, status, task

SCRIPT = [sys.executable, "-P", "-c", "from taskmux.cli import entry; entry()"]
"""What the installed command does: -P keeps the current folder out of the import path."""


@pytest.mark.parametrize(
    ("code", "exit_status"),
    [
        ("E100", 2), ("E103", 2), ("E106", 2), ("E200", 1), ("E201", 1), ("E214", 1), ("E300", 1),
        ("E304", 3), ("E305", 1), ("E306", 3), ("E307", 3), ("E308", 3), ("E400", 1), ("E700", 1),
        ("E801", 2), ("E802", 2), ("E900", 1), ("E901", 130), ("E902", 124), ("E999", 1),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("config")
def test_the_exit_status_belongs_to_the_error(
    code: str, exit_status: int, daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers["status"] = refusal(code, "no")
    assert taskmux("status").status == exit_status
    assert taskmux("status", "--json").status == exit_status


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("statu", "E802", "did you mean 'status'?"),
        ("daemon stpo", "E802", "did you mean 'daemon stop'?"),
        ("config", "E801", "one of: config path, config set, config show"),
        ("start --loud", "E801", "run `taskmux start --help`"),
        ("inspect", "E801", "run `taskmux inspect --help`"),
        ("status api", "E801", "run `taskmux status --help`"),
        ("start --timeout soon", "E801", "run `taskmux start --help`"),
        ("start --timeout -1", "E801", "run `taskmux start --help`"),
        ("start --timeout", "E801", "run `taskmux start --help`"),
        ("--loud", "E801", "run `taskmux --help`"),
        ("logs --since garbage", "E801", "write 90s, 5m, 1h, 2d, or 2024-01-01T14:00"),
        ("-C nowhere status", "E801", None),
        ("schema StatusRepor", "E801", "did you mean 'StatusReport'?"),
    ],
)
@pytest.mark.usefixtures("config")
def test_a_command_line_that_makes_no_sense(
    line: str, code: str, hint: str | None, taskmux: Taskmux
) -> None:
    outcome = taskmux(*line.split(), "--json")
    assert (outcome.status, outcome.err) == (2, "")
    answer = outcome.document
    assert (answer["ok"], answer["error_code"], answer["hint"]) == (False, code, hint)
    outcome = taskmux(*line.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(f"Error [{code}]: {answer['error']}\n")


def test_an_argument_of_odd_bytes_is_still_answered_in_json(taskmux: Taskmux) -> None:
    outcome = taskmux("\udcff", "--json")
    assert (outcome.status, outcome.document["error_code"]) == (2, "E802")
    assert r"\udcff" in taskmux("\udcff").err


@pytest.mark.parametrize("name", ["status", "start", "stop", "inspect x", "logs", "check", "graph"])
def test_without_a_taskmux_toml_there_is_no_project(
    name: str, taskmux: Taskmux, home: Path
) -> None:
    outcome = taskmux(*name.split(), "--json")
    assert (outcome.status, outcome.document["error_code"]) == (2, "E100")
    assert not home.exists()


def test_a_project_whose_file_is_gone_is_named_in_the_hint(
    taskmux: Taskmux, home: Path, tmp_path: Path
) -> None:
    home.mkdir()
    (home / "registry.json").write_text(json.dumps({"shop": str(tmp_path / "taskmux.toml")}))
    (tmp_path / "inner").mkdir()
    outcome = taskmux("-C", "inner", "status", "--json")
    assert outcome.document["hint"] == "its tasks may still run: add `--project shop`"


@pytest.mark.usefixtures("config")
def test_a_subfolder_belongs_to_the_project_above(
    daemon: FakeDaemon, taskmux: Taskmux, config: Path
) -> None:
    daemon.answers["status"] = status()
    (config.parent / "a" / "b").mkdir(parents=True)
    for line in ("-C a/b status", "status -C a/../a/b"):
        assert taskmux(*line.split()).status == 0
        assert daemon.params == {"config": str(config)}


def test_another_project_is_chosen_by_its_id(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["status"] = status()
    for line in ("--project shop status", "status --project=shop"):
        assert taskmux(*line.split()).status == 0
        assert daemon.params == {"session": "shop"}


@pytest.mark.usefixtures("config")
def test_ctrl_c_is_an_answer(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    def interrupt() -> bytes:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return b""

    daemon.answers["status"] = interrupt
    outcome = taskmux("status", "--json")
    assert (outcome.status, outcome.document["error_code"]) == (130, "E901")
    assert taskmux("status").status == 130


@pytest.mark.usefixtures("daemon", "config")
def test_a_crash_is_an_answer_with_its_traceback_kept(taskmux: Taskmux, home: Path) -> None:
    out, err = Screen(), Screen()
    assert main(["status", "--json"], {"TASKMUX_HOME": str(home)}, None, out, err) == 1  # type: ignore[arg-type]
    assert json.loads(out.text)["error_code"] == "E900"
    assert err.text == ""
    assert "Traceback" in (home / "cli.log").read_text()
    assert (home / "cli.log").stat().st_mode & 0o777 == 0o600


def test_root_keeps_its_traceback_out_of_the_folders_of_others(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("takes root")
    home = tmp_path / "joe" / ".taskmux"
    home.mkdir(parents=True)
    os.chown(home.parent, 1000, 1000)
    (home / "cli.log").symlink_to(tmp_path / "precious")
    out = Screen()
    main(["-C", "x", "status", "--json"], {"TASKMUX_HOME": str(home)}, None, out, Screen())  # type: ignore[arg-type]
    log = Path(json.loads(out.text)["log"])
    try:
        assert "Traceback" in log.read_text()
        assert log.parent.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(log.parent)
    assert [*tmp_path.rglob("*")] == [home.parent, home, home / "cli.log"]


class Closed(io.TextIOWrapper):
    """A pipe whose reader is gone."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.mark.usefixtures("config")
def test_nobody_reading_on_is_no_failure(daemon: FakeDaemon) -> None:
    daemon.answers["status"] = status(task("api"))
    err = Screen()
    assert main(["status"], dict(os.environ), Path.cwd(), Closed(), err) == 0
    daemon.answers["status"] = refusal("E200", "no")
    assert main(["status", "--json"], dict(os.environ), Path.cwd(), Closed(), err) == 1
    assert err.text == ""


@pytest.mark.usefixtures("config")
def test_a_pipe_that_closes_leaves_no_complaint(daemon: FakeDaemon) -> None:
    daemon.answers["status"] = status(task("api", command="x" * 1_000_000))
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([*SCRIPT, "status", "--json"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(("redirect", "code"), [("<&- >&- 2>&-", 0), (">/dev/full", 1)])
@pytest.mark.usefixtures("config")
def test_streams_that_cannot_be_written_are_no_traceback(redirect: str, code: int) -> None:
    shell = ["sh", "-c", f'"$@" {redirect}', "sh", *SCRIPT, "check", "--json"]
    ended = subprocess.run(shell, capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, b"", b"")


@pytest.mark.usefixtures("config")
def test_a_folder_that_was_deleted_is_an_answer(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    shell = ["sh", "-c", 'rmdir ../gone; exec "$@"', "sh", *SCRIPT, "-C", ".", "status", "--json"]
    ended = subprocess.run(
        shell, cwd=gone, capture_output=True, env={**os.environ, "PWD": str(gone)}
    )
    assert (ended.returncode, json.loads(ended.stdout)["ok"], ended.stderr) == (2, False, b"")


@pytest.mark.usefixtures("config")
def test_status_costs_what_it_needs_and_no_more(daemon: FakeDaemon) -> None:
    daemon.answers["status"] = status(task("api"))
    ended = subprocess.run(
        [
            sys.executable, "-c",
            "import os, sys\n"
            "from pathlib import Path\n"
            "from taskmux.cli import main\n"
            "main(['status', '--json'], os.environ, Path.cwd(), sys.stdout, sys.stderr)\n"
            "print(*sys.modules)",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    document, modules = ended.stdout.splitlines()
    assert json.loads(document)["session"] == "shop"
    loaded = {name.partition(".")[0] for name in modules.split()}
    heavy = {"anyio", "asyncio", "pluggy", "rich", "subprocess", "tomlkit", "typer", "websockets"}
    assert not heavy & loaded
    ours = {name for name in modules.split() if name.startswith("taskmux.cli.")}
    assert not ours & {f"taskmux.cli.{name}" for name in ("daemon", "history", "tables", "options")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, taskmux: Taskmux) -> None:
    summary = (inspect.getdoc(COMMANDS[name].load()) or "").partition("\n")[0]
    assert summary.endswith(".")
    assert summary in taskmux("--help").out.replace("\n" + " " * 22, " ")
    outcome = taskmux(*name.split(), "--help")
    assert outcome.out.startswith(f"Usage: taskmux {name}")
    [command] = taskmux(*name.split(), "--json", "--help").document["commands"]
    assert command["name"] == name
    assert all(one["help"] for one in command["options"] + command["arguments"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_can_be_typed(name: str, taskmux: Taskmux) -> None:
    command = COMMANDS[name]
    shown = taskmux(*name.split(), "--help").out
    for example in EXAMPLES[name]:
        assert f"\n  {example}\n" in shown
        program, *words = shlex.split(example.partition(" > ")[0])
        asked = split(words, NAMES)
        assert (program, asked.command) == ("taskmux", name)
        build(command).make_context(name, list(asked.words))


@pytest.mark.parametrize(
    ("line", "sentence", "hint"),
    [
        ("logs -n x", "--lines: 'x' is not a whole number", None),
        ("logs -n -1", "--lines: -1 is less than 0", None),
        ("logs -n", "-n needs a value", None),
        ("wait a --timeout soon", "--timeout: 'soon' is not a number", None),
        ("wait a --timeout -1", "--timeout: -1 is less than 0", None),
        ("daemon --port 99999", "--port: 99999 is not from 0 to 65535", None),
        ("kill", "TASK is missing", None),
        ("add web", "COMMAND is missing", None),
        ("status extra", "there is nothing to do with: extra", None),
        ("check a b", "there is nothing to do with: a b", None),
        ("logs --folow", "no such option: --folow", "did you mean --follow?"),
        ("logs --zzz", "no such option: --zzz", None),
    ],
)
def test_the_parser_speaks_as_we_do(
    line: str, sentence: str, hint: str | None, taskmux: Taskmux
) -> None:
    name, *words = line.split()
    document = taskmux(name, *words, "--json").document
    assert document == {
        "ok": False,
        "error": sentence,
        "error_code": "E801",
        "hint": hint or f"run `taskmux {name} --help`",
    }


@pytest.mark.usefixtures("config")
def test_help_is_one_document_too(taskmux: Taskmux) -> None:
    for line in (["--json"], ["--json", "--help"], ["-h", "--json"]):
        outcome = taskmux(*line)
        assert outcome.status == 0
        names = [one["name"] for one in outcome.document["commands"]]
        assert names[: len(COMMANDS)] == list(COMMANDS)
        assert {name.partition(" ")[0] for name in names[len(COMMANDS) :]} == {"dns"}
    groups = [line for line in taskmux("--help").out.splitlines() if line.endswith(":")]
    assert groups == [
        "Lifecycle:",
        "Info:",
        "Logs:",
        "Config:",
        "URLs:",
        "Cleanup:",
        "Daemon:",
        "Of plugins:",
        "Everywhere:",
    ]


def test_the_help_of_a_group_is_that_of_its_commands(taskmux: Taskmux) -> None:
    outcome = taskmux("config", "--help", "--json")
    names = [one["name"] for one in outcome.document["commands"]]
    assert names == ["config show", "config set", "config path"]
    assert taskmux("nosuch", "--help").status == 2


@pytest.mark.parametrize("name", ["", "logs", "config", "config set"])
def test_help_is_a_word_too(name: str, taskmux: Taskmux) -> None:
    assert taskmux("help", *name.split()).out == taskmux(*name.split(), "--help").out


def test_a_file_without_patterns_needs_no_engine_for_them(config: Path) -> None:
    count = (
        "import os, sys; from pathlib import Path; from taskmux.cli import main;"
        "main(['check'], os.environ, Path.cwd(), sys.stdout, sys.stderr);"
        "print('re2' in sys.modules)"
    )
    for more, loaded in (("", "False"), ('ready_log = "up"\n', "True")):
        config.write_text(f'[tasks.a]\ncommand = "x"\n{more}')
        ended = subprocess.run(
            [sys.executable, "-c", count], capture_output=True, text=True, check=True
        )
        assert ended.stdout.splitlines()[1] == loaded


def test_the_version(taskmux: Taskmux) -> None:
    assert taskmux("--version", "--json").document == {"version": "0.1.0", "protocol": 1}
    assert taskmux("--version").out == "taskmux 0.1.0\n"

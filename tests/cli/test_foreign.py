from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Taskmux
from tests.parrot import install

PLUGIN = '''
from pluggy import HookimplMarker

hookimpl = HookimplMarker("taskmux")


def app():
    import typer

    app = typer.Typer()

    @app.command()
    def say(context: typer.Context, word: str, loud: bool = False):
        """Say a word."""
        print("by the way")
        said = word.upper() if loud else word
        context.obj.answer({"said": said}, f"it says: {said}\\x07")

    @app.command()
    def show(context: typer.Context):
        """Show what it was lent."""
        lent = context.obj
        context.obj.answer({"settings": lent.settings, "cwd": str(lent.cwd)}, "see --json")

    @app.command()
    def fail(context: typer.Context, how: str):
        """Fail in one way or another."""
        import sys

        error = RuntimeError("it is broken")
        error.add_note("mend it")
        if how == "raise":
            raise error
        if how == "exit":
            sys.exit(3)
        if how == "beyond":
            raise BaseException("all bounds")
        if how == "typer":
            raise typer.Exit(4)
        context.obj.answer({"ok": False}, "it did not work")

    @app.command()
    def quiet():
        """Say nothing."""

    return app


def alone():
    import typer

    app = typer.Typer()

    @app.command()
    def solo(context: typer.Context, times: int = 1):
        """Do one thing."""
        context.obj.answer({"times": times}, f"done {times}")

    return app


def broken():
    raise ValueError("no app today")


@hookimpl
def taskmux_commands():
    yield "parrot", app
    yield "solo", alone
    yield "broken", broken
    yield "status", app
'''


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution as an installer would have put it there."""
    install(tmp_path / "site", "parrot_of_a_test", PLUGIN, monkeypatch)


def test_a_plugin_s_command_answers_people(taskmux: Taskmux) -> None:
    said = taskmux("parrot", "say", "hello", "--loud")
    assert (said.status, said.out) == (0, "it says: HELLO\\x07\n")


def test_a_plugin_s_command_answers_programs_with_one_document(taskmux: Taskmux) -> None:
    assert taskmux("--json", "parrot", "say", "hello").document == {"ok": True, "said": "hello"}
    assert taskmux("solo", "--times", "3", "--json").document == {"ok": True, "times": 3}
    assert taskmux("parrot", "quiet", "--json").document == {"ok": True}


def test_it_is_lent_its_table_and_where_it_is(taskmux: Taskmux, home: Path) -> None:
    home.mkdir(mode=0o700)
    config = home / "config.toml"
    config.write_text('dns_server_port = 5300\n[plugin.parrot]\nsong = "la"\n')
    config.chmod(0o600)
    lent = taskmux("parrot", "show", "--json").document
    assert lent["cwd"] == str(Path.cwd())
    assert lent["settings"] == {
        "hosts_file": None,
        "dns_server_port": 5300,
        "dns_managed_tld": "localhost",
        "dns_install": True,
        "song": "la",
    }


@pytest.mark.parametrize(
    ("words", "status", "code", "said", "hint"),
    [
        (
            ["fail", "raise"],
            1,
            "E700",
            "parrot could not run its command parrot: it is broken",
            "mend it",
        ),
        (["fail", "exit"], 1, "E700", "SystemExit: 3", None),
        (["fail", "beyond"], 1, "E700", "BaseException: all bounds", None),
        (["say"], 2, "E801", "word is missing", "run `taskmux parrot --help`"),
        (["say", "a", "--laud"], 2, "E801", "--laud", "did you mean --loud, --no-loud?"),
        (["sya", "a"], 2, "E802", "no command named 'parrot sya'", "did you mean 'parrot say'?"),
        ([], 2, "E801", "parrot needs a command", "one of: fail, quiet, say, show"),
    ],
)
def test_what_goes_wrong_is_told_as_everywhere(
    taskmux: Taskmux, words: list[str], status: int, code: str, said: str, hint: str | None
) -> None:
    outcome = taskmux("parrot", *words, "--json")
    answer = outcome.document
    assert (outcome.status, answer["error_code"], answer["hint"]) == (status, code, hint)
    assert said in answer["error"]
    people = taskmux("parrot", *words)
    assert (people.status, people.out) == (status, "")
    assert f"Error [{code}]: " in people.err


def test_an_answer_that_is_no_success_shows_in_the_exit_status(taskmux: Taskmux) -> None:
    assert taskmux("parrot", "fail", "softly", "--json").document == {"ok": False}
    assert taskmux("parrot", "fail", "softly").status == 1
    assert taskmux("parrot", "fail", "typer").status == 4


def test_a_command_that_cannot_be_made_costs_only_itself(taskmux: Taskmux) -> None:
    outcome = taskmux("broken", "--json")
    assert outcome.document["error"] == "parrot could not make its command broken: no app today"
    assert outcome.document["error_code"] == "E700"
    assert "parrot say" in taskmux("--help").out


def test_taskmux_s_own_command_comes_first(taskmux: Taskmux) -> None:
    assert taskmux("status", "--json").document["error_code"] == "E100"


def test_help_speaks_of_them(taskmux: Taskmux) -> None:
    whole = taskmux("--help").out
    assert "Of plugins:" in whole
    assert "Say a word." in whole
    only = taskmux("parrot", "say", "--help", "--json").document
    assert only["usage"] == "taskmux parrot say [OPTIONS] WORD"
    [say] = only["commands"]
    assert (say["summary"], say["options"][0]["names"]) == ("Say a word.", ["--loud", "--no-loud"])
    assert taskmux("help", "parrot").out.startswith("Usage: taskmux parrot COMMAND [OPTIONS]\n")
    solo = taskmux("solo", "--help").out
    assert solo.startswith("Usage: taskmux solo [OPTIONS]\n")
    assert "completion" not in solo


def test_a_misspelt_one_is_recognised(taskmux: Taskmux) -> None:
    answer = taskmux("parot", "--json").document
    assert (answer["error_code"], answer["hint"]) == ("E802", "did you mean 'parrot'?")


def test_what_is_disabled_has_no_commands(taskmux: Taskmux) -> None:
    assert taskmux("plugins", "disable", "parrot").status == 0
    assert taskmux("parrot", "say", "hello", "--json").document["error_code"] == "E802"
    assert taskmux("plugins", "enable", "parrot").status == 0
    assert taskmux("parrot", "say", "hello").status == 0

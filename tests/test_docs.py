"""README, docs and skill: their commands run, their tables are true, their links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import psutil
import pytest

from taskmux import errors, settings
from taskmux.cli.commands import ALIASES
from taskmux.cli.help import describe
from taskmux.cli.reports import CommandHelp
from taskmux.cli.session import Session
from taskmux.project import ProjectConfig, TaskConfig, parse
from taskmux.project.fields import PROJECT, TASK
from taskmux.settings import read as host
from taskmux.toml import Reader
from taskmux.wire import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS, *sorted(ROOT.glob("skills/*/SKILL.md"))]
TALKING = [page for page in PAGES if "```console" in page.read_text()]

BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>\w+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S
)
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:ms|[smhd]\b)?")

FREE = [
    "api_port = 0",
    'host_resolver = "noop"',
    "proxy_https_port = 0",
    "proxy_http_redirect_port = 0",
]
"""Settings of every home here: a daemon of the user's keeps its port."""


def blocks(page: Path, kind: str) -> list[tuple[str, str]]:
    """Return the marks and texts of a page's fenced blocks of one kind."""
    found = BLOCK.finditer(page.read_text())
    return [(block["mark"] or "", block["body"]) for block in found if block["kind"] == kind]


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its own heading."""
    _, found, below = page.read_text().partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r} in {page.name}"
    lines = below.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table[2:]


# Commands


class Desk:
    """A home and a copy of the examples, in which a page's commands are typed one after another."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "you"
        self.cwd = self.home
        shutil.copytree(ROOT / "examples", self.home / "examples", ignore=self._leave_out)
        (self.home / ".taskmux").mkdir(mode=0o700)
        (self.home / ".taskmux" / "config.toml").write_text("\n".join([*FREE, ""]))
        ours = {name: value for name, value in os.environ.items() if "TASKMUX" not in name}
        self.environ = ours | {
            "COLUMNS": "200",
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), ours["PATH"]]),
            "TASKMUX_HOME": str(self.home / ".taskmux"),
            "TASKMUX_ALLOW_ROOT": "1",
        }

    def type(self, command: str) -> tuple[int, str]:
        """Run a command as a shell would; return its status, and all it printed."""
        if command.startswith("cd "):
            self.cwd = (self.cwd / command.removeprefix("cd ")).resolve()
            assert self.cwd.is_dir()
            return 0, ""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.cwd,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        said = done.stdout.decode().replace(str(self.home), "/home/you")
        return done.returncode, said

    def left(self) -> list[psutil.Process]:
        """Return every process that was started here, and still runs."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("TASKMUX_HOME") == self.environ["TASKMUX_HOME"]:
                    found.append(process)
        return found

    @staticmethod
    def _leave_out(_folder: str, names: list[str]) -> Iterable[str]:
        return {"var", "__pycache__"} & set(names)


@contextmanager
def desk_in(folder: Path) -> Iterator[Desk]:
    desk = Desk(folder)
    try:
        yield desk
    finally:
        desk.type("taskmux daemon stop")
        left = desk.left()
        for process in left:
            process.kill()
    assert not left


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as desk:
        yield desk


def dialogue(page: Path) -> Iterator[tuple[str, str]]:
    """Yield every command of a page, with what the page says it prints."""
    for _, body in blocks(page, "console"):
        _, *parts = re.split(r"^\$ ", body, flags=re.M)
        for part in parts:
            command, _, said = part.partition("\n")
            yield command, said


def alike(shown: str, said: str) -> bool:
    """Return whether `said` is what a page shows, numbers and widths apart; `…` is anything."""
    pattern = re.escape(plain(shown)).replace("…\\\n", "(?:.*\n)*").replace("…", ".*")
    return re.fullmatch(pattern, plain(said)) is not None


def plain(text: str) -> str:
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines()]
    return "".join(f"{NUMBER.sub('0', line)}\n" for line in lines if line)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", TALKING, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_happens(page: Path, desk: Desk) -> None:
    for command, shown in dialogue(page):
        status, said = desk.type(command)
        assert alike(shown, said), f"$ {command}\n{said}"
        fails = re.search(r'^Error \[E|^✗|"ok":false', shown, re.M) is not None
        assert (status != 0) is fails, f"`{command}` ended with {status}"


def test_a_page_that_shows_something_else_is_noticed() -> None:
    assert alike("✓ api  stopped in 12ms\n", "✓ api stopped in 1.5s\n")
    assert alike("a\n…\nc 1\n", "a\nb\nb\nc 23\n")
    assert alike("a\n…\nc\n", "a\nc\n")
    assert alike("api …\n", "api anything\n")
    assert not alike("✓ api  stopped\n", "✗ api  stopped\n")
    assert not alike("a\nc\n", "a\nb\nc\n")
    assert not alike("a\n", "a\nb\n")


@pytest.mark.timeout(120)
def test_the_clients_in_the_docs_run(desk: Desk) -> None:
    desk.type("cd examples/shop")
    assert desk.type("taskmux start")[0] == 0
    said = []
    for mark, body in blocks(ROOT / "docs" / "api.md", "python"):
        assert mark == "runs"
        (desk.cwd / "client.py").write_text(body)
        status, printed = desk.type("python3 client.py")
        assert status == 0, printed
        said.append(printed.splitlines())
    over_unix, over_websocket = said
    assert "api running" in over_unix
    assert over_websocket[0] == "True"
    assert "waiting for orders" in over_websocket
    assert over_websocket[-1] == "restarted"


# Tables


def ours() -> list[type[errors.TaskmuxError]]:
    """Return the error classes of the package; tests make some of their own."""
    kinds = errors.TaskmuxError.__subclasses__()
    return [kind for kind in kinds if kind.__module__.startswith("taskmux.")]


def test_every_error_is_listed() -> None:
    found = rows(ROOT / "docs" / "errors.md", "## Codes")
    kinds = [kind for kind in ours() if kind is not errors.Refused]
    expected = [
        [kind.code, f"`{word(kind.__name__)}`", first_sentence(kind), str(kind.exit_status)]
        for kind in sorted(kinds, key=lambda kind: kind.code)
    ]
    assert found == expected, "\n".join(f"| {' | '.join(row)} |" for row in expected)


def word(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def first_sentence(kind: type) -> str:
    text = " ".join(str(kind.__doc__).split())
    return text if text.endswith(".") else f"{text}."


def test_every_key_of_a_project_is_listed_with_its_default() -> None:
    check_defaults("### The project", PROJECT, defaults(ProjectConfig))


def test_every_key_of_a_task_is_listed_with_its_default() -> None:
    known = defaults(TaskConfig)
    check_defaults("### A task", TASK, {**known, "type": None})


def test_every_setting_is_listed_with_its_default() -> None:
    found = dict(defaults(settings.Settings))
    readers = {**host.FIELDS, "plugins.disabled": tuple}
    del readers["plugins"]
    found["plugins.disabled"] = found["disabled_plugins"]
    check_defaults("## config.toml", readers, found)


def defaults(kind: type) -> dict[str, Any]:
    return {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(kind)
    }


def check_defaults(
    heading: str, readers: Mapping[str, Reader[Any]], values: Mapping[str, Any]
) -> None:
    found = {row[0].strip("`"): row[1] for row in rows(ROOT / "docs" / "configuration.md", heading)}
    assert set(found) == set(readers)
    for key, cell in found.items():
        match cell:
            case "none":
                assert values[key] is None, key
            case "required":
                assert values[key] is MISSING, key
            case _:
                value = tomllib.loads(f"value = {cell.strip('`')}")["value"]
                assert readers[key](value) == values[key], key


def test_every_event_is_listed() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "taskmux").rglob("*.py"))
    published = re.findall(r'(?:publish|News)\(\s*"([a-z_]+)"', sources)
    found = [
        name for row in rows(ROOT / "docs" / "logs.md", "## Events") for name in row[0].split(", ")
    ]
    assert sorted(name.strip("`") for name in found) == sorted(set(published))


def test_every_request_is_listed_with_its_params() -> None:
    expected = {}
    for name, kind in COMMANDS.items():
        about_a_project = {"session", "config"} <= set(kind.__struct_fields__)
        kept = [
            key for key in kind.__struct_fields__ if not about_a_project or key not in PROJECT_KEYS
        ]
        expected[name] = ([] if about_a_project else ["(no project)"]) + [
            f"`{key}`" for key in kept
        ]
    found = {
        row[0].strip("`"): row[1].replace("(no project) ", "(no project), ").split(", ")
        if row[1]
        else []
        for row in rows(ROOT / "docs" / "api.md", "## Commands")
    }
    assert {name: set(keys) for name, keys in found.items()} == {
        name: set(keys) for name, keys in expected.items()
    }


PROJECT_KEYS = {"session", "config"}


def every_command() -> list[CommandHelp]:
    return describe("", Session(os.environ, ROOT, print)).commands


def test_every_command_is_listed_with_what_it_takes() -> None:
    found = rows(ROOT / "docs" / "cli.md", "## All commands")
    expected = []
    for command in every_command():
        arguments = [argument.names[0] for argument in command.arguments]
        options = ["/".join(option.names) for option in command.options]
        takes = " ".join(f"`{name}`" for name in [*arguments, *options])
        expected.append([f"`{command.name}`", takes, command.summary.replace("\n", " ")])
    assert found == expected, "\n".join(f"| {' | '.join(row)} |" for row in expected)


def test_each_promise_is_held_by_tests_that_exist() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    suite = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"^(?:async )?def (test_\w+)", suite, re.M))
    assert set(re.findall(r"`(test_\w+)`", text)) <= tests
    promises = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    told = [line for line in promises if line != "| promise | test |"]
    assert [line for line in told if "`test_" not in line] == []


def test_the_rooms_are_those_the_linter_knows() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    found = [
        re.findall(r"`(\w+)`", row[0])
        for row in rows(ROOT / "docs" / "architecture.md", "## Rooms")
    ]
    assert [sorted(names) for names in found] == [sorted(layer.split(" | ")) for layer in layers]


# What is said in passing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_codes_that_are_named_exist(page: Path) -> None:
    known = {getattr(kind, "code", "") for kind in ours()}
    assert set(re.findall(r"\bE\d{3}\b", page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_configuration_can_be_read(page: Path) -> None:
    for mark, body in blocks(page, "toml"):
        if mark == "host":
            host.read(tomllib.loads(body))
        elif mark == "package":
            assert "taskmux" in tomllib.loads(body)["project"]["entry-points"]
        else:
            parse(body, page.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_messages_are_json(page: Path) -> None:
    for _, body in blocks(page, "json"):
        for line in body.splitlines():
            json.loads(line)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_speaks_of_commands_that_do_not_exist(page: Path) -> None:
    known = {command.name.partition(" ")[0] for command in every_command()} | set(ALIASES)
    assert set(re.findall(r"`taskmux (?:--json )?([a-z][a-z-]*)", page.read_text())) <= known


def test_no_file_names_a_folder_of_one_machine() -> None:
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    telling = re.compile(r"(?<![\w.}$*~-])/(?:root|work|Users)/\w+")
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            told = telling.findall((ROOT / name).read_text(errors="replace"))
            assert not told, f"{name}: {told}"

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from anyio import create_task_group, wait_readable

from taskmux.processes import end_strays, new_marker
from tests.api.place import Place, open_place
from tests.projects.estate import make_services, write

TABLES = """
[tasks.web]
command = "echo web; exec sleep 1000"
ready_log = "web"
log_file = "web.log"
[tasks.api]
command = "echo api; exec sleep 1000"
ready_log = "api"
"""


@pytest.fixture
async def place(home: Path, tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(make_services(home)) as place:
        await place.projects.register(write(tmp_path / "shop", TABLES))
        started = await place.ask("start", session="shop")
        assert started["ok"], started
        yield place


@pytest.fixture
def folder(place: Place, tmp_path: Path) -> Path:
    """A folder of the user's that looks like a file of a log."""
    folder = tmp_path / "shop" / "web.log.3"
    folder.mkdir(parents=True)
    (folder / "mine").write_text("notes")
    return folder


async def test_a_folder_that_looks_like_a_log_is_left_and_named(
    folder: Path, place: Place, home: Path
) -> None:
    answer = await place.ask("clean", only="logs")
    assert (answer["ok"], answer["left"]) == (False, [str(folder)])
    assert (folder / "mine").read_text() == "notes"
    assert not folder.with_suffix("").exists()
    assert (home / "projects" / "shop" / "logs" / "api.log").read_text() == ""
    answer = await place.ask("clean")
    assert (answer["left"], answer["unregistered"]) == ([str(folder)], True)
    assert (folder / "mine").read_text() == "notes"


async def test_logs_that_cannot_be_deleted_are_told_in_words(folder: Path, place: Place) -> None:
    answer = await place.ask("clean_logs", task="web")
    assert (answer["error_code"], answer["left"]) == ("E219", [str(folder)])
    answer = await place.ask("clean_logs")
    assert [(one["task"], one["ok"]) for one in answer["results"]] == [
        ("web", False), ("api", True),
    ]  # fmt: skip
    assert answer["results"][0]["error_code"] == "E219"
    assert str(folder) in answer["results"][0]["error"]


async def test_nothing_is_cleaned_where_a_name_is_wrong(place: Place, tmp_path: Path) -> None:
    before = (tmp_path / "shop" / "web.log").read_text()
    assert (await place.ask("clean_logs", tasks=["web", "wob"]))["error_code"] == "E200"
    assert (tmp_path / "shop" / "web.log").read_text() == before


RESPAWN = "while :; do echo again; TASKMUX_RUN_ID=$MARKER sleep 60 >&-; done"


def shell(script: str, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", "-c", script], env=environ, stdout=subprocess.PIPE)


async def test_what_is_registered_while_strays_are_ended_is_kept(
    place: Place, home: Path, tmp_path: Path
) -> None:
    old = home / "projects" / "old"
    (old / "logs").mkdir(parents=True)
    environ = {"PATH": os.environ["PATH"], "MARKER": new_marker(home)}
    with shell(RESPAWN, environ) as nest:
        try:
            assert nest.stdout is not None
            async with create_task_group() as group:
                group.start_soon(partial(place.ask, "prune", apply=True))
                said = b""
                while said.count(b"again") < 2:  # one was ended, the next is there
                    await wait_readable(nest.stdout)
                    said += os.read(nest.stdout.fileno(), 100)
                await place.projects.register(write(tmp_path / "old", TABLES, "old"))
                assert (await place.ask("start", session="old", task="api"))["ok"]
                nest.kill()
        finally:
            nest.kill()
            await end_strays(home)
    assert (old / "state.json").exists()
    assert (old / "logs" / "api.log").exists()

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from taskmux import paths
from taskmux.logs import stamp
from tests.api.place import Place, open_place
from tests.projects.estate import make_services, write

NOON = 1704110400.0
MEGABYTE = 1024 * 1024


@pytest.fixture
async def place(home: Path, tmp_path: Path) -> AsyncIterator[Place]:
    config = '[tasks.api]\ncommand = "sleep 1000"\n[tasks.web]\ncommand = "true"\n'
    async with open_place(make_services(home)) as place:
        await place.projects.register(write(tmp_path / "shop", config))
        yield place


def fill(home: Path, task: str, texts: list[bytes]) -> None:
    """Write a task's log, a line each millisecond."""
    lines = (stamp(NOON + n / 1000) + b" " + text + b"\n" for n, text in enumerate(texts))
    paths.log(home, "shop", task).write_bytes(b"".join(lines))


def numbers(answer: dict[str, Any]) -> list[int]:
    texts = (line["text"] if isinstance(line, dict) else line[24:] for line in answer["lines"])
    return [int(text.split()[0]) for text in texts]


async def all_of(place: Place, **params: object) -> tuple[list[int], int]:
    """Ask until there is no more; return what came, and in how many answers."""
    answer = await place.ask("logs", **params)
    found, count = numbers(answer), 1
    params.pop("lines", None)
    while answer["more"]:
        answer = await place.ask("logs", **params | {"after": answer["next"]})
        found += numbers(answer)
        count += 1
    return found, count


@pytest.mark.parametrize("tasks", [["api"], ["api", "web"]])
async def test_a_log_that_cannot_be_read_is_told_to_who_waits_for_a_line_as_to_who_reads(
    place: Place, tasks: list[str]
) -> None:
    assert (await place.ask("start", tasks=tasks, wait=False))["ok"]
    for task in tasks:
        older = paths.log(place.door.parent, "shop", task).with_suffix(".log.1")
        older.symlink_to("/dev/null")
    read = await place.ask("logs", tasks=tasks)
    waited = await place.ask("wait", tasks=tasks, until="log:never")
    for answer in (read, waited):
        assert answer["error_code"] == "E801"
        assert answer["message"].endswith(".log cannot be read: not a regular file")


async def test_without_any_limit_the_last_hundred_are_meant(place: Place, home: Path) -> None:
    fill(home, "api", [b"%d" % n for n in range(1000)])
    answer = await place.ask("logs", task="api")
    assert (numbers(answer), answer["more"]) == (list(range(900, 1000)), False)
    answer = await place.ask("logs", task="api", lines=3)
    assert (numbers(answer), answer["more"]) == ([997, 998, 999], False)
    assert numbers(await place.ask("logs", task="api", after=answer["next"])) == []
    assert numbers(await place.ask("logs")) == list(range(900, 1000))


@pytest.mark.parametrize(
    "params",
    [
        {"after": ""},
        {"lines": 2**62},
        {"since": "2024-01-01T12:00"},
        {"grep": "x"},
        {"grep": "x", "lines": 2**62},
    ],
)
async def test_a_long_log_comes_in_parts(
    place: Place, home: Path, params: dict[str, object]
) -> None:
    fill(home, "api", [b"%d " % n + b"x" * 1000 for n in range(2000)])
    found, answers = await all_of(place, task="api", **params)
    assert found == list(range(2000))
    assert 6 <= answers <= 12


async def test_several_long_logs_come_in_parts_by_time(place: Place, home: Path) -> None:
    for task in ("api", "web"):
        fill(home, task, [b"%d " % n + b"x" * 1000 for n in range(500)])
    found, answers = await all_of(place, after="")
    assert found == sorted([*range(500), *range(500)])
    assert answers > 2


@pytest.mark.parametrize(
    "text", [b"", b"x" * 60_000, b"\xff" * 60_000, b'"' * 60_000, b"\\" * 500, "é".encode() * 99]
)
async def test_no_answer_is_longer_than_clients_take(place: Place, home: Path, text: bytes) -> None:
    for task in ("api", "web"):
        fill(home, task, [text] * (MEGABYTE // (len(text) + 64)))
    for params in ({"task": "api", "after": ""}, {"after": ""}):
        answer = await place.ask("logs", **params)
        assert answer["more"]
        assert len(json.dumps(answer, ensure_ascii=False).encode()) < MEGABYTE


async def test_nobody_waits_for_those_who_search_logs(place: Place, home: Path) -> None:
    fill(home, "api", [b"%d" % n for n in range(10)])
    await place.projects.only().opened().start(["api"])
    readers = place.house.readers
    others = [object() for _ in range(int(readers.total_tokens))]
    for other in others:
        readers.acquire_on_behalf_of_nowait(other)
    async with place.client() as client:
        await client.say({"id": 1, "command": "logs", "params": {"task": "api", "after": ""}})
        await client.say({"id": 2, "command": "status"})
        assert (await client.hear())["id"] == 2
        for other in others:
            readers.release_on_behalf_of(other)
        assert (await client.hear())["id"] == 1

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus

from taskmux.bus import Bus
from taskmux.bus.bus import RECENT
from taskmux.mailbox import Mailbox
from tests.api.place import Place, open_place
from tests.api.toys import Client
from tests.projects.estate import Ear, make_services, write

HISTORY = 5000


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    services = make_services(home)
    for number in range(HISTORY):
        services.bus.publish("tick" if number % 2 else "tock", "shop")
    # As after a restart: what is in memory begins anew.
    services = make_services(home)
    async with open_place(services) as place:
        yield place


async def keep_publishing(
    bus: Bus, count: int, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    task_status.started()
    for _ in range(count):
        bus.publish("news", "shop")
        await anyio.lowlevel.checkpoint()


async def hear_until(client: Client, seq: int) -> list[dict[str, Any]]:
    heard = [await client.hear()]
    while heard[-1].get("seq", 0) < seq:
        heard.append(await client.hear())
    return heard


async def test_a_long_history_comes_whole_and_what_happens_meanwhile_after_it(
    place: Place,
) -> None:
    last = HISTORY + 3000
    async with place.subscriber(after=0) as client, anyio.create_task_group() as group:
        await group.start(keep_publishing, place.bus, 3000)
        heard = await hear_until(client, last)
    assert [push["seq"] for push in heard] == list(range(1, last + 1))
    assert {push["push"] for push in heard} == {"event"}


@pytest.mark.parametrize("behind", [0, 1, RECENT - 1, RECENT, RECENT + 1, HISTORY])
async def test_nothing_is_missing_or_twice_wherever_it_begins(place: Place, behind: int) -> None:
    for _ in range(RECENT):
        place.bus.publish("news", "shop")
    newest = place.bus.seq
    async with place.subscriber(after=newest - behind) as client:
        place.bus.publish("news", "shop")
        heard = await hear_until(client, newest + 1)
    assert [push["seq"] for push in heard] == list(range(newest - behind + 1, newest + 2))


async def test_a_replay_has_only_the_kinds_that_are_wanted(place: Place) -> None:
    async with place.subscriber(after=0, events=["tock", "end"]) as client:
        end = place.bus.publish("end")["seq"]
        heard = await hear_until(client, end)
    assert [push["seq"] for push in heard] == [*range(1, HISTORY + 1, 2), end]


async def test_two_replays_at_once_are_both_whole(place: Place) -> None:
    async with place.subscriber(after=0) as one, place.subscriber(after=0) as other:
        assert len(await hear_until(one, HISTORY)) == HISTORY
        assert len(await hear_until(other, HISTORY)) == HISTORY


async def test_a_replay_waits_for_its_reader_and_is_whole_all_the_same(place: Place) -> None:
    last = HISTORY + 5000
    async with place.subscriber(after=0) as client:
        await anyio.wait_all_tasks_blocked()  # until the socket takes no more
        for _ in range(5000):  # in one go
            place.bus.publish("news", "shop")
        heard = await hear_until(client, last)
    assert [push["seq"] for push in heard] == list(range(1, last + 1))


async def test_a_slow_subscriber_loses_what_is_live_and_is_told_how_many(place: Place) -> None:
    async with place.subscriber(after=HISTORY) as client:
        await anyio.wait_all_tasks_blocked()
        for _ in range(5000):  # in one go
            place.bus.publish("news", "shop")
        events, lost = list[int](), 0
        while len(events) + lost < 5000:
            push = await client.hear()
            if push["push"] == "lost":
                lost += push["count"]
            else:
                events.append(push["seq"])
        assert lost
        assert events == sorted(set(events))
        last = place.bus.publish("last", "shop")
        assert await client.hear() == {"push": "event", **last}


async def test_output_comes_while_the_history_is_read(place: Place, tmp_path: Path) -> None:
    path = write(tmp_path / "shop", '[tasks.a]\ncommand = "seq 5000; sleep 1000"\n')
    ear = Ear(place.bus)
    project, _ = await place.projects.register(path)
    async with place.subscriber(after=0, session="shop", logs=["a"]) as client:
        await project.opened().start(["a"])
        await ear.until("task_ready")
        end = place.bus.publish("end", "shop")["seq"]
        heard = await hear_until(client, end)
        while not any("run 1 started" in push.get("text", "") for push in heard):
            heard.append(await client.hear())
    seqs = [push["seq"] for push in heard if push["push"] == "event"]
    assert seqs == sorted(set(seqs))
    assert len(seqs) == HISTORY + sum(event["session"] == "shop" for event in ear.heard)


async def test_of_a_subscription_that_is_refused_nothing_is_left(
    place: Place, tmp_path: Path
) -> None:
    await place.projects.register(write(tmp_path / "shop", '[tasks.a]\ncommand = "true"\n'))
    before = mailboxes()
    async with place.client() as client:
        await client.say({"command": "subscribe", "params": {"logs": ["a", "nosuch"]}})
        assert (await client.hear())["error"] == "task_not_found"
        await anyio.wait_all_tasks_blocked()
        assert [mailbox for mailbox in mailboxes() if mailbox not in before] == []


def mailboxes() -> list[object]:
    """Return all that somebody still has."""
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, Mailbox)]


async def test_a_history_that_is_gone_is_no_obstacle(place: Place) -> None:
    (place.door.parent / "events.jsonl").unlink()
    async with place.subscriber(after=0) as client:
        news = place.bus.publish("news")
        assert await client.hear() == {"push": "event", **news}


async def test_a_number_from_the_future_brings_what_comes(place: Place) -> None:
    async with place.subscriber(after=10**9) as client:
        await anyio.wait_all_tasks_blocked()
        news = place.bus.publish("news")
        assert await client.hear() == {"push": "event", **news}

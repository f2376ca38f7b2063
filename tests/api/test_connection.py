from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest
from anyio import EndOfStream

from taskmux.api.connection import Limits
from tests.api.toys import House, open_house, seen


async def test_an_answer_carries_the_id_and_the_command_it_belongs_to(house: House) -> None:
    async with house.client() as client:
        await client.ask("shop", id=7)
        assert await client.hear() == seen("shop", id=7)


async def test_an_error_answer_names_the_error_and_its_facts(house: House) -> None:
    async with house.client() as client:
        await client.ask("ghost", id="a")
        assert await client.hear() == {
            "id": "a",
            "command": "status",
            "ok": False,
            "error": "unknown_session",
            "message": "no project named 'ghost'",
            "error_code": "E300",
            "hint": "run `taskmux daemon list` to see them",
            "session": "ghost",
        }


async def test_a_quick_request_overtakes_a_slow_one(house: House) -> None:
    async with house.client() as client:
        await client.ask("slow", id=1)
        await client.ask("quick", id=2)
        assert await client.hear() == seen("quick", id=2)
        house.desk.release.set()
        assert await client.hear() == seen("slow", id=1)


async def test_a_defect_is_an_answer_and_a_traceback_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.client() as client:
        await client.ask("crash", id=1)
        answer = await client.hear()
        await client.ask("shop", id=2)
        assert await client.hear() == seen("shop", id=2)
    log = str(house.path.with_name("daemon.log"))
    assert answer["error"] == "internal"
    assert (answer["id"], answer["error_code"], answer["log"]) == (1, "E900", log)
    assert "defect" not in answer["message"]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.name == "taskmux.api"
    assert "RuntimeError: a defect" in caplog.text


async def test_no_more_requests_are_read_than_may_be_in_flight(home: Path) -> None:
    async with open_house(home / "door", Limits(in_flight=3)) as house, house.client() as client:
        for number in range(5):
            await client.ask("slow", id=number)
        await client.ask("last", id="last")
        await house.desk.until_waiting(3)
        await anyio.wait_all_tasks_blocked()
        assert house.desk.waiting == 3
        house.desk.release.set()
        answers = [await client.hear() for _ in range(6)]
        assert {answer["id"] for answer in answers} == {0, 1, 2, 3, 4, "last"}


async def test_a_client_that_goes_away_ends_the_waits_of_its_requests(house: House) -> None:
    async with house.client() as client:
        await client.ask("slow")
        await house.desk.until_waiting()
    await house.desk.abandoned.wait()


async def test_a_client_that_goes_away_while_its_requests_queue_ends_them_too(home: Path) -> None:
    async with open_house(home / "door", Limits(in_flight=1)) as house:
        async with house.client() as client:
            for _ in range(3):
                await client.ask("slow")
            await house.desk.until_waiting()
            await anyio.wait_all_tasks_blocked()
        await house.desk.abandoned.wait()


async def test_a_client_that_only_stops_sending_still_gets_its_answer(house: House) -> None:
    async with house.client() as client:
        await client.ask("slow", id=1)
        await client.stream.send_eof()
        await house.desk.until_waiting()
        house.desk.release.set()
        assert await client.hear() == seen("slow", id=1)
        with pytest.raises(EndOfStream):
            await client.hear()


async def test_a_client_that_stops_sending_and_then_goes_away_ends_its_waits(
    house: House,
) -> None:
    async with house.client() as client:
        await client.ask("slow")
        await client.stream.send_eof()
        await house.desk.until_waiting()
    await house.desk.abandoned.wait()


async def test_a_subscription_streams_beside_the_answers(house: House) -> None:
    async with house.client() as client:
        await client.say({"id": 1, "command": "subscribe"})
        assert await client.hear() == {"id": 1, "command": "subscribe", "ok": True}
        house.desk.mailbox.put_nowait({"push": "event", "event": "task_started", "seq": 4})
        assert await client.hear() == {"push": "event", "event": "task_started", "seq": 4}
        await client.ask("shop", id=2)
        assert await client.hear() == seen("shop", id=2)
        house.desk.mailbox.put_nowait({"push": "log", "task": "web", "text": "hello"})
        assert await client.hear() == {"push": "log", "task": "web", "text": "hello"}


async def test_a_subscription_to_nothing_is_refused_like_anything_else(house: House) -> None:
    async with house.client() as client:
        await client.say({"id": 1, "command": "subscribe", "params": {"session": "ghost"}})
        answer = await client.hear()
        assert (answer["id"], answer["error"]) == (1, "unknown_session")
        await client.ask("shop")
        assert await client.hear() == seen("shop")


async def test_a_subscriber_that_goes_away_is_let_go_of(house: House) -> None:
    async with house.client() as client:
        await client.say({"command": "subscribe"})
        await house.desk.listened.wait()
    await house.desk.left.wait()


async def test_a_stream_that_never_pauses_ends_with_its_reader_too(house: House) -> None:
    async with house.client() as client:
        await client.say({"command": "subscribe", "params": {"session": "flood"}})
        await house.desk.listened.wait()
    await house.desk.left.wait()


async def test_a_subscription_keeps_no_request_waiting(home: Path) -> None:
    async with open_house(home / "door", Limits(in_flight=1)) as house, house.client() as client:
        await client.say({"command": "subscribe"})
        assert (await client.hear())["ok"]
        await client.ask("shop")
        assert await client.hear() == seen("shop")


async def test_subscriptions_are_counted(home: Path) -> None:
    limits = Limits(subscriptions=1)
    async with open_house(home / "door", limits) as house, house.client() as client:
        await client.say({"command": "subscribe"})
        assert (await client.hear())["ok"]
        await client.say({"command": "subscribe"})
        answer = await client.hear()
        assert answer["error"] == "bad_request"
        assert "1 subscriptions" in answer["message"]


async def test_a_subscription_that_is_over_counts_no_more(home: Path) -> None:
    limits = Limits(subscriptions=1)
    async with open_house(home / "door", limits) as house, house.client() as client:
        await client.say({"command": "subscribe"})
        assert (await client.hear())["ok"]
        house.desk.mailbox.close()
        await house.desk.left.wait()
        await client.say({"command": "subscribe"})
        assert (await client.hear())["ok"]


async def test_a_slow_subscriber_loses_pushes_and_is_told_how_many(house: House) -> None:
    async with house.client() as client:
        await client.say({"command": "subscribe"})
        assert (await client.hear())["ok"]
        for number in range(50):  # in one go: the mailbox holds ten of them
            house.desk.mailbox.put_nowait({"push": "event", "seq": number})
        assert [(await client.hear())["seq"] for _ in range(10)] == list(range(10))
        assert await client.hear() == {"push": "lost", "count": 40}
        house.desk.mailbox.put_nowait({"push": "event", "seq": 50})
        assert await client.hear() == {"push": "event", "seq": 50}


async def test_a_client_that_never_reads_is_dropped_and_holds_up_nobody(home: Path) -> None:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(home / "door", Limits(send=0.2)))
        sleeper = await stack.enter_async_context(house.client())
        other = await stack.enter_async_context(house.client())
        await sleeper.ask("slow")
        await sleeper.ask("big")
        for number in range(100):
            await other.ask("shop", id=number)
            assert await other.hear() == seen("shop", id=number)
        await house.desk.abandoned.wait()  # as every request of somebody who is gone


async def test_an_answer_that_is_ready_when_the_door_closes_still_arrives(home: Path) -> None:
    async with AsyncExitStack() as stack:
        async with open_house(home / "door") as house:
            client = await stack.enter_async_context(house.client())
            await client.ask("slow")
            await house.desk.until_waiting()
            house.desk.release.set()
        assert await client.hear() == seen("slow")

"""What is a mistake of ours ends one request, or one connection, and nothing else."""

from __future__ import annotations

import anyio
import pytest

from taskmux.proxy.directory import Absence, Target
from tests.proxy.h2client import visiting
from tests.proxy.secure import Secure
from tests.proxy.stage import GET, Stage, answers


class Mistake(Exception):
    """Nobody expects it."""


def mistaken(*_: object) -> Absence:
    raise Mistake


async def test_an_error_while_a_failure_is_told_breaks_off_what_failed(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.say_absent = mistaken
    stage.at = 1  # nobody listens there
    async with stage.client() as client:
        await client.send(GET)
        assert await client.rest() == b""
    assert "Mistake" in caplog.text
    await stage.serve(answers)
    async with stage.client() as client:
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_over_http_2_it_ends_the_stream_alone(
    secure: Secure, caplog: pytest.LogCaptureFixture
) -> None:
    secure.stage.say_absent = mistaken
    secure.stage.at = 1
    async with visiting(secure) as browser:
        answer = await browser.answer(await browser.ask())
        assert (answer.fields, answer.reset is None) == ([], False)
        assert "Mistake" in caplog.text
        await secure.stage.serve(answers)
        assert (await browser.answer(await browser.ask())).body == b"ok"


async def test_an_error_after_an_answer_breaks_off_the_next_one(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.serve(answers)
    find, asked = stage.find, 0

    def second(host: str) -> Target | Absence:
        nonlocal asked
        asked += 1
        return find(host) if asked == 1 else mistaken()

    monkeypatch.setattr(stage, "find", second)
    async with stage.client() as client:
        await client.send(GET * 2)
        assert (await client.rest()).count(b"HTTP/1.1 200 ") == 1
    assert "Mistake" in caplog.text


async def test_an_error_about_who_listens_leaves_no_connection(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.serve(answers)
    stage.proxy.lines.__dict__["_suspect"] = mistaken
    async with stage.client() as client:
        await client.send(GET)
        assert await client.rest() == b""
    assert "Mistake" in caplog.text
    with anyio.fail_after(10):
        while stage.proxy.lines.__dict__["_open"]:
            await anyio.lowlevel.checkpoint()

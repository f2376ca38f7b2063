"""The pages in a real browser: they look for themselves whether somebody answers."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from taskmux.proxy.directory import Absence, Target
from tests.browser import CHROMIUM, MISSING, browser
from tests.proxy.stage import Stage, Talk

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

MARK = "document.documentElement.dataset.kept = '\"kept\"'"

ONCE_FAILED = """
new Promise((seen) => {
  const tell = () => document.title.includes('failed') && seen(JSON.stringify([
    document.title, document.querySelector('h1').textContent,
    document.querySelector('pre').textContent, document.documentElement.dataset.kept,
    getComputedStyle(document.querySelector('.why')).fontSize,
  ]));
  new MutationObserver(tell).observe(document, {subtree: true, childList: true});
  tell();
})
"""


async def test_a_page_follows_the_task_and_makes_way_as_soon_as_it_answers(
    stage: Stage, tmp_path: Path
) -> None:
    looked, shown = anyio.Event(), anyio.Event()
    asked = 0
    state = "starting"

    def absent(target: Target, why: str) -> Absence:
        nonlocal asked
        asked += 1
        if asked > 1:  # by its script
            looked.set()
        facts = {"session": "shop", "task": "api", "state": state, "lines": [f"{state} <b>"]}
        return Absence(503, "task_down", f"api is {state}: soon", facts=facts, retry=True)

    async def play(talk: Talk) -> None:
        body = b"<script>fetch('/the-app-is-here')</script>"
        kind = b"Content-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
        while True:
            if b"/the-app-is-here" in await talk.head():
                shown.set()
            await talk.send(b"HTTP/1.1 200 OK\r\n" + kind + body)

    stage.say_absent = absent
    url = f"http://api.shop.localhost:{stage.port}/some/where?x=1"
    async with browser(url, tmp_path) as screen:
        await looked.wait()
        await screen.evaluate(MARK)
        state = "failed"
        title, *seen = await screen.evaluate(ONCE_FAILED)
        assert title == "api failed · shop"
        assert seen == ["api failed", "failed <b>\n", '"kept"', "17px"]
        await stage.serve(play)
        await shown.wait()

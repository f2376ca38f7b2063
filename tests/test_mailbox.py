from __future__ import annotations

import anyio
from anyio import create_task_group, fail_after

from taskmux.mailbox import Bulk, Mailbox, Push


async def drain(mailbox: Mailbox[Push]) -> list[Push]:
    mailbox.close()
    with fail_after(5):
        return [push async for push in mailbox]


def event(seq: int) -> Push:
    return {"push": "event", "seq": seq}


async def test_pushes_come_out_in_order() -> None:
    mailbox = Mailbox[Push]()
    for seq in range(3):
        mailbox.put_nowait(event(seq))
    assert await drain(mailbox) == [event(0), event(1), event(2)]


async def test_what_does_not_fit_is_counted_where_it_is_missing() -> None:
    mailbox = Mailbox[Push](items=2)
    for seq in range(5):
        mailbox.put_nowait(event(seq))
    assert await anext(mailbox) == event(0)
    mailbox.put_nowait(event(5))
    mailbox.put_nowait(event(6))
    lost = {"push": "lost", "count": 3}
    again = {"push": "lost", "count": 1}
    assert await drain(mailbox) == [event(1), lost, event(5), again]


async def test_room_comes_back_as_pushes_are_read() -> None:
    mailbox = Mailbox[Push](items=1)
    for seq in range(10):
        mailbox.put_nowait(event(seq))
        assert await anext(mailbox) == event(seq)


async def test_long_text_fills_a_mailbox_too() -> None:
    mailbox = Mailbox[Push](size=10_000)
    line = {"push": "log", "text": "x" * 4_000}
    for _ in range(4):
        mailbox.put_nowait(line)
    assert await anext(mailbox) == line
    mailbox.put_nowait(line)
    assert await drain(mailbox) == [line, {"push": "lost", "count": 2}, line]


async def test_the_lines_of_a_list_count_as_text() -> None:
    mailbox = Mailbox[Push](size=10_000)
    lines = {"push": "log", "lines": ["x" * 3_000] * 3}
    mailbox.put_nowait(lines)
    mailbox.put_nowait(lines)
    assert await drain(mailbox) == [lines, {"push": "lost", "count": 1}]


async def test_what_comes_together_is_lost_together() -> None:
    mailbox = Mailbox[Push | Bulk](items=1)
    lines = Bulk(3, 100, lambda: [b"1", b"2", b"3"])
    mailbox.put_nowait(lines)
    mailbox.put_nowait(lines)
    mailbox.put_nowait(event(1))
    assert await anext(mailbox) is lines
    assert await anext(mailbox) == {"push": "lost", "count": 4}
    assert lines.messages is lines.messages


async def test_a_push_larger_than_the_mailbox_is_lost_like_any_other() -> None:
    mailbox = Mailbox[Push](size=100)
    mailbox.put_nowait({"push": "log", "text": "x" * 100})
    assert await drain(mailbox) == [{"push": "lost", "count": 1}]


async def test_a_reader_waits_for_what_comes_and_for_the_end() -> None:
    mailbox, got = Mailbox[Push](), list[Push]()

    async def read() -> None:
        async for push in mailbox:
            got.append(push)

    with fail_after(5):
        async with create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            mailbox.put_nowait(event(1))
            await anyio.wait_all_tasks_blocked()
            assert got == [event(1)]
            mailbox.close()

from __future__ import annotations

import json
import os
import random
import socket
import stat
import subprocess
import sys
import tracemalloc
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import EndOfStream, to_thread

from taskmux.address import reachable
from taskmux.api.connection import Limits
from taskmux.api.unix import open_unix_door
from tests.api.toys import MALFORMED, MEGABYTE, House, ToyDesk, open_house, seen


@pytest.fixture
def folder(home: Path) -> Path:
    home.mkdir()
    home.chmod(0o755)  # whatever the umask says
    return home


def names(folder: Path) -> list[str]:
    return [found.name for found in folder.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_malformed_line_is_new() -> None:
    assert len(set(MALFORMED)) == len(MALFORMED)


@pytest.mark.parametrize("line", MALFORMED, ids=lambda line: repr(line[:24]))
async def test_a_malformed_line_is_answered_and_the_next_one_understood(
    house: House, line: bytes
) -> None:
    async with house.client() as client:
        await client.say(line)
        await client.ask("shop", id="next")
        answers = [await client.hear(), await client.hear()]
        answers.sort(key=lambda answer: "id" in answer)
        refused, understood = answers
        assert refused["ok"] is False
        assert refused["error"] in {"bad_request", "unknown_command"}
        assert refused["error_code"] in {"E801", "E802"}
        assert understood == seen("shop", id="next")


async def test_lines_broken_at_random_never_break_the_connection(house: House) -> None:
    dice = random.Random(8765)
    whole = b'{"id": 1, "command": "status", "params": {"session": "shop"}}'
    async with house.client() as client:
        for _ in range(300):
            broken = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            await client.say(bytes(broken).replace(b"\n", b" "))
            assert isinstance((await client.hear())["ok"], bool)
        await client.say(whole)
        assert await client.hear() == seen("shop", id=1)


async def test_a_line_may_come_in_pieces_and_several_at_once(house: House) -> None:
    line = json.dumps({"id": 1, "command": "status", "params": {"session": "shop"}}).encode()
    async with house.client() as client:
        for byte in line[:-1]:
            await client.stream.send(bytes([byte]))
        await client.stream.send(line[-1:] + b"\n" + line + b"\n" + line + b"\r\n")
        for _ in range(3):
            assert await client.hear() == seen("shop", id=1)


async def test_the_last_line_needs_no_newline(house: House) -> None:
    async with house.client() as client:
        await client.stream.send(b'{"command": "status", "params": {"session": "shop"}}')
        await client.stream.send_eof()
        assert await client.hear() == seen("shop")
        with pytest.raises(EndOfStream):
            await client.hear()


async def test_a_request_of_half_a_megabyte_is_understood(house: House) -> None:
    async with house.client() as client:
        command = "x" * 500 * 1024
        await client.say({"command": "add", "params": {"task": "web", "command": command}})
        assert (await client.hear())["config"] == str(len(command))


@pytest.mark.parametrize("size", [MEGABYTE + 1, MEGABYTE + 70_000, 3 * MEGABYTE])
async def test_a_line_that_is_too_long_is_refused_and_skipped(house: House, size: int) -> None:
    async with house.client() as client:
        await client.say(b"x" * size)
        answer = await client.hear()
        assert answer["error"] == "bad_request"
        assert answer["message"] == "a line may have 1048576 bytes at most"
        await client.ask("shop")
        assert await client.hear() == seen("shop")


async def test_a_line_without_an_end_takes_no_memory(house: House) -> None:
    async with house.client() as client:
        tracemalloc.start()
        try:
            piece = b"x" * MEGABYTE
            for _ in range(16):
                await client.stream.send(piece)
            await client.say(b"")
            assert (await client.hear())["error"] == "bad_request"
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 8 * MEGABYTE


async def test_a_line_may_be_as_long_as_it_is_said(house: House) -> None:
    async with house.client() as client:
        head, tail = b'{"command":"add","params":{"task":"web","command":"', b'"}}'
        text = b"x" * (MEGABYTE - len(head) - len(tail))
        await client.say(head + text + tail)
        assert (await client.hear())["config"] == str(len(text))


async def test_an_answer_may_have_five_megabytes(house: House) -> None:
    async with house.client() as client:
        await client.ask("big", id=1)
        answer = await client.hear()
        assert len(answer["config"]) == 5 * MEGABYTE


async def test_a_blocking_client_is_served_as_well(house: House) -> None:
    def ask() -> Any:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(house.path))
            client.sendall(b'{"command":"status","params":{"session":"shop"}}\n')
            return json.loads(client.makefile().readline())

    assert await to_thread.run_sync(ask) == seen("shop")


async def test_only_its_owner_gets_at_the_socket(house: House) -> None:
    assert (mode(house.path), mode(house.path.parent)) == (0o600, 0o700)


async def test_a_folder_that_is_open_to_others_is_closed(folder: Path) -> None:
    async with open_house(folder / "door"):
        assert mode(folder) == 0o700


async def test_the_socket_goes_away_with_the_door(home: Path) -> None:
    async with open_house(home / "door"):
        assert (home / "door").is_socket()
    assert not (home / "door").exists()


async def test_a_socket_is_seen_when_it_listens_and_not_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "daemon.sock"
    seen_early = []

    def watched(listener: socket.socket, backlog: int) -> None:
        seen_early.append(path.exists())
        listen(listener, backlog)

    listen = socket.socket.listen
    monkeypatch.setattr(socket.socket, "listen", watched)
    async with open_unix_door(path, ToyDesk(), folder / "daemon.log"):
        assert seen_early == [False]
        assert names(folder) == ["daemon.sock"]


async def test_a_socket_left_over_is_replaced(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "door"))
    async with open_house(folder / "door") as house, house.client() as client:
        await client.ask("shop")
        assert await client.hear() == seen("shop")


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="a path too long for a socket is reached by /proc, which only Linux has",
)
async def test_a_door_opens_however_deep_its_folder_is(home: Path) -> None:
    path = home / ("x" * 80) / ("y" * 80) / "daemon.sock"
    async with open_house(path):
        assert path.is_socket()
        with reachable(path) as name:
            stream = await anyio.connect_unix(name)
        async with stream:
            await stream.send(b'{"command":"status","params":{"session":"shop"}}\n')
            assert json.loads(await stream.receive()) == seen("shop")


async def test_a_door_that_cannot_be_opened_is_an_error_of_the_system(folder: Path) -> None:
    (folder / "door").write_text("not a socket")
    with pytest.raises(OSError, match="in use"):
        async with open_unix_door(folder / "door", ToyDesk(), folder / "log"):
            pass
    assert (folder / "door").read_text() == "not a socket"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_user_is_told_so_and_shown_out(house: House) -> None:
    program = """
import os, socket
os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
client.connect("daemon.sock")
print(client.makefile().read(), end="")
"""
    # Only the owner could even get near it, so for this test the way is cleared.
    house.path.parent.chmod(0o711)
    house.path.chmod(0o666)
    told = await anyio.run_process([sys.executable, "-c", program], cwd=house.path.parent)
    answer = json.loads(told.stdout)
    assert (answer["ok"], answer["error"], answer["error_code"]) == (False, "not_allowed", "E800")
    assert "you are 65534" in answer["message"]


async def test_where_all_are_served_nobody_else_is_let_in(home: Path) -> None:
    async with open_house(home / "door", most=3) as house, AsyncExitStack() as guests:
        busy = [await guests.enter_async_context(house.client()) for _ in range(3)]
        for client in busy:
            await client.ask("slow")
        await house.desk.until_waiting(3)
        async with house.client() as client_too_many:
            answer = await client_too_many.hear()
        assert answer["error"] == "not_allowed"
        assert "3 connections are open already" in answer["message"]
        house.desk.release.set()
        assert [await client.hear() for client in busy] == [seen("slow")] * 3


async def test_who_has_been_idle_longest_makes_room(home: Path) -> None:
    async with AsyncExitStack() as guests:
        house = await guests.enter_async_context(open_house(home / "door", Limits(idle=0), most=3))
        silent, busy, asked = [await guests.enter_async_context(house.client()) for _ in range(3)]
        await busy.ask("slow")
        await asked.ask("shop")
        assert await asked.hear() == seen("shop")
        await house.desk.until_waiting()
        async with house.client() as newcomer:
            await newcomer.ask("shop")
            assert await newcomer.hear() == seen("shop")
            with pytest.raises(EndOfStream):
                await silent.hear()
            async with house.client() as another:
                await another.ask("shop")
                assert await another.hear() == seen("shop")
                with pytest.raises(EndOfStream):
                    await asked.hear()
                house.desk.release.set()
                assert await busy.hear() == seen("slow")
                await newcomer.ask("shop")
                assert await newcomer.hear() == seen("shop")


async def test_a_subscriber_is_not_idle(home: Path) -> None:
    async with open_house(home / "door", most=1) as house, house.client() as client:
        await client.say({"command": "subscribe"})
        assert (await client.hear())["ok"]
        async with house.client() as other:
            assert (await other.hear())["error"] == "not_allowed"


async def test_a_line_that_is_begun_must_come_to_an_end(home: Path) -> None:
    async with open_house(home / "door", Limits(receive=0.1)) as house, house.client() as client:
        await client.ask("shop")
        assert await client.hear() == seen("shop")
        await client.stream.send(b"{")
        with pytest.raises(EndOfStream):
            await client.hear()


async def test_whoever_is_silent_between_two_lines_is_waited_for(home: Path) -> None:
    async with AsyncExitStack() as guests:
        limits = Limits(receive=0.05)
        house = await guests.enter_async_context(open_house(home / "door", limits))
        silent, begun = [await guests.enter_async_context(house.client()) for _ in range(2)]
        await silent.ask("shop")
        assert await silent.hear() == seen("shop")
        await begun.stream.send(b"{")
        with pytest.raises(EndOfStream):  # who is silent within a line; that tells the time
            await begun.hear()
        await silent.ask("shop")
        assert await silent.hear() == seen("shop")


async def test_who_has_just_come_is_given_time_to_ask(home: Path) -> None:
    async with AsyncExitStack() as guests:
        house = await guests.enter_async_context(open_house(home / "door", Limits(idle=2), most=1))
        one, other, third = [await guests.enter_async_context(house.client()) for _ in range(3)]
        assert (await third.hear())["error"] == "not_allowed"  # somebody waits already
        await other.ask("shop")
        await one.ask("shop")
        assert await one.hear() == seen("shop")
        assert await other.hear() == seen("shop")
        with pytest.raises(EndOfStream):
            await one.hear()


async def test_who_leaves_makes_room(home: Path) -> None:
    async with open_house(home / "door", most=3) as house:
        for _ in range(10):
            async with house.client() as client:
                await client.say({"command": "subscribe"})
                assert (await client.hear())["ok"]
            await house.desk.left.wait()
            house.desk.left = anyio.Event()


async def test_running_out_of_files_is_got_over(home: Path) -> None:
    # In a process of its own, which has few.
    program = """
import json, resource, socket, sys
from pathlib import Path
import anyio
from tests.api.toys import MALFORMED, open_house

async def main():
    async with open_house(Path(sys.argv[1])) as house:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        clients = []
        try:
            while True:
                clients.append(socket.socket(socket.AF_UNIX))
                clients[-1].connect(str(house.path))
        except OSError:
            pass
        await anyio.wait_all_tasks_blocked()
        for client in clients:
            client.close()
        async with house.client() as client:
            await client.ask("shop")
            print(json.dumps(await client.hear()))

anyio.run(main, backend_options={"use_uvloop": True})
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "ignore", "-c", program, str(home / "door")]
    told = await anyio.run_process(command, cwd=root, stderr=subprocess.STDOUT)
    assert json.loads(told.stdout.splitlines()[-1]) == seen("shop")
    assert b"cannot take in a connection" in told.stdout

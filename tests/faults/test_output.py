"""What tasks print: all of it is kept, none of it harms anybody, and it is read once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from taskmux.lifecycle import describe_exit
from taskmux.logs import LogWriter, Window, read, run_started
from taskmux.logs.cutter import CONTINUES
from taskmux.processes.model import MARKER
from taskmux.runner import Life, Outfit
from tests.e2e.site import Site, ended, run_cli
from tests.faults.printers import BOUND, PRINTERS, Printer
from tests.runner.conftest import spec_of

SIZES = [0, 1, 80, *(edge + by for edge in (4096, 8192, 65536, 131072) for by in (-1, 0, 1))]
FATAL = sorted(
    set(signal.Signals)
    - {
        signal.SIGCHLD, signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN,
        signal.SIGTTOU, signal.SIGURG, signal.SIGWINCH, signal.SIGPIPE,
    }
)  # fmt: skip
ENDINGS = [*range(256), *(-number for number in FATAL)]
AT_ONCE = 8


def ending(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"ulimit -c 0; kill -{-status} $$"


def contents(folder: Path) -> dict[Path, bytes]:
    """Write scripts that print something, with and without lines in it, and return what.

    The shell itself prints: it ends in the moment in which it has done so.
    """
    lines = b"".join(b"%d: and so on and on\n" % number for number in range(10_000))
    ink = bytes(letter for letter in range(33, 127) if letter != ord("'")) * 2000
    found = {}
    for size in SIZES:
        for name, text in {"lines": lines, "ink": ink}.items():
            path = folder / f"{name}-{size}"
            path.write_bytes(b"printf %s '" + text[:size] + b"'\n")
            found[path] = text[:size]
    return found


async def prints(number: int, path: Path, content: bytes, status: int) -> None:
    """Run what prints this and ends so, and see that both are in its log."""
    log = LogWriter(path.parent / f"{number}.log", max_size=1_000_000, max_files=0)
    command = f". {path}; {ending(status)}"
    environ = {"PATH": os.environ["PATH"], MARKER: str(log.path)}
    life = Life.begin(spec_of(command), Outfit(environ, 1, 1, str(log.path)), log)
    said = await life.live(lambda health: None, lambda: None)
    log.close()
    lines = [line.text for line in read({"it": log.path}, Window()).lines]
    log.path.unlink()
    note = f"[taskmux] {describe_exit(status)}"
    begun = f"[taskmux] {run_started(1, life.pid)}"
    assert (said, lines[0].decode(), lines[-1].decode()) == (status, begun, note), command
    whole = b"".join(line.removesuffix(CONTINUES) for line in lines[1:-1])
    assert whole == content.replace(b"\n", b""), command
    # Where the machine held the shell up for a quarter of a second there is one more.
    assert len(lines) - 2 >= content.count(b"\n"), command


async def print_often(folder: Path, times: int) -> None:
    choose, printed = random.Random(times), contents(folder)
    endings = ENDINGS * (1 + times // len(ENDINGS))
    choose.shuffle(endings)
    limit = anyio.CapacityLimiter(AT_ONCE)

    async def one(number: int, status: int) -> None:
        async with limit:
            await prints(number, *choose.choice(list(printed.items())), status)

    async with anyio.create_task_group() as group:
        for number, status in enumerate(endings[:times]):
            group.start_soon(one, number, status)


async def test_every_byte_and_every_ending_is_right(tmp_path: Path) -> None:
    await print_often(tmp_path, len(ENDINGS))


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_ten_thousand_times_every_byte_and_every_ending_is_right(tmp_path: Path) -> None:
    await print_often(tmp_path, 10_000)


def on_disk(log: Path) -> int:
    """Return the bytes of a log's files, those that a rotation shows us twice counted once."""
    sizes = {}
    with os.scandir(log.parent) as entries:
        for entry in entries:
            try:
                found = Path(entry.path).stat()
            except FileNotFoundError:
                continue
            if entry.name.startswith(log.name):
                sizes[found.st_ino] = found.st_size
    return sum(sizes.values())


def memory(pid: int, what: str) -> int:
    """Return the bytes that a process has (`VmRSS`), or has had at most (`VmHWM`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) * 1024


CALM = '[tasks.calm]\ncommand = "while read line; do echo you said $line; done <words"\n'


def withstand(site: Site, printer: Printer, size: int) -> None:
    os.mkfifo(site.folder / "words")
    site.write(printer.table(site.folder, size) + CALM)
    log = site.home / "projects/shop/logs/flood.log"
    site.ask("start", "calm")
    pid = site.daemon_pid()
    assert pid is not None
    before = memory(pid, "VmRSS")
    site.ask("start", "flood", "--no-wait")
    said: list[str] = []
    with (site.folder / "words").open("w") as words:
        while (state := site.tasks()["flood"]["state"]) != "completed":
            assert state in {"starting", "running"}
            said.append(f"you said {len(said)}")
            print(len(said) - 1, file=words, flush=True)
            assert on_disk(log) <= BOUND
    assert memory(pid, "VmHWM") - before < 50_000_000
    assert on_disk(log) <= BOUND
    site.ask("wait", "calm", "--for", "exit")
    heard = [line.partition(" ")[2] for line in site.ask("logs", "calm", "--run", "0")["lines"]]
    assert heard[1:-1] == said
    status, shown, _ = site.people("logs", "flood", "-n", "50")
    assert status == 0
    assert all(letter.isprintable() or letter in "\n\t" for letter in shown)
    assert shown.splitlines()[-1].endswith("[taskmux] exited with 0")


@pytest.mark.parametrize("printer", PRINTERS[:5], ids=lambda printer: printer.name)
def test_whatever_is_printed_harms_nobody(site: Site, printer: Printer) -> None:
    withstand(site, printer, 6_000_000)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("printer", PRINTERS, ids=lambda printer: printer.name)
def test_however_much_is_printed_harms_nobody(site: Site, printer: Printer) -> None:
    withstand(site, printer, 64_000_000)


COUNTER = '''
[tasks.it]
command = """
test -e endless && while :; do i=$((i + 1)); echo $i; done
seq 1 15000; test -e go || { echo waiting; exec sleep 300; }
"""
log_max_size = 100_000
log_max_files = 500
restart_policy = "no"
'''


class Reading:
    """Reads a log page by page, as it grows."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._after = ""
        self.lines: list[str] = []

    def until(self, last: str) -> None:
        """Read on until a line is there that was not read before."""
        found = False
        while not found:
            page = self._site.ask("logs", "it", "--after", self._after)
            found = any(line.partition(" ")[2] == last for line in page["lines"])
            self.lines += page["lines"]
            self._after = page["next"]


def follow_to(child: subprocess.Popen[bytes], last: str) -> list[str]:
    """Return what `logs -f` shows until a line, and end it."""
    assert child.stdout is not None
    found: list[str] = []
    while not found or not found[-1].endswith(last):
        found.append(child.stdout.readline().decode().rstrip("\n"))
        assert found[-1], found[-3:]
    child.send_signal(signal.SIGINT)
    child.communicate()
    return found


def test_reading_loses_and_repeats_nothing(site: Site) -> None:
    site.write(COUNTER)
    site.ask("status")
    with run_cli(site, "logs", "it", "-f", "--after", "") as follower:
        reading = Reading(site)
        site.ask("start", "it")
        reading.until("waiting")
        (site.folder / "endless").touch()
        site.ask("restart", "it")
        reading.until("501")
        (site.folder / "endless").unlink()
        site.ask("restart", "it")
        reading.until("waiting")
        crash(site)
        site.ask("status")
        reading.until("waiting")
        (site.folder / "go").touch()
        site.ask("restart", "it")
        reading.until("[taskmux] exited with 0")
        followed = follow_to(follower, "[taskmux] exited with 0")
    whole = site.ask("logs", "it", "--after", "")["lines"]
    assert reading.lines == whole
    assert followed == whole
    assert len(list(site.home.glob("projects/shop/logs/it.log.*"))) > 3
    for run in runs(whole):
        assert run == [str(number + 1) for number in range(len(run))]
    whole_runs = [len(run) == 15_000 for run in runs(whole)]
    assert whole_runs == [True, False, True, True, True]


def crash(site: Site) -> None:
    pid = site.daemon_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    ended(pid)


def runs(lines: list[str]) -> list[list[str]]:
    """Return what was counted, run by run."""
    found: list[list[str]] = []
    for line in lines:
        text = line.partition(" ")[2]
        if " started (pid " in text:
            found.append([])
        elif text.isdecimal():
            found[-1].append(text)
    return found


@pytest.mark.parametrize(
    "pattern", [r"(a)\1b", "(?=a)b", "a{5000}", "((a{100}){100}){100}", "x.{900}y"]
)
def test_a_pattern_that_could_take_for_ever_is_refused(site: Site, pattern: str) -> None:
    site.write('[tasks.it]\ncommand = "true"\n')
    status, answer = site.call("logs", "it", "-g", pattern)
    assert (status, answer["error_code"]) == (2, "E801")
    assert "is not a pattern" in answer["error"]
    site.write(f"[tasks.it]\ncommand = 'true'\nready_log = '{pattern}'\n")
    status, answer = site.call("check")
    assert status == 2
    assert "is not a regular expression" in str(answer)


def test_a_pattern_that_others_need_for_ever_for_holds_nobody_up(site: Site) -> None:
    printer = Printer("as", 'b"a" * 60_000 + b"b\\n"')
    table = printer.table(site.folder, 6_000_000) + "ready_log = '^(a+)+$|^(a|aa)+$|done'\n"
    site.write(table)
    site.ask("start", "flood")
    answer: dict[str, Any] = site.ask("logs", "flood", "-g", "^(a|aa)+$")
    assert answer["lines"] == []

"""Runs the shop in a folder of its own, shows what taskmux says, and proves that nothing is left.

Everything shown is the real command and what it printed. The exit status is 0
only if all of it was as it should be.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from urllib.request import urlopen

import psutil

SHOP = Path(__file__).parent / "shop"
SETTINGS = """\
api_port = 0
proxy_https_port = 0
proxy_http_redirect_port = 0
host_resolver = "noop"
"""
PATIENCE = 40.0
"""Seconds any one command may take."""


class Wrong(Exception):
    """Something was not as it should be."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with temporary_folder() as folder:
            stage = Stage(folder)
            try:
                play(stage)
            finally:
                stage.clear()
    except Wrong as wrong:
        print(f"\nThe demo failed: {wrong}", file=sys.stderr)
        return 1
    print("\nEverything was as it should be, and nothing is left of it.")
    return 0


def play(stage: Stage) -> None:
    stage.tell("A database, an API, a web page, a worker, and a task that crashes twice:")
    stage.run("graph")
    stage.tell("One command starts them, each as soon as what it needs is ready.")
    stage.run("start")
    stage.run("status")
    stage.meet()
    show_requests(stage)
    stage.tell("A task that starts only when asked:")
    stage.run("start", "rush")
    expect_packed(stage)
    stage.tell("What they printed, by time:")
    stage.run("logs", "-n", "24")
    stage.tell("flaky crashed twice, and was started again each time:")
    stage.run("events", "--task", "flaky")
    expect_recovery(stage)
    stage.meet()
    stage.tell("And down again, in the reverse order:")
    stage.run("stop")
    stage.run("daemon", "stop")
    expect_nothing_left(stage)


class Stage:
    """A copy of the shop, a `TASKMUX_HOME` beside it, and whoever was seen there."""

    def __init__(self, folder: Path) -> None:
        self.shop = folder / "shop"
        self.home = folder / "home"
        shutil.copytree(SHOP, self.shop, ignore=shutil.ignore_patterns("var", "__pycache__"))
        self.home.mkdir(mode=0o700)
        # Port 0 is one that is free: another daemon may be running here. A demo leaves the names
        # of this machine alone.
        (self.home / "config.toml").write_text(SETTINGS)
        ours = {name: value for name, value in os.environ.items() if "TASKMUX" not in name}
        path = os.pathsep.join([str(Path(sys.executable).parent), ours.get("PATH", os.defpath)])
        self.environ = {**ours, "PATH": path, "TASKMUX_HOME": str(self.home)}
        self.environ["TASKMUX_ALLOW_ROOT"] = "1"  # where there is only root, it is the user
        self.processes: set[psutil.Process] = set()
        self.ports: set[int] = set()

    def tell(self, text: str) -> None:
        print(f"\n# {text}", flush=True)

    def run(self, *words: str) -> None:
        """Show a command and what it prints, as somebody at a terminal would see it."""
        print(f"\n$ taskmux {' '.join(words)}", flush=True)
        status = self._taskmux(words).returncode
        if status != 0:
            raise Wrong(f"`taskmux {' '.join(words)}` ended with {status}")

    def ask(self, *words: str) -> dict:
        """Return what a command answers in JSON, without showing it."""
        done = self._taskmux([*words, "--json"], stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise Wrong(f"`taskmux {' '.join(words)} --json` answered {done.stdout!r}")
        return json.loads(done.stdout)

    def meet(self) -> None:
        """Remember every process and port there is now."""
        status, daemon = self.ask("status"), self.ask("daemon", "status")
        pids = {status["daemon_pid"]}
        for task in status["tasks"]:
            self.ports.add(task["port"])
            pids.add(task["pid"])
            pids |= {one["pid"] for one in self.ask("inspect", task["name"])["processes"]}
        self.ports.add(daemon["api_port"])
        for pid in pids - {None}:
            with suppress(psutil.NoSuchProcess):
                self.processes.add(psutil.Process(pid))

    def marked(self) -> list[psutil.Process]:
        """Return every process that has this stage's `TASKMUX_HOME` in its environment."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("TASKMUX_HOME") == str(self.home):
                    found.append(process)
        return found

    def clear(self) -> None:
        """End whatever a demo that failed left behind; there is nothing after one that didn't."""
        if self.marked():
            with suppress(Wrong):
                self._taskmux(["daemon", "stop"], stdout=subprocess.DEVNULL)
        for process in self.marked():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _taskmux(
        self, words: Sequence[str], stdout: int | None = None
    ) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "taskmux", *words]
        try:
            return subprocess.run(
                command,
                cwd=self.shop,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise Wrong(f"`taskmux {' '.join(words)}` took over {PATIENCE:g} s") from None


def show_requests(stage: Stage) -> None:
    urls = {task["name"]: task["internal_url"] for task in stage.ask("status")["tasks"]}
    stage.tell("The API answers from the database that migrate made:")
    expect("cheese", show(f"{urls['api']}/products"))
    stage.tell("The web page is made from what the API answers:")
    expect("<li>cheese", show(urls["web"]))


def show(url: str) -> str:
    print(f"\n$ curl {url}", flush=True)
    text = fetch(url)
    print(text.rstrip(), flush=True)
    return text


def fetch(url: str) -> str:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except OSError as error:
        raise Wrong(f"{url} does not answer: {error}") from None


def expect(part: str, text: str) -> None:
    if part not in text:
        raise Wrong(f"there is no {part!r} in {text!r}")


def expect_packed(stage: Stage) -> None:
    """Wait until the worker has packed what was ordered."""
    [api] = (task for task in stage.ask("status")["tasks"] if task["name"] == "api")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        orders = json.loads(fetch(f"{api['internal_url']}/orders"))
        if len(orders) == 3 and all(order["state"] == "packed" for order in orders):
            return
        time.sleep(0.1)
    raise Wrong(f"the worker did not pack the orders: {orders}")


def expect_recovery(stage: Stage) -> None:
    kinds = [event["event"] for event in stage.ask("events", "--task", "flaky")["events"]]
    if kinds.count("auto_restart") != 2 or kinds[-1] != "task_ready":
        raise Wrong(f"flaky did not recover: {', '.join(kinds)}")


def expect_nothing_left(stage: Stage) -> None:
    if alive := [process for process in stage.processes if runs(process)]:
        raise Wrong(f"these processes are still there: {alive}")
    if marked := stage.marked():
        raise Wrong(f"these processes are still there: {marked}")
    if taken := [port for port in stage.ports if listening(port)]:
        raise Wrong(f"somebody listens on these ports still: {taken}")
    stage.tell(
        f"Looked for {len(stage.processes)} processes, for others of this TASKMUX_HOME, "
        f"and at {len(stage.ports)} ports: all gone."
    )


def runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        # A zombie is only a number that the system's first process has not yet taken note of.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def temporary_folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="taskmux-demo-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())

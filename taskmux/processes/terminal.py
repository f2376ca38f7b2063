"""A pseudo-terminal: what a task takes for the terminal of a person."""

from __future__ import annotations

import errno
import os
import termios
from collections.abc import Callable
from time import monotonic

import anyio
from anyio import create_task_group, wait_writable

from taskmux.scarcity import Scarce

from .output import Feed, pump

ECHO_FLAGS = termios.ECHO | termios.ECHONL
OFLAG, LFLAG = 1, 3
"""Where `termios.tcgetattr` puts the flags of output and of local behaviour."""


class Terminal:
    """Both ends of a pseudo-terminal: `master` is ours, `slave_path` the task's.

    What is written comes out as it went in: no echo, and a newline stays one.
    The output ends when the last process that has the slave open is gone, which
    is never as long as we hold it ourselves: hence `release_slave`.
    """

    def __init__(self, master: int, slave: int | None = None) -> None:
        """Take over the descriptors; without the slave, a task has that one. See `open`."""
        self.master = master
        self.slave_path = "" if slave is None else os.ttyname(slave)
        self._slave = slave

    @classmethod
    def open(cls, rows: int = 50, columns: int = 200) -> Terminal:
        """Make one of that size. Raise `OSError` if the system has none left."""
        try:
            master, slave = os.openpty()
        except OSError as error:
            if error.errno == errno.ENOSPC:  # nothing to do with a disk
                raise Scarce("the system has no more terminals") from None
            raise
        try:
            os.set_blocking(master, False)
            termios.tcsetwinsize(slave, (rows, columns))
            flags = termios.tcgetattr(slave)
            flags[OFLAG] &= ~termios.ONLCR
            flags[LFLAG] &= ~ECHO_FLAGS
            termios.tcsetattr(slave, termios.TCSANOW, flags)
            return cls(master, slave)
        except BaseException:
            os.close(master)
            os.close(slave)
            raise

    def release_slave(self) -> None:
        """Leave the slave to the task, which has opened it. Doing it again changes nothing."""
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None

    def close(self) -> None:
        """Hang up: those who still have the terminal open get SIGHUP. `drain` must have ended."""
        self.release_slave()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    async def write(self, data: bytes) -> None:
        """Type `data`, all of it. Raise `OSError` when nobody has the terminal open."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.master, rest) :]
            except BlockingIOError:
                await wait_writable(self.master)

    async def drain(
        self,
        feed: Feed,
        silent: Callable[[], object],
        *,
        pause: float = 0.25,
        begun: bool = False,
    ) -> None:
        """Feed all output until nobody has the terminal open, then return.

        `silent` is called once each time nothing came for `pause` after some output;
        with `begun`, there was some before.
        """
        hush = _Hush(silent, pause)
        if begun:
            hush.note()

        def heard(piece: bytes) -> None:
            feed(piece)
            hush.note()

        async with create_task_group() as group:
            group.start_soon(hush.watch)
            await pump(self.master, heard)
            group.cancel_scope.cancel()


class _Hush:
    """Notices silence at the price of one timer a pause, and none while nothing is said."""

    def __init__(self, silent: Callable[[], object], pause: float) -> None:
        self._silent = silent
        self._pause = pause
        self._last = 0.0
        self._loud = False
        self._sound = anyio.Event()

    def note(self) -> None:
        self._last = monotonic()
        if not self._loud:
            self._loud = True
            self._sound.set()

    async def watch(self) -> None:
        while True:
            await self._sound.wait()
            left = self._pause
            while left > 0:  # what was said meanwhile begins the pause anew
                await anyio.sleep(left)
                left = self._last + self._pause - monotonic()
            self._loud = False
            self._sound = anyio.Event()
            self._silent()

"""Restarts the daemon under its tasks: the process executes its program anew, and stays theirs.

The children stay its children, with their terminals, and the sockets stay open, so that
whoever connects meanwhile only waits. Before that nothing may be half done that is known
to this program alone, so it waits for stops and hooks. After the last look it awaits
nothing: what is handed over is how things are.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from anyio import create_task_group, move_on_after, run_process
from anyio.lowlevel import checkpoint

from taskmux.api.commands import Gate
from taskmux.errors import DaemonBusy, DaemonRenewing, NotRenewed
from taskmux.projects import Projects
from taskmux.scarcity import described
from taskmux.wire import Renew

from .carried import CarriedDaemon, encode, put_away
from .doors import Doors
from .proxying import Proxying
from .transfer import Transfer

PATIENCE = 10.0
"""Seconds that hooks and stops under way may take."""

ANSWERS = 0.5
"""Seconds that requests under way may take; longer ones wait for something."""

TRIAL = 30.0
"""Seconds that the new program may take to say that it can read what it is handed."""

ENDS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""Signals that end the daemon. They wait until a new program has installed what answers them."""

log = logging.getLogger("taskmux")

Carry = Callable[[int | None], CarriedDaemon]
"""Returns the daemon as it is, with the port that is wanted for the WebSocket."""


class Renewal:
    """Restarts this daemon; `detached` says how it was started."""

    def __init__(
        self,
        projects: Projects,
        doors: Doors,
        gate: Gate,
        transfer: Transfer,
        carry: Carry,
        proxy: Proxying,
        *,
        detached: bool,
    ) -> None:
        self._projects = projects
        self._transfer = transfer
        self._doors, self._gate, self._proxy = doors, gate, proxy
        self._carry = carry
        stay = [] if detached else ["--foreground"]
        self._program = [sys.executable, "-P", "-m", "taskmux.daemon", *stay]

    async def renew(self, request: Renew) -> None:
        """Execute the daemon's program anew; raise why not, and everything goes on.

        Raises `DaemonBusy`, or `NotRenewed` if the program that is installed now
        cannot go on with what this one knows. Listeners that were handed over are kept.
        """
        port = request.port
        if request.listeners is not None:
            await self._transfer.take(Path(request.listeners))
        await self._try(self._carry(port))
        await self._settle()
        try:
            # Whoever comes from now on is let in by the new program.
            self._doors.pause()
            self._proxy.pause()
            self._gate.close(DaemonRenewing(begun=False))
            async with create_task_group() as group:
                group.start_soon(self._gate.clear, ANSWERS)
                group.start_soon(self._proxy.clear, ANSWERS)
            await self._settle()
            self._execute(self._carry(port))
        finally:
            self._gate.reopen()
            self._proxy.resume()
            self._doors.resume()

    async def _try(self, carried: CarriedDaemon) -> None:
        lines = [f"it was not ready within {TRIAL:g} s"]
        with move_on_after(TRIAL):
            command = [*self._program, "--try"]
            trial = await run_process(command, input=encode(carried), check=False, cwd="/")
            if trial.returncode == 0:
                return
            lines = trial.stderr.decode(errors="replace").splitlines()[-10:]
        raise NotRenewed("the version that is installed now cannot take over", lines)

    async def _settle(self) -> None:
        with move_on_after(PATIENCE) as limit:
            while not self._projects.portable:
                await self._projects.settle()
                await checkpoint()  # a process that is about to be made is, in the next turn
        if limit.cancelled_caught:
            raise DaemonBusy(self._projects.busy())

    def _execute(self, carried: CarriedDaemon) -> NoReturn:
        handle = put_away(encode(carried))
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            for descriptor in carried.descriptors():
                os.set_inheritable(descriptor, True)
            log.info("going on in a new program")
            os.execv(self._program[0], [*self._program, "--carried-fd", str(handle)])
        except OSError as error:
            raise NotRenewed(f"{self._program[0]}: {described(error)}", []) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            for descriptor in carried.descriptors():
                os.set_inheritable(descriptor, False)
            os.close(handle)

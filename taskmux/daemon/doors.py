"""The daemon's two doors: its Unix socket and its WebSocket."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path

from taskmux import paths
from taskmux.api.desk import Desk
from taskmux.api.reception import Listening, Reception
from taskmux.api.token import Token, renew_token
from taskmux.api.unix import open_unix_door
from taskmux.api.websocket import open_websocket_door
from taskmux.bus import Bus
from taskmux.errors import DaemonDidNotStart
from taskmux.files import set_aside
from taskmux.processes import peer_uid
from taskmux.scarcity import described, unusable

from .carried import CarriedDoors, CarriedWebSocket

log = logging.getLogger("taskmux")


class Doors:
    """Opens both; where a program before this one has them open already, nobody notices."""

    def __init__(self, home: Path, bus: Bus, carried: CarriedDoors | None) -> None:
        self.reason = ""
        """Where the WebSocket is, or why there is none; for people."""

        self._home = home
        self._bus = bus
        self._log_path = paths.daemon_log(home)
        self._carried = carried
        self._unix: Reception | None = None
        self._websocket: Reception | None = None
        self._token: Token | None = None

    @property
    def api_port(self) -> int | None:
        """Where the WebSocket listens; None if it does not."""
        return None if self._websocket is None else self._websocket.listening.port

    def carry(self) -> CarriedDoors:
        """Return what it takes to go on answering at both."""
        assert self._unix is not None, "carried before it was open"
        websocket = None
        if self._websocket is not None and self._token is not None:
            websocket = CarriedWebSocket(self._websocket.listening, self._token.secret)
        return CarriedDoors(self._unix.listening, websocket)

    def pause(self) -> None:
        """Have whoever comes wait in front of them."""
        for door in self._both():
            door.pause()

    def resume(self) -> None:
        """Let in who waits, and who comes."""
        for door in self._both():
            door.resume()

    def _both(self) -> list[Reception]:
        return [door for door in (self._unix, self._websocket) if door is not None]

    async def open(self, stack: AsyncExitStack, desk: Desk, port: int) -> None:
        """Answer at both until `stack` is left; 0 takes any port.

        Raises `DaemonDidNotStart` if there cannot be a Unix socket. The CLI does not
        need the WebSocket: a port that is taken costs other programs, not the tasks.
        """
        what = "its token"
        try:
            was = None if self._carried is None else self._carried.websocket
            path = paths.token(self._home)
            self._token = token = Token(path, was.token) if was else renew_token(path)
            what = f"port {port}"
            door = self._websocket_door(desk, port, token, was)
            self._websocket = await stack.enter_async_context(door)
            self.reason = f"WebSocket on port {self.api_port}"
        except OSError as error:
            self.reason = f"{what} cannot be used: {described(error)}"
            log.warning("no WebSocket: %s", self.reason)
        await self._open_unix(stack, desk)

    def _websocket_door(
        self, desk: Desk, port: int, token: Token, was: CarriedWebSocket | None
    ) -> AbstractAsyncContextManager[Reception]:
        where: int | Listening = port
        if was is not None and port in (0, was.listening.port):
            where = was.listening
        elif was is not None:
            for descriptor in was.listening.descriptors:
                os.close(descriptor)
        return open_websocket_door(where, desk, self._log_path, token=token, peer_uid=peer_uid)

    async def _open_unix(self, stack: AsyncExitStack, desk: Desk) -> None:
        path, was = paths.door(self._home), None
        if self._carried is not None:
            was = self._carried.unix
        else:
            self._make_room(path)
        try:
            door = open_unix_door(path, desk, self._log_path, was=was)
            self._unix = await stack.enter_async_context(door)
        except OSError as error:
            raise DaemonDidNotStart(unusable(path, error), (), str(self._log_path)) from None

    def _make_room(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.lstat().st_mode):
                aside = set_aside(path)
                log.warning("set aside %s: it is not a socket", aside)
                self._bus.publish("state_damaged", path=str(aside), reason="it is not a socket")

"""The output of tasks for those who follow it: made into messages once, however many they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from taskmux.api import messages
from taskmux.logs import LogWriter, clean, rfc3339_of
from taskmux.mailbox import Bulk, Mailbox, Push

Readers = list[Mailbox[Push | Bulk]]

HEAD = 200
"""Bytes that a message has besides its text, about."""


class Broadcasts:
    """Who follows which log. A log that nobody follows costs nothing."""

    def __init__(self) -> None:
        self._followed: dict[LogWriter, tuple[Readers, Callable[[], None]]] = {}

    def follow(
        self, log: LogWriter, session: str, task: str, reader: Mailbox[Push | Bulk]
    ) -> Callable[[], None]:
        """Put the lines of a task's log into the mailbox from now on; return what ends that."""
        if log not in self._followed:
            readers: Readers = []
            self._followed[log] = readers, log.listen(partial(_tell, readers, session, task))
        readers, stop = self._followed[log]
        readers.append(reader)

        def forget() -> None:
            readers.remove(reader)
            if not readers:
                stop()
                del self._followed[log]

        return forget


def _tell(readers: Readers, session: str, task: str, stamp: bytes, lines: bytes) -> None:
    count = lines.count(b"\n")
    encode = partial(_messages, session, task, stamp, lines)
    bulk = Bulk(count, len(lines) + HEAD * count, encode)
    for reader in readers:
        reader.put_nowait(bulk)


def _messages(session: str, task: str, stamp: bytes, lines: bytes) -> Sequence[bytes]:
    head = {"push": "log", "session": session, "task": task, "ts": rfc3339_of(stamp)}
    texts = lines.removesuffix(b"\n").split(b"\n")
    return [messages.push({**head, "text": clean(text)}) for text in texts]

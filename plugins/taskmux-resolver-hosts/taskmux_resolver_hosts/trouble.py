"""What can go wrong with a hosts file. The note of each says what to do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from shlex import quote

RESTART = "sudo taskmux daemon restart"
OTHERS = 'host_resolver = "dns_server"'
AS_ROOT = f"run `{RESTART}`, or set `{OTHERS}`"
ELSEWHERE = f'set `{OTHERS}`, or "noop" to see to the names yourself'
SHOWN = 3
"""Names told one by one; of the rest, how many."""


class HostsTrouble(Exception):
    """Root of all that is raised about a hosts file. The file is as it was."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(sentence)
        self.add_note(hint)


class Unreadable(HostsTrouble):
    """There is no hosts file, or nothing that could be one: then nothing is written either."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}", f"put that right, then `{RESTART}`")


class LeftAlone(HostsTrouble):
    """Its text is nothing our block can be put into. `why` completes "… was left alone: "."""

    def __init__(self, path: str, why: str, hint: str) -> None:
        super().__init__(f"{path} was left alone: {why}", hint)


class NotPermitted(HostsTrouble):
    """This user may not write the file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} may not be written by this user", AS_ROOT)


class Unchangeable(HostsTrouble):
    """Nobody may write the file, root neither. `why` completes "… cannot be changed: "."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be changed: {why}", ELSEWHERE)


class Untrusted(HostsTrouble):
    """Others than root could have a say in what root writes. `remedy` is a command."""

    def __init__(self, path: str, why: str, remedy: str) -> None:
        hint = f"run `sudo {remedy}`, then `{RESTART}`"
        super().__init__(f"{path} is not written as root: {why}", hint)


class Busy(HostsTrouble):
    """Somebody else kept hold of the file. `doing` completes "another program "."""

    def __init__(self, path: str, doing: str) -> None:
        hint = f"`sudo fuser -v {quote(path)}` may name it; end it, then `{RESTART}`"
        super().__init__(f"another program {doing} {path}", hint)


class NotWritten(HostsTrouble):
    """Writing failed in the middle, and what was there before is there again."""

    def __init__(self, path: str, error: OSError) -> None:
        why = os.strerror(error.errno) if error.errno else str(error)
        super().__init__(f"{path} could not be written: {why}", f"put that right, then `{RESTART}`")


class NamesMissing(HostsTrouble):
    """Names that should resolve do not, and this user may not change that."""

    def __init__(self, path: str, names: Sequence[str], hint: str) -> None:
        told = ", ".join(names[:SHOWN])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        super().__init__(f"{path} lacks {told}{more}, and may not be written by this user", hint)

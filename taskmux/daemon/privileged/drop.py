"""Becoming a user, and never anybody else again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from . import capabilities
from .person import Person


class StillRoot(Exception):
    """A defect of ours or of the system: nothing may go on after it."""


def drop(person: Person) -> None:
    """Become `person` in this process for good; raise `StillRoot` if that can be undone.

    The order is forced: who is not root any more cannot change groups.
    """
    os.initgroups(person.name, person.gid)
    if hasattr(os, "setresuid"):
        os.setresgid(person.gid, person.gid, person.gid)
        os.setresuid(person.uid, person.uid, person.uid)
    else:  # macOS: where root calls them, these change all three
        os.setgid(person.gid)
        os.setuid(person.uid)
    # The kernel has taken them by now, unless root's securebits told it not to.
    capabilities.give_up()
    prove(person)


def prove(person: Person) -> None:
    """Raise `StillRoot` unless this process is `person` and cannot become root again."""
    ids = {os.getuid(), os.geteuid()}, {os.getgid(), os.getegid()}
    if ids != ({person.uid}, {person.gid}):
        raise StillRoot(f"the user and group are {ids}")
    if left := _groups_left(person):
        raise StillRoot(f"the groups {left} are left")
    if capabilities.some():
        raise StillRoot("capabilities are left")
    for attempt in (_be_root, _be_root_again, _be_root_s_group, _join_root):
        if _works(attempt):
            raise StillRoot(f"{attempt.__name__} worked")


def _groups_left(person: Person) -> set[int]:
    if sys.platform == "darwin":  # it says who the user's are, not who this process's are
        return set()
    return {*os.getgroups()} - {person.gid, *os.getgrouplist(person.name, person.gid)}


def _be_root() -> None:
    os.setuid(0)


def _be_root_again() -> None:
    os.seteuid(0)


def _be_root_s_group() -> None:
    os.setegid(0)


def _join_root() -> None:
    os.setgroups([0])


def _works(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except PermissionError:
        return False
    return True

from __future__ import annotations

import errno
import os

import pytest

from taskmux.scarcity import unusable


def failure(number: int, filename: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), filename)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (failure(errno.EACCES), "/home cannot be used: Permission denied"),
        (failure(errno.EACCES, "/home/lock"), "/home/lock cannot be used: Permission denied"),
        (OSError("no reason"), "/home cannot be used: no reason"),
        (
            failure(errno.EMFILE, "/home/lock"),
            "the daemon may not open more files (Too many open files)",
        ),
    ],
)
def test_a_place_is_not_blamed_for_what_has_run_out(error: OSError, said: str) -> None:
    assert unusable("/home", error) == said

"""Why no process could be made, as people are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from taskmux.errors import FolderMissing, SpawnFailed, TaskmuxError
from taskmux.processes import NoFolder
from taskmux.scarcity import described, scarce

from .outfit import Spec


@contextmanager
def refusing(spec: Spec) -> Iterator[None]:
    """Raise `refusal` where an `OSError` says that something could not be made."""
    try:
        yield
    except OSError as error:
        raise refusal(spec, error) from None


def refusal(spec: Spec, error: OSError, doing: str = "") -> TaskmuxError:
    """Return what to tell of a command that could not be run; `doing` goes before the reason."""
    if isinstance(error, NoFolder):
        return FolderMissing(spec.name, str(spec.cwd))
    return SpawnFailed(spec.name, doing + described(error), passing=scarce(error))

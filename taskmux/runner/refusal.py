"""Why no process could be made, as people are told."""

from __future__ import annotations

from taskmux.errors import FolderMissing, SpawnFailed, TaskmuxError
from taskmux.processes import NoFolder
from taskmux.scarcity import described, scarce

from .outfit import Spec


def refusal(spec: Spec, error: OSError, doing: str = "") -> TaskmuxError:
    """Return what to tell of a command that could not be run; `doing` goes before the reason."""
    if isinstance(error, NoFolder):
        return FolderMissing(spec.name, str(spec.cwd))
    return SpawnFailed(spec.name, doing + described(error), passing=scarce(error))

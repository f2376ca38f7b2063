"""Why nothing could be run, in the words of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from taskmux.errors import FolderMissing, SpawnFailed
from taskmux.processes import NoFolder

from .outfit import Spec


@contextmanager
def told(spec: Spec, what: str = "") -> Iterator[None]:
    """Raise `FolderMissing` or `SpawnFailed` where making a process fails; `what` is said first."""
    try:
        yield
    except NoFolder:
        raise FolderMissing(spec.name, str(spec.cwd)) from None
    except OSError as error:
        raise SpawnFailed(spec.name, f"{what}{error.strerror or error}") from None

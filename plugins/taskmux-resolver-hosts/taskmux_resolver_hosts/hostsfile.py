"""A hosts file with our block in it: written only when it has to be, and never half."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from .beside import remove_leftover, replace_beside
from .block import Unfit, replace_block
from .held import Disturbed, Held, create, hold, read_only
from .inplace import overwrite, undo
from .place import Place
from .trouble import Busy, LeftAlone, NotWritten

TRIES = 5
"""Times to begin anew after somebody else changed the file."""


@dataclass(frozen=True, slots=True)
class HostsFile:
    """One hosts file. All of it blocks: on the disk, on a lock, on an editor at work."""

    place: Place
    system: bool
    """Whether it is the system's, which somebody else makes if there is none."""

    spare: str | None = None
    """A folder for a backup where the file's own cannot be written."""

    patience: float = 3.0
    """How long to wait for its lock. Any user may lock a file that they may read."""

    def rewrite(self, lines: Sequence[bytes]) -> bytes:
        """Make the block hold exactly `lines`; return what is in the file now.

        Raises `HostsTrouble`; the file is then as it was. Where it holds them already nothing
        is written.
        """
        path = self.place.path
        if not self.system and not os.path.lexists(path):
            if not lines:
                return b""
            create(path)
        for _ in range(TRIES):
            try:
                with hold(path, self.patience) as held:
                    return self._rewrite(held, lines)
            except Disturbed:
                continue
            except OSError as error:
                raise NotWritten(path, error) from None
        raise Busy(path, "keeps writing to")

    def read(self) -> bytes:
        """Return what is in the file, also where it may not be written; raise `Unreadable`."""
        return read_only(self.place.path)

    def _rewrite(self, held: Held, lines: Sequence[bytes]) -> bytes:
        remove_leftover(held)
        undo(held, self.spare)
        before = held.read()
        try:
            after = replace_block(before, lines, self.place.newline)
        except Unfit as unfit:
            raise LeftAlone(self.place.path, str(unfit), unfit.hint) from None
        if after != before:
            held.settle()
            if not replace_beside(held, before, after):
                overwrite(held, before, after, self.spare)
        return after

"""What macOS trusts, for one user: the login keychain, which takes their consent and no root."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from shlex import join

from . import places
from .stores import Around, Root, State, Verdict
from .system import MAKE
from .tools import run


@dataclass(frozen=True, slots=True)
class Keychain:
    """The user's own keychain."""

    around: Around
    kind: str = "keychain"

    @property
    def place(self) -> str:
        """The keychain's file."""
        return str(self.around.home / places.LOGIN)

    def look(self, root: Root) -> Verdict:
        """Return whether macOS trusts it; it says no more than that."""
        if root.der is None:
            return Verdict(State.NOT_TRUSTED, "there is nothing to trust yet", MAKE)
        done = run(places.verifying(str(root.path)), self.around.environ)
        if done.ok:
            return Verdict(State.TRUSTED)
        return Verdict(State.NOT_TRUSTED, done.why, MAKE)

    def trust(self, root: Root) -> Verdict:
        """Add it; macOS shows a dialogue meanwhile."""
        if (verdict := self.look(root)).state is State.TRUSTED or root.der is None:
            return verdict
        done = run(places.entrusting(self.place, str(root.path)), self.around.environ)
        if not done.ok:
            return Verdict(State.NOT_TRUSTED, done.why, self.plan(root, adding=True)[0])
        return self.look(root)

    def distrust(self, root: Root) -> Verdict:
        """Take the trust back, and remove the certificate."""
        if root.der is None:
            return Verdict(State.UNKNOWN, "nothing is left to compare with what is trusted")
        if self.look(root).state is not State.TRUSTED:
            return Verdict(State.NOT_TRUSTED)
        for command in self._revoking(root):
            done = run(command, self.around.environ)
            if not done.ok:
                return Verdict(State.TRUSTED, done.why, join(command))
        return Verdict(State.NOT_TRUSTED)

    def plan(self, root: Root, *, adding: bool) -> list[str]:
        """Return the commands, as they are run."""
        if adding:
            return [join(places.entrusting(self.place, str(root.path)))]
        return [] if root.der is None else [join(one) for one in self._revoking(root)]

    def _revoking(self, root: Root) -> tuple[places.Command, places.Command]:
        # The name by which `security` knows a certificate; nothing rests on its strength.
        digest = sha1(root.der or b"", usedforsecurity=False).hexdigest().upper()
        return places.revoking(self.place, str(root.path), digest)

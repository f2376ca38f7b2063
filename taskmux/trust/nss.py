"""Databases of browsers that trust by themselves, changed with NSS's own tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import join, quote

from taskmux.files import make_private
from taskmux.scarcity import described

from . import pem, places
from .stores import Around, Root, State, Verdict
from .system import MAKE
from .tools import Done, found, run

MOST = 16
"""Certificates of one name that are removed: each took the place of the one before."""


UNKNOWN = "Could not find cert"
"""What certutil says of a name that a database does not have."""


@dataclass(frozen=True, slots=True)
class NssStore:
    """One database of the user's; it is made where none exists yet."""

    kind: str
    folder: Path
    around: Around
    tool: places.Command
    """Installs certutil."""

    @property
    def place(self) -> str:
        """The folder of the database."""
        return str(self.folder)

    def look(self, root: Root) -> Verdict:
        """Return whether it has the certificate, and takes what that signed for a server's."""
        if root.der is None or not self._there:
            why = "there is no database yet" if root.der else "there is nothing to trust yet"
            return Verdict(State.NOT_TRUSTED, why, MAKE)
        if (missing := self._missing()) is not None:
            return missing
        shown = self._run(places.showing(self.place, root.name))
        if not shown.ok and UNKNOWN not in shown.err:
            return Verdict(State.UNKNOWN, shown.why, f"certutil -L -d sql:{quote(self.place)}")
        if root.der not in pem.certificates(shown.out):
            return Verdict(State.NOT_TRUSTED, "it is not in the database", MAKE)
        proof = self._run(places.proving(self.place, root.name))
        if not proof.ok:
            why = proof.out.decode(errors="replace").strip() or proof.why
            return Verdict(State.NOT_TRUSTED, why.removeprefix("certutil: "), MAKE)
        return Verdict(State.TRUSTED)

    def trust(self, root: Root) -> Verdict:
        """Put it into the database, in place of those of its name."""
        if (missing := self._missing()) is not None:
            return missing
        if (verdict := self.look(root)).state is State.TRUSTED or root.der is None:
            return verdict
        if not self._there and (why := self._make()):
            return Verdict(State.NOT_TRUSTED, why, self.plan(root, adding=True)[0])
        self._expel(root)
        done = self._run(places.enrolling(self.place, root.name, str(root.path)))
        if not done.ok:
            return Verdict(State.NOT_TRUSTED, done.why, self.plan(root, adding=True)[-1])
        return self.look(root)

    def distrust(self, root: Root) -> Verdict:
        """Remove every certificate of that name."""
        if not self._there:
            return Verdict(State.NOT_TRUSTED)
        if (missing := self._missing()) is not None:
            return missing
        done = self._expel(root)
        if self._known(root):
            fix = join(places.expelling(self.place, root.name))
            return Verdict(State.TRUSTED, done.why, fix)
        return Verdict(State.NOT_TRUSTED)

    def plan(self, root: Root, *, adding: bool) -> list[str]:
        """Return the commands, as they are run."""
        if not adding:
            has = self._there and self._missing() is None and self._known(root)
            return [join(places.expelling(self.place, root.name))] if has else []
        added = places.enrolling(self.place, root.name, str(root.path))
        if self._there:
            return [join(added)]
        folder = ("mkdir", "-p", "-m", "700", self.place)
        return [*map(join, (folder, places.making(self.place), added))]

    @property
    def _there(self) -> bool:
        return (self.folder / "cert9.db").is_file()

    def _missing(self) -> Verdict | None:
        """Return what is said where the tool is not installed; None where it is."""
        if found("certutil", self.around.environ) is not None:
            return None
        fix = f"{join(self.tool)} && {MAKE}"
        return Verdict(State.UNKNOWN, "certutil is not installed", fix)

    def _known(self, root: Root) -> list[bytes]:
        return pem.certificates(self._run(places.showing(self.place, root.name)).out)

    def _make(self) -> str | None:
        try:
            make_private(self.folder)
        except OSError as error:
            return f"{error.filename}: {described(error)}"
        done = self._run(places.making(self.place))
        return None if done.ok else done.why

    def _expel(self, root: Root) -> Done:
        done = Done(ok=True)
        for _ in range(MOST):
            if not self._known(root):
                break
            done = self._run(places.expelling(self.place, root.name))
        return done

    def _run(self, command: places.Command) -> Done:
        return run(command, self.around.environ)

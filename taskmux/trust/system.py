"""What all programs of a Linux system trust: a folder of certificates, and a bundle made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import join

from taskmux.files import write_private
from taskmux.scarcity import described

from . import pem, places
from .stores import Around, Root, State, Verdict
from .tools import found, run

MAKE = "taskmux ca install"


@dataclass(frozen=True, slots=True)
class SystemStore:
    """The system's own, changed by root alone."""

    layout: places.Layout
    around: Around
    kind: str = "system"

    @property
    def place(self) -> str:
        """The bundle that is asked, if there is one; else the folder."""
        bundles = map(self.around.at, self.layout.bundles)
        return str(next((one for one in bundles if one.is_file()), self._folder))

    def look(self, root: Root) -> Verdict:
        """Return whether the bundle has it."""
        if root.der is None:
            return Verdict(State.NOT_TRUSTED, "there is nothing to trust yet", MAKE)
        try:
            known = pem.certificates(Path(self.place).read_bytes())
        except IsADirectoryError:
            known = []
        except OSError as error:
            return Verdict(State.UNKNOWN, f"{error.filename}: {described(error)}", self._how(root))
        if root.der in known:
            return Verdict(State.TRUSTED)
        return Verdict(State.NOT_TRUSTED, "it is not among what is trusted", self._how(root))

    def trust(self, root: Root) -> Verdict:
        """Copy it into the folder and have the bundle made, as root; else say what to type."""
        if root.der is None or self.around.uid != 0:
            return self._left(root)
        before = _content(self._anchor(root))
        try:
            _publish(self._anchor(root), pem.pem(root.der))
        except OSError as error:
            return self._failed(f"{error.filename}: {described(error)}", root)
        if why := self._rebuild():
            self._restore(root, before)
            return self._failed(why, root)
        return self.look(root)

    def distrust(self, root: Root) -> Verdict:
        """Remove it from the folder and have the bundle made, as root; else say what to type."""
        anchor = self._anchor(root)
        if not anchor.exists():
            verdict = self.look(root)
            if verdict.state is State.TRUSTED:
                return Verdict(State.TRUSTED, f"by another file than {anchor}", None)
            return Verdict(State.NOT_TRUSTED)
        typed = places.removing(str(anchor), self.layout.rebuild)
        if self.around.uid != 0:
            return Verdict(State.TRUSTED, "it takes root", typed)
        try:
            anchor.unlink()
        except OSError as error:
            return Verdict(State.TRUSTED, f"{anchor}: {described(error)}", typed)
        why = self._rebuild()
        again = join(("sudo", *self.layout.rebuild))
        return Verdict(State.UNKNOWN, why, again) if why else Verdict(State.NOT_TRUSTED)

    def plan(self, root: Root, *, adding: bool) -> list[str]:
        """Return the one line it takes."""
        anchor = str(self._anchor(root))
        if adding:
            return [places.adding(anchor, self.layout.rebuild, str(root.path))]
        return [places.removing(anchor, self.layout.rebuild)] if Path(anchor).exists() else []

    @property
    def _folder(self) -> Path:
        return self.around.at(self.layout.folder)

    def _anchor(self, root: Root) -> Path:
        return self._folder / f"{root.stem}{self.layout.suffix}"

    def _how(self, root: Root) -> str:
        return self.plan(root, adding=True)[0] if self.around.uid != 0 else MAKE

    def _left(self, root: Root) -> Verdict:
        verdict = self.look(root)
        if verdict.state is State.TRUSTED or root.der is None:
            return verdict
        return Verdict(verdict.state, "it takes root", verdict.fix)

    def _failed(self, why: str, root: Root) -> Verdict:
        return Verdict(State.NOT_TRUSTED, why, self.plan(root, adding=True)[0])

    def _rebuild(self) -> str | None:
        """Have the bundles made anew; return why they were not."""
        if found(self.layout.rebuild[0], self.around.environ) is None:
            return f"{self.layout.rebuild[0]} is not installed"
        done = run(self.layout.rebuild, self.around.environ)
        return None if done.ok else done.why

    def _restore(self, root: Root, before: bytes | None) -> None:
        if before is None:
            self._anchor(root).unlink(missing_ok=True)
        else:
            _publish(self._anchor(root), before)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _publish(path: Path, content: bytes) -> None:
    write_private(path, content)
    path.chmod(0o644)

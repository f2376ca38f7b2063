"""What a place that trusts certificates is, and what can be said of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class State(StrEnum):
    """Whether a store trusts a root, as far as that can be told."""

    TRUSTED = "trusted"
    NOT_TRUSTED = "not_trusted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a store, or came of asking it for something."""

    state: State
    detail: str = ""
    fix: str | None = None
    """What to type; None where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Root:
    """The certificate that is to be trusted, or not any more."""

    path: Path
    """Its file, as PEM; it need not exist."""

    name: str
    """What it is called in stores that call things by name."""

    der: bytes | None
    """None if there is none yet, or no more."""

    @property
    def stem(self) -> str:
        """What its file is called in stores that are folders."""
        return self.name.replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Around:
    """The machine and the user whose stores are meant."""

    home: Path
    """The user's own folder."""

    environ: Mapping[str, str]
    uid: int
    platform: str
    """As `sys.platform` has it."""

    top: Path = Path("/")
    """What stands for the root of the file system."""

    def at(self, path: str) -> Path:
        """Return where an absolute path is, below `top`."""
        return self.top / path.lstrip("/")


class Store(Protocol):
    """One place that trusts certificates. Nothing it does raises."""

    @property
    def kind(self) -> str:
        """Whose it is: `system`, `Chromium`, `Firefox` or `keychain`."""

    @property
    def place(self) -> str:
        """The file or folder that is asked."""

    def look(self, root: Root) -> Verdict:
        """Return whether it trusts `root`: proved, or unknown. Changes nothing."""

    def trust(self, root: Root) -> Verdict:
        """Have it trust `root`, in place of any before it of that name; return what came of it."""

    def distrust(self, root: Root) -> Verdict:
        """Have it trust nothing of that name any more; return what came of it."""

    def plan(self, root: Root, *, adding: bool) -> list[str]:
        """Return what `trust`, or else `distrust`, would have done, as one would type it."""

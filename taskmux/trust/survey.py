"""Which stores this machine and this user have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import places
from .keychain import Keychain
from .nss import NssStore
from .stores import Around, Store
from .system import SystemStore
from .tools import found

SELECTION = "TRUST_STORES"
"""Names the kinds that count, as for mkcert: `system,nss`. All without it."""

BREW = ("brew", "install", "nss")
ANY = ("apt-get", "install", "libnss3-tools")


def stores(around: Around) -> list[Store]:
    """Return every store that there is, or that a browser which is installed will ask."""
    chosen = around.environ.get(SELECTION)
    kinds = {"system", "nss"} if chosen is None else set(chosen.split(","))
    stores: list[Store] = []
    if "system" in kinds:
        stores += _system(around)
    if "nss" in kinds:
        stores += _databases(around)
    return stores


def _system(around: Around) -> Iterator[Store]:
    if around.platform == "darwin":
        yield Keychain(around)
    elif (layout := _layout(around)) is not None:
        yield SystemStore(layout, around)


def _layout(around: Around) -> places.Layout | None:
    return places.layout([one.folder for one in places.LAYOUTS if around.at(one.folder).is_dir()])


def _databases(around: Around) -> Iterator[Store]:
    home, tool = str(around.home), _tool(around)
    seen: set[Path] = set()
    for kind, above, pattern in places.databases(home, around.environ):
        for file in sorted(Path(above).glob(f"{pattern}/cert9.db")):
            folder = file.parent
            if folder.resolve() not in seen:  # a link may lead to it, too
                seen.add(folder.resolve())
                yield NssStore(kind, folder, around, tool)
    shared = around.home / places.SHARED
    modern = Path(places.data_folder(home, around.environ), "pki/nssdb")
    if not {shared.resolve(), modern.resolve()} & seen and _asked(around):
        yield NssStore(places.CHROMIUM, shared, around, tool)


def _asked(around: Around) -> bool:
    """Return whether a browser is installed that will ask the shared database."""
    if around.platform == "darwin":
        return False  # there they ask the keychain
    return any(found(one, around.environ) for one in places.BROWSERS)


def _tool(around: Around) -> places.Command:
    if around.platform == "darwin":
        return BREW
    layout = _layout(around)
    return ("sudo", *(ANY if layout is None else layout.certutil))

"""The host config on disk: read with care for what is secret, replaced at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taskmux.errors import HostConfigWrong, InvalidToml
from taskmux.toml import LIMIT, Keys, decode, dotted
from taskmux.toml.words import secret

from .model import Settings
from .read import FREE, read


def load(path: Path) -> Settings:
    """Return what the file says; all defaults if there is none.

    Raises `InvalidToml`, or `HostConfigWrong` for what is in it or for a file
    that cannot be read. A secret in a file that others may read is withheld.
    """
    try:
        content, private = _content(path)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        why = f"{path} cannot be read: {error.strerror}"
        raise HostConfigWrong(None, why, "correct its owner or its mode") from None
    document = decode(content, str(path))
    withheld = () if private else tuple(_withhold(document))
    return read(document, withheld)


def write(path: Path, text: str) -> None:
    """Replace the file at once, readable by its owner alone; a link stays one.

    Raises `HostConfigWrong` if it can't be; the old file is then still there.
    """
    from taskmux.files import write_private

    try:
        write_private(path.resolve(), text.encode())
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror}"
        raise HostConfigWrong(None, why) from None


def _content(path: Path) -> tuple[str, bool]:
    # Without NONBLOCK, opening a FIFO would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise HostConfigWrong(None, f"{path} is not a regular file")
    with os.fdopen(handle, "rb") as file:
        content = file.read(4 * LIMIT + 1)
    try:
        return content.decode(), found.st_mode & 0o077 == 0
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise InvalidToml(str(path), "it is not UTF-8", line, column) from None


def _withhold(document: dict[str, Any]) -> Iterator[str]:
    for name in sorted(FREE & document.keys()):
        yield from _take_secrets(document[name], (name,))


def _take_secrets(value: Any, above: Keys) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _take_secrets(item, above)
    elif isinstance(value, dict):
        for key in list(value):
            if secret(key):
                del value[key]
                yield dotted((*above, key))
            else:
                yield from _take_secrets(value[key], (*above, key))

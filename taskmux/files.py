"""Files read with care: ours are the old version or the new one, never half; the user's, as is."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from taskmux.errors import InvalidToml, NoConfig, NothingLeft
from taskmux.scarcity import described, scarce

Content = TypeVar("Content")

LIMIT = 64 * 1024 * 1024
"""A state file larger than this is not one of ours."""

MOST_LINKS = 40
"""The kernel follows no more on the way to a file."""

Damage = Callable[[Path, str], None]
"""Told of a file that was set aside, with its new path and what was wrong with it."""


def make_private(folder: Path) -> None:
    """Create `folder`, and what is missing above it, for its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Replace the file at once by one with `content` that only its owner may read.

    Raises `OSError`; whatever was there before is then still there.
    """
    import tempfile  # 10 ms, and who only reads needs none

    make_private(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        # Closed before the rename: on a full disk some errors come only then.
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def remove_unfinished(path: Path) -> None:
    """Delete what a `write_private` of the file left when it was killed; none may be at work."""
    for beside in path.parent.glob(f".{path.name}-*"):
        with suppress(OSError):
            beside.unlink()


def read_text(path: Path) -> str:
    """Return the text of a taskmux.toml, line endings as they are.

    Raises `NoConfig`, `InvalidToml` for what is no text or cannot be read, or `NothingLeft`.
    """
    try:
        content = read_regular(path, follow=True)
        if content is None:
            raise NoConfig(str(path.parent))
        return content.decode()
    except NotADirectoryError:
        raise NoConfig(str(path.parent)) from None
    except UnicodeDecodeError as error:
        raise InvalidToml(str(path), f"byte {error.start} is not UTF-8", None, None) from None
    except ValueError as error:
        raise InvalidToml(str(path), str(error), None, None) from None
    except OSError as error:
        if scarce(error):
            raise NothingLeft(described(error)) from None
        why = f"it cannot be read: {described(error)}"
        raise InvalidToml(str(path), why, None, None) from None


def read_private(path: Path, kind: type[Content], damaged: Damage) -> Content | None:
    """Return the JSON file as a `kind`; None if there is none, or none that can be read.

    One that is not a regular file, too large, or not a `kind` is renamed out of
    the way, so that nothing in it is lost and nothing is blocked by it. Raises
    `OSError` where the system has nothing left to read it with: that says nothing of it.
    """
    try:
        content = read_regular(path)
        return None if content is None else msgspec.json.decode(content, type=kind)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        if scarce(error):
            raise
        damaged(set_aside(path), str(error))
        return None


def passed(place: Path) -> Iterator[Path]:
    """Yield everything that decides where `place` leads: each folder and link on the way, and it.

    What it yields need not exist.
    """
    here, rest, links = Path("/"), [*reversed(place.absolute().parts[1:])], 0
    yield here
    while rest:
        part = rest.pop()
        here = here.parent if part == ".." else here / part
        yield here
        if here.is_symlink() and links < MOST_LINKS:
            links += 1
            target = here.readlink()
            here = Path("/") if target.is_absolute() else here.parent
            rest += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def weigh(place: Path) -> int:
    """Return the bytes in a file, or in all files of a folder; links are not followed."""
    with suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            return sum(weigh(inner) for inner in place.iterdir())
        return place.lstat().st_size
    return 0


def discard(place: Path) -> bool:
    """Delete a file, or a folder with all that is in it; a link, not what it leads to.

    Return whether it is gone.
    """
    import shutil  # 10 ms, and who only reads needs none

    with suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink()
    return not os.path.lexists(place)


def make_way(path: Path, damaged: Damage, *, folder: bool = False) -> None:
    """Set aside what is no file to write to where one of ours belongs, or no `folder`.

    A folder may be a link to one. To be called by whoever is alone in using the path.
    """
    if folder and os.path.lexists(path) and not path.is_dir():
        damaged(set_aside(path), "it is not a folder")
    elif not folder and (why := unusable(path)):
        damaged(set_aside(path), why)


def unusable(path: Path) -> str | None:
    """Return why a file of ours cannot be at `path`; None if it can, or does not exist."""
    if not os.path.lexists(path):
        return None
    if not stat.S_ISREG(path.lstat().st_mode):
        return "it is not a regular file"
    return None if os.access(path, os.R_OK | os.W_OK) else "it may not be read and written"


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used; return where it is then, unmoved if that failed."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = path.with_name(f"{path.name}.corrupt-{now}")
    try:
        path.rename(aside)
    except OSError:
        return path
    return aside


def read_regular(path: Path, *, follow: bool = False) -> bytes | None:
    """Return what is in a file; None if there is none. Never waits for anybody.

    Raises `ValueError` for what is no regular file or too large to be one of
    ours, or `OSError`, also for a link unless those are to be followed.
    """
    # Without NONBLOCK, opening a FIFO would wait for a writer for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is not a regular file")
        if found.st_size > LIMIT:
            raise ValueError(f"it has {found.st_size} bytes")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)

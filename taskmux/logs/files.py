"""The files of one log: `api.log`, and `api.log.1`, `.2`, … with what was written before."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_FILE = {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EMLINK}


class NotALogFile(OSError):
    """In place of the log there is a link, a folder, a pipe or a device."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))


def open_to_append(path: Path) -> int:
    """Open the newest file of a log, made with its folders if need be, for its owner alone.

    Never waits and follows no link. Raises `NotALogFile` or another `OSError`.
    """
    _make_folder(path.parent)
    return _regular(path, _APPEND)


def open_to_read(path: Path) -> list[int]:
    """Open every file of a log, the newest first; none if there is none."""
    for _ in range(10):
        files = _open_all(path)
        # Two rotations while we opened one file after the other would leave us
        # with one too many, in the wrong place.
        if not files or _same(path, files[0]):
            break
        close(files)
    else:
        files = _open_all(path)
    return files


def close(files: list[int]) -> None:
    """Close what `open_to_read` opened."""
    for file in files:
        os.close(file)


def rotate(path: Path, keep: int, room: int) -> None:
    """Move every file of a log one number up, leaving at most `keep`, of `room` bytes together."""
    for number, place in reversed([(0, path), *_rotated(path)]):
        with suppress(FileNotFoundError):  # somebody cleans at the same time
            if number >= keep:
                place.unlink()
            else:
                place.rename(_numbered(path, number + 1))
    for _, place in _rotated(path):
        with suppress(FileNotFoundError):
            room -= place.stat().st_size
            if room < 0:
                place.unlink()


def files_of(path: Path) -> list[Path]:
    """Return the files of a log that there are, the newest first."""
    return [place for place in (path, *(place for _, place in _rotated(path))) if place.exists()]


def intruders(path: Path) -> list[Path]:
    """Return what has the name of a file of this log, and cannot be one."""
    from taskmux.files import unusable  # msgspec, which nobody needs who only reads

    places = (path, *(place for _, place in _rotated(path)))
    return [place for place in places if unusable(place) is not None]


def remove(path: Path) -> list[Path]:
    """Delete every file of a log; return what is left, such as a folder of that name.

    Whoever writes it goes on in a new one.
    """
    places = [*(place for _, place in reversed(_rotated(path))), path]
    for place in places:
        with suppress(OSError):
            place.unlink()
    return [place for place in places if os.path.lexists(place)]


def _make_folder(folder: Path) -> None:
    # `mkdir(parents=True)` would give its mode to the last folder only.
    for place in (*reversed(folder.parents), folder):
        if not place.exists():
            place.mkdir(mode=0o700, exist_ok=True)


def _regular(path: Path, flags: int) -> int:
    try:
        file = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotALogFile(path) from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotALogFile(path)
    return file


def _open_all(path: Path) -> list[int]:
    files: list[int] = []
    # The newest first: a rotation meanwhile shows us a file twice rather than never.
    for number in _numbers(path):
        try:
            file = _regular(_numbered(path, number), _READ)
        except FileNotFoundError:
            continue
        except OSError:
            close(files)
            raise
        if any(os.path.sameopenfile(file, other) for other in files):
            os.close(file)
        else:
            files.append(file)
    return files


def _same(path: Path, file: int) -> bool:
    # In the middle of a rotation, or where it was deleted, there is none of that very name.
    newest = path if path.exists() else next((place for _, place in _rotated(path)), path)
    try:
        return os.path.samestat(newest.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _numbers(path: Path) -> Iterator[int]:
    """Yield the number of every file, to the end, which each rotation moves on by one."""
    number, last = 0, _last(path)
    while number <= last:
        yield number
        if number == last:
            last = _last(path)
        number += 1


def _last(path: Path) -> int:
    return max((number for number, _ in _rotated(path)), default=0)


def _rotated(path: Path) -> list[tuple[int, Path]]:
    """Return the number and place of each file but the newest, by number."""
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    start = f"{path.name}."
    numbers = (name.removeprefix(start) for name in names if name.startswith(start))
    found = sorted(int(n) for n in numbers if n.isdecimal() and n.isascii() and n[0] != "0")
    return [(number, _numbered(path, number)) for number in found]


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path

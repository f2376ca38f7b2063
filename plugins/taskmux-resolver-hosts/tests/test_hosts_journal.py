from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from taskmux_resolver_hosts.held import Held, hold
from taskmux_resolver_hosts.journal import forget, keep, unfinished

BEFORE, AFTER = b"1\n2\n3\n4\n", b"1\n3\n4\n5\n6\n7\n"
TORN = AFTER[:6] + BEFORE[6:]
BACKUP = ".hosts.taskmux-backup"


@pytest.fixture
def spare(tmp_path: Path) -> Path:
    spare = tmp_path / "spare"
    spare.mkdir()
    return spare


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """Yield a file that was left half written, and had no time for a backup."""
    yield from half_written(tmp_path / "etc")


def half_written(folder: Path) -> Iterator[Held]:
    folder.mkdir()
    (folder / "hosts").write_bytes(TORN)
    with hold(str(folder / "hosts"), 1.0) as held:
        yield held


def test_what_was_before_is_known_until_it_is_forgotten(held: Held, spare: Path) -> None:
    assert unfinished(held, str(spare)) is None
    keep(held, str(spare), BEFORE, AFTER)
    assert unfinished(held, str(spare)) == BEFORE
    forget(held, str(spare))
    assert unfinished(held, str(spare)) is None
    assert not (Path(held.path).parent / BACKUP).exists()


def test_nowhere_to_keep_it_is_no_error(held: Held, tmp_path: Path) -> None:
    (Path(held.path).parent / BACKUP).mkdir()
    keep(held, str(tmp_path / "none"), BEFORE, AFTER)
    assert unfinished(held, str(tmp_path / "none")) is None


@pytest.mark.parametrize("content", [BEFORE, AFTER, TORN + b"8\n", b"", b"mine\n"])
def test_a_file_that_is_whole_or_was_edited_since_is_as_it_is_meant(
    held: Held, content: bytes
) -> None:
    keep(held, None, BEFORE, AFTER)
    Path(held.path).write_bytes(content)
    assert unfinished(held, None) is None


def test_half_a_backup_is_none(held: Held) -> None:
    keep(held, None, BEFORE, AFTER)
    backup = Path(held.path).parent / BACKUP
    whole = backup.read_bytes()
    for size in range(len(whole)):
        backup.write_bytes(whole[:size])
        assert unfinished(held, None) is None
    backup.write_bytes(whole + b"x")
    assert unfinished(held, None) is None


def test_a_backup_of_another_file_is_none(held: Held, spare: Path, tmp_path: Path) -> None:
    (Path(held.path).parent / BACKUP).mkdir()  # so that it goes to the other folder
    keep(held, str(spare), BEFORE, AFTER)
    assert unfinished(held, str(spare)) == BEFORE
    for other in half_written(tmp_path / "other"):
        assert unfinished(other, str(spare)) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to make a file somebody else's")
def test_a_backup_by_somebody_else_is_not_believed(held: Held) -> None:
    keep(held, None, BEFORE, AFTER)
    os.chown(Path(held.path).parent / BACKUP, 65534, 65534)
    assert unfinished(held, None) is None

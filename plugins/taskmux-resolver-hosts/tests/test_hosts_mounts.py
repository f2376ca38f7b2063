from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("hosts_mounts.py")
BOTH = [["127.0.0.1", "::1"]] * 2

Seen = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Return what was found under each kind of mount, the real /etc/hosts untouched."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("mounts of one's own need root, on Linux")
    real = Path("/etc/hosts").read_bytes()
    copy = tmp_path_factory.mktemp("etc")
    subprocess.run(["cp", "-a", "/etc/.", copy], check=True)
    copy.chmod(0o755)
    command = ["unshare", "-m", sys.executable, str(SCRIPT), str(copy)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert Path("/etc/hosts").read_bytes() == real
    assert said.returncode == 0, said.stderr
    answer: Seen = json.loads(said.stdout)
    return answer


def test_names_resolve_once_they_are_written(seen: Seen) -> None:
    assert seen["before"]["found"] == [[], []]
    assert seen["folder"]["found"] == BOTH
    assert (seen["folder"]["trouble"], seen["folder"]["replaceable"]) == ("", True)


def test_a_mounted_file_is_written_in_place(seen: Seen) -> None:
    assert seen["mounted"]["found"] == BOTH
    assert (seen["mounted"]["trouble"], seen["mounted"]["replaceable"]) == ("", False)
    assert "a.taskmux-test" not in seen["mounted"]["hosts"]


def test_so_is_one_in_a_read_only_folder(seen: Seen) -> None:
    assert seen["read-only folder"]["found"] == BOTH
    assert seen["read-only folder"]["trouble"] == ""


def test_a_read_only_file_is_left_alone(seen: Seen) -> None:
    assert seen["mounted read-only"]["found"] == [[], []]
    assert seen["mounted read-only"]["trouble"] == (
        "/etc/hosts cannot be changed: it is on a read-only file system\n"
        'set `host_resolver = "dns_server"`, or "noop" to see to the names yourself'
    )
    assert seen["mounted read-only"]["hosts"] == seen["mounted"]["hosts"]


def test_so_is_a_link_into_a_read_only_store(seen: Seen) -> None:
    [sentence, hint] = seen["store"]["trouble"].splitlines()
    why = "it leads to /etc/store/hosts, and is on a read-only file system"
    assert sentence == f"/etc/hosts cannot be changed: {why}"
    assert '"noop"' in hint
    assert seen["store"]["link"]


def test_the_lines_of_the_user_are_as_they_were_and_nothing_lies_about(seen: Seen) -> None:
    before = seen["before"]["hosts"]
    for kind in ("folder", "mounted", "mounted read-only", "read-only folder"):
        text, _, block = seen[kind]["hosts"].partition("# BEGIN taskmux managed\n")
        assert text == before
        assert block.endswith("# END taskmux managed\n")
        assert seen[kind]["beside"] == []

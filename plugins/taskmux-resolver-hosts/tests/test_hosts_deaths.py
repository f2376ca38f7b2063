from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
"""A disk takes its time to have written: all of this syncs."""

SCRIPT = Path(__file__).with_name("hosts_deaths.py")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to become another user")
def test_whoever_is_killed_leaves_a_file_that_can_be_gone_on_with() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, str(SCRIPT), folder]
        said = subprocess.run(command, capture_output=True, text=True, timeout=55)
    assert said.returncode == 0, said.stderr
    answer = json.loads(said.stdout)
    assert answer["wrong"] == []
    assert answer["deaths"] > 60
    assert answer["torn"] > 0, "the undoing was put to the test"

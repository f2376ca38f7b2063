from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.privileged.machine import Machine, machine


def possible() -> bool:
    """Return whether this machine lets us make others."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    trial = ["unshare", "-m", "-n", "-p", "--fork", "--mount-proc", "true"]
    try:
        return subprocess.run(trial, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="session")
def made() -> None:
    """Skip where there is no root to start as."""
    if not possible():
        pytest.skip("takes root, and namespaces")


@pytest.fixture
def joes(made: None) -> Iterator[Machine]:
    with machine() as found:
        found.write(found.ours / "config.toml", 'api_port = 0\nhost_resolver = "noted"\n')
        yield found

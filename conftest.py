"""What every test here has: a home of its own, and the daemon's event loop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: machines are shared. No database: a run leaves nothing behind. The same examples
# each time: a change is judged by what it does. To look for more: --hypothesis-profile explore
settings.register_profile("taskmux", deadline=None, database=None, derandomize=True)
settings.register_profile("explore", deadline=None, database=None, max_examples=2000)
settings.load_profile("taskmux")

# Who runs the tests in the background of a script has them, and all they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Return the event loop the daemon runs on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(autouse=True)
def names_of_this_machine() -> Iterator[None]:
    """See that no test leaves the system's hosts file other than it was."""
    hosts = Path("/etc/hosts")
    before = hosts.read_bytes()
    yield
    assert hosts.read_bytes() == before


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a temporary `TASKMUX_HOME`, beside which the test runs."""
    monkeypatch.setenv("TASKMUX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TASKMUX_ALLOW_ROOT", "1")  # where there is only root, it is the user
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"

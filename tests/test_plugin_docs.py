from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.hook_reference import BEGIN, PAGE, reference

FILE = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```", re.M | re.S)


def test_the_page_has_what_the_docstrings_say() -> None:
    assert PAGE.read_text().partition(BEGIN)[2].strip() == reference().strip(), (
        "run `python -m tests.hook_reference`"
    )


def test_the_plugin_on_the_page_passes_its_tests(tmp_path: Path) -> None:
    files = FILE.findall(PAGE.read_text())
    assert [name for name, _ in files] == [
        "taskmux_workbench/__init__.py", "taskmux_workbench/heartbeat.py",
        "taskmux_workbench/names_file.py", "tests/test_heartbeat.py", "tests/test_names_file.py",
    ]  # fmt: skip
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "15 passed" in done.stdout

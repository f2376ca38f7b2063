from __future__ import annotations

import configparser
import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from taskmux.daemon.units import launchd, plan, systemd
from taskmux.daemon.units.carry_out import check
from taskmux.daemon.units.mark import ours
from taskmux.daemon.units.systemd import SOCKETS, Service, command_line, quoted
from taskmux.errors import NotInstalled

AWKWARD = [
    "/usr/bin/python3",
    "/home/joe/my projects/python",
    "/home/joe/100%/python",
    "/home/joe/%h/%%/python",
    '/home/joe/"quoted"/python',
    "/home/joe/it's/python",
    "/home/joe/back\\slash/python",
    "/home/joe/\\n/python",
    "/home/joe/$HOME/${HOME}/$$/python",
    "/home/joe/a=b;c/python",
    "/home/joe/tab\there/python",
    "/home/joe/line\nbreak/python",
    "/home/joé/日本/python",
    "/home/joe/#hash/python",
    "/home/joe/trailing \\",
]


def words(line: str) -> list[str]:
    """Return the words systemd makes of a line, as systemd.syntax(7) and its siblings say."""
    found = re.findall(r'"((?:\\.|[^"\\])*)"|([^\s"\']+)', line)
    assert re.sub(r'"(?:\\.|[^"\\])*"|[^\s"\']+|\s', "", line) == "", "nothing is left over"
    return [plain(inner) if inner or not bare else bare.replace("%%", "%") for inner, bare in found]


def plain(inner: str) -> str:
    def letter(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else found[0][1]

    assert not re.search(r"(?<!%)(%%)*%(?!%)", inner), "a lone % is a specifier"
    return re.sub(r"\\x([0-9a-f]{2})|\\.", letter, inner).replace("%%", "%")


class Unit(configparser.RawConfigParser):
    """A unit, read as an INI file: none of a service says the same thing twice."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def parsed(text: str) -> Unit:
    parser = Unit(strict=True, delimiters="=", comment_prefixes="#")
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("path", AWKWARD)
def test_what_is_quoted_comes_out_as_it_went_in(path: str) -> None:
    assert "\n" not in quoted(path)
    assert words(quoted(path)) == [path]
    assert words(f"{quoted(path)} {quoted('x')}") == [path, "x"]


@pytest.mark.parametrize("path", AWKWARD)
def test_the_command_that_systemd_runs_is_the_one_that_is_meant(path: str) -> None:
    line = command_line([path, "-m", "taskmux"])
    assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", line), "a lone $ is a variable"
    found = [word.replace("$$", "$") for word in words(line)]
    if found[0] == path:
        assert found == [path, "-m", "taskmux"]
        assert not re.search("[\"'\\\\$]", path), "no name of a program for systemd"
        return
    assert found[0] == "/bin/sh"
    script, *rest = found[2:]
    shown = subprocess.run(
        ["/bin/sh", "-c", script.replace("exec", "printf '%s\\0'"), *rest],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert shown.stdout.split("\0")[:-1] == [path, "-m", "taskmux"]


def test_a_unit_of_the_user_s_own() -> None:
    text = systemd.service(Service(["/bin/python", "-P"], {"TASKMUX_HOME": "/a b"}))
    unit = parsed(text)
    assert dict(unit["Service"]) == {
        "Type": "notify",
        "ExecStart": "/bin/python -P",
        "Environment": '"TASKMUX_HOME=/a b"',
        "KillMode": "mixed",
        "TimeoutStopSec": "5min",
        "OOMPolicy": "continue",
        "Restart": "on-failure",
        "RestartPreventExitStatus": "2 3",
    }
    assert unit["Install"]["WantedBy"] == "default.target"
    assert "Requires" not in unit["Unit"]
    assert ours(text.encode())


def test_units_of_the_system() -> None:
    places = {"https": ["127.0.0.1:443", "[::1]:443"], "http": []}
    found = plan.of_system("/etc/units", Service(["/bin/python"], {}, "joe"), places, now=True)
    assert [*found.files] == ["/etc/units/taskmux.socket", "/etc/units/taskmux.service"]
    listening, service = found.files.values()
    assert "ListenStream=127.0.0.1:443\nListenStream=[::1]:443\n" in listening
    unit = parsed(service)
    assert (unit["Service"]["User"], unit["Unit"]["Requires"]) == ("joe", "taskmux.socket")
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    enable = ["systemctl", "enable", "--now", "taskmux.socket", "taskmux.service"]
    assert [*map(list, (one.words for one in found.install))][1] == enable
    later = plan.of_system("/etc/units", Service(["/bin/python"], {}, "joe"), places, now=False)
    assert "--now" not in later.install[1].words


@pytest.mark.parametrize("path", [path for path in AWKWARD if path.isprintable()])
def test_a_launchd_agent_says_what_is_meant(path: str) -> None:
    text = launchd.agent([path, "-P"], {"TASKMUX_HOME": path}, "/log")
    document = plistlib.loads(text.encode())
    assert document["ProgramArguments"] == [path, "-P"]
    assert document["EnvironmentVariables"] == {"TASKMUX_HOME": path}
    assert document["KeepAlive"] == {"SuccessfulExit": False}
    assert ours(text.encode())


def test_on_macos_it_is_loaded_for_the_user() -> None:
    found = plan.of_macos("/home/joe", 501, ["/bin/python"], {}, now=True)
    [file] = found.files
    assert file == "/home/joe/Library/LaunchAgents/taskmux.daemon.plist"
    assert [*found.install[-1].words] == ["launchctl", "bootstrap", "gui/501", file]
    later = plan.of_macos("/home/joe", 501, ["/bin/python"], {}, now=False)
    assert (later.files, later.install) == (found.files, [])


@pytest.mark.parametrize("path", ["/home/\x01", "/home/\udcff"])
def test_what_no_property_list_can_say_is_refused(path: str) -> None:
    with pytest.raises(NotInstalled, match="control character, or is not UTF-8"):
        launchd.agent([path], {}, "/log")


def test_a_unit_is_written_as_text(tmp_path: Path) -> None:
    what = Service(["/bin/python"], {"TASKMUX_HOME": "/home/\udcff"})
    with pytest.raises(NotInstalled, match="not UTF-8"):
        check(plan.of_user(str(tmp_path), what, now=True))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="takes systemd-analyze")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "awkward 100% it's $HOME"
    folder.mkdir()
    python = folder / "python"
    python.symlink_to(sys.executable)
    commands = {"plain": sys.executable, "awkward": str(python)}
    for name, path in commands.items():
        place = tmp_path / name
        place.mkdir()
        home = {"TASKMUX_HOME": str(folder)}
        service = Service([path, "-P", "-m", "taskmux", "daemon"], home, "root")
        (place / systemd.SERVICE).write_text(systemd.service(service, [*SOCKETS.values()]))
        for use, unit in SOCKETS.items():
            (place / unit).write_text(systemd.socket(use, ["127.0.0.1:443", "[::1]:443"]))
    units = [str(tmp_path / "plain" / unit) for unit in (*SOCKETS.values(), systemd.SERVICE)]
    for verified in ([*units], [str(tmp_path / "awkward" / systemd.SERVICE)]):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--recursive-errors=no", *verified],
            capture_output=True,
            text=True,
            env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

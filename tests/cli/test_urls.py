"""Commands about URLs and aliases, and what people see of them."""

from __future__ import annotations

import json
import os
import select
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from taskmux import wire
from taskmux.cli import tables
from taskmux.cli.browser import missing, show
from tests.cli.conftest import EVIL, SHOWN, FakeDaemon, Taskmux, refusal, status, task
from tests.cli.test_tables import draw

pytestmark = pytest.mark.usefixtures("config")

URL = "https://api.shop.localhost:8443"
API = wire.UrlReport(name="api", url=URL, host="api", port=23417, public_url=None)
FACTS = {"name": "api", "url": URL, "host": "api", "port": 23417, "public_url": None}


def alias(name: str = "admin", **changes: Any) -> wire.AliasReport:
    fields: dict[str, Any] = {
        "host": name,
        "port": 8080,
        "url": f"https://{name}.shop.localhost:8443",
        "target": "127.0.0.1:8080",
        "shadowed_by": None,
    }
    return wire.AliasReport(name=name, **(fields | changes))


def test_one_url_is_one_line(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["url"] = API
    outcome = taskmux("url", "api")
    assert (outcome.status, outcome.out, outcome.err) == (0, f"{URL}\n", "")
    assert daemon.params["name"] == "api"
    assert taskmux("url", "api", "--json").document == FACTS


def test_all_urls_stand_below_each_other(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    rest = wire.FoundUrl(name="tenants", url=None, host="*", port=1, public_url=None)
    api = wire.FoundUrl(name="api", url=URL, host="api", port=23417, public_url=None)
    daemon.answers["url"] = wire.UrlsReport(session="shop", urls=[api, rest])
    assert taskmux("url").out == f"api      {URL}\ntenants  *.shop.localhost\n"
    daemon.answers["url"] = wire.UrlsReport(session="shop", urls=[])
    assert taskmux("url").out == "No URLs: no task has a host, and there is no alias\n"
    assert taskmux("url", "--json").document == {"session": "shop", "urls": []}


def test_why_there_is_no_url(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["url"] = refusal("E503", "api has no URL: there is no proxy", "see doctor")
    for command in ("url", "open"):
        outcome = taskmux(command, "api", BROWSER="true")
        assert outcome.status == 1
        assert outcome.err == "Error [E503]: api has no URL: there is no proxy\nhint: see doctor\n"


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """Return a browser that writes down what it is given, and prints a lot."""
    script = tmp_path / "browser"
    script.write_text(
        f'#!/bin/sh\necho noise; echo noise >&2\nprintf "%s\\n" "$@" > {tmp_path}/seen\n'
        f'printf "%s\\n" "$TERM" > {tmp_path}/term\n'
    )
    script.chmod(0o700)
    return script


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("", [URL]),
        (" --new %s", ["--new", URL]),
        (" 'one word' %s%s %d", ["one word", URL + URL, "%d"]),
        (" $(touch hit) ;touch hit; %s", ["$(touch", "hit)", ";touch", "hit;", URL]),
    ],
)
def test_a_url_is_opened_in_the_browser_of_the_user(
    daemon: FakeDaemon,
    taskmux: Taskmux,
    browser: Path,
    words: str,
    seen: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    daemon.answers["url"] = API
    outcome = taskmux("open", "api", "--json", BROWSER=f"{browser}{words}", TERM="xterm")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.document == FACTS | {"ok": True}
    assert (browser.parent / "seen").read_text().splitlines() == seen
    assert (browser.parent / "term").read_text() == "\n"
    assert not (browser.parent / "hit").exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("chosen", ["/nowhere/browser", "false", "'%s", "/bin/sh -c 'exit 3' %s"])
def test_a_browser_that_fails_leaves_the_url(
    daemon: FakeDaemon, taskmux: Taskmux, chosen: str
) -> None:
    daemon.answers["url"] = API
    outcome = taskmux("open", "api", BROWSER=chosen, DISPLAY="", WAYLAND_DISPLAY="", PATH="/bin")
    assert (outcome.status, outcome.out) == (1, f"{URL}\n")
    assert outcome.err == (
        f"Error [E508]: $BROWSER, which is {chosen!r}, failed\n"
        "hint: open the URL yourself, or name a browser in $BROWSER\n"
    )


def test_a_browser_that_stays_open_is_the_user_s(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    reader = os.open(told, os.O_RDONLY | os.O_NONBLOCK)
    try:
        browser = f"/bin/sh -c 'echo $$ >{told}; exec sleep 1000' %s"
        assert show(URL, {"BROWSER": browser}, patience=0.3) is None
        assert select.select([reader], [], [], 20)[0]
        pid = int(os.read(reader, 100))
        assert os.getsid(pid) != os.getsid(0)  # no Ctrl-C of ours reaches it
        handle = os.pidfd_open(pid)
        assert not select.select([handle], [], [], 0)[0]
        os.kill(pid, signal.SIGKILL)
        assert select.select([handle], [], [], 10)[0]
        os.close(handle)
    finally:
        os.close(reader)


def test_without_a_display_the_url_is_what_there_is(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["url"] = API
    nothing = {"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    outcome = taskmux("open", "api", "--json", **nothing)
    assert outcome.status == 1
    assert outcome.document == FACTS | {
        "ok": False,
        "error": "there is no display for a browser",
        "error_code": "E508",
        "hint": "open the URL yourself, or name a browser in $BROWSER",
    }
    assert outcome.err == ""


@pytest.mark.parametrize(
    ("environ", "platform", "why"),
    [
        ({"BROWSER": "x"}, "linux", None),
        ({"BROWSER": "x", "SSH_TTY": "x"}, "darwin", None),
        ({"DISPLAY": ":0"}, "linux", None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", None),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "x"}, "linux", None),
        ({}, "darwin", None),
        ({"DISPLAY": "", "BROWSER": ""}, "linux", "there is no display for a browser"),
        ({"SSH_TTY": "x"}, "linux", "there is no display for a browser in this SSH session"),
        (
            {"SSH_CONNECTION": "x"},
            "darwin",
            "there is no browser at this end of the SSH session",
        ),
    ],
)
def test_whether_there_may_be_a_browser(
    environ: dict[str, str], platform: str, why: str | None
) -> None:
    assert missing(environ, platform) == why


def test_an_alias_is_added_and_removed(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    facts: dict[str, Any] = {"session": "shop", "alias": "admin", "host": "boss", "port": 8080}
    url = "https://boss.shop.localhost"
    daemon.answers["alias_add"] = wire.AliasChange(**facts, action="added", url=url)
    outcome = taskmux("alias", "add", "admin", "8080", "--host", "boss")
    assert outcome.out == f"✓ admin added: {url} → 127.0.0.1:8080\n"
    asked = {name: daemon.params[name] for name in ("name", "port", "host")}
    assert asked == {"name": "admin", "port": 8080, "host": "boss"}
    daemon.answers["alias_remove"] = wire.AliasChange(**facts, action="removed", url=None)
    assert taskmux("alias", "remove", "admin").out == "✓ admin removed\n"
    assert taskmux("alias", "remove", "admin", "--json").document == {
        "ok": True, **facts, "action": "removed", "url": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["admin"], "PORT is missing"),
        (["admin", "http"], "PORT: 'http' is not a whole number"),
        (["admin", "0"], "PORT: 0 is not from 1 to 65535"),
        (["admin", "65536"], "PORT: 65536 is not from 1 to 65535"),
    ],
)
def test_what_is_no_port_never_reaches_the_daemon(
    daemon: FakeDaemon, taskmux: Taskmux, words: list[str], said: str
) -> None:
    outcome = taskmux("alias", "add", *words, "--json")
    assert (outcome.status, outcome.document["error_code"]) == (2, "E801")
    assert said in outcome.document["error"]
    assert not daemon.asked


def test_aliases_are_listed(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    rows = [alias(), alias("rest", host="*", url=None), alias("x", url=None, shadowed_by="web")]
    daemon.answers["alias_list"] = wire.AliasesReport(session="shop", aliases=rows)
    assert taskmux("alias", "list").out.splitlines() == [
        "Name   URL                                Target",
        "admin  https://admin.shop.localhost:8443  127.0.0.1:8080",
        "rest   *.shop.localhost                   127.0.0.1:8080",
        "x      —                                  127.0.0.1:8080",
        "  └ shadowed: task web has its host",
    ]
    daemon.answers["alias_list"] = wire.AliasesReport(session="shop", aliases=[])
    assert taskmux("alias", "list").out == "No aliases yet: taskmux alias add admin 8080\n"
    assert json.loads(taskmux("--json", "alias", "list").out) == {"session": "shop", "aliases": []}


@pytest.mark.parametrize("width", [40, 80, 200])
def test_status_has_a_table_of_aliases(width: int) -> None:
    report = status(task("api"), aliases=[alias(), alias("x", url=None, shadowed_by=EVIL)])
    drawn = draw(report, width)
    at = drawn.index("Aliases (external routes):")
    assert drawn[at + 1].split()[0::2] in (["Name", "Target"], ["Name"])
    assert "127.0.0.1:8080" in drawn[at + 2]
    assert SHOWN in "\n".join(drawn)
    assert max(cell_len(line) for line in drawn) <= width
    assert "Aliases" not in "\n".join(draw(status(task("api")), width))


OTHER = wire.ProxyReport(
    True, 8443, "port 443 may not be bound", "`sudo taskmux daemon restart` to have port 443"
)


def test_a_proxy_elsewhere_is_told_once_and_only_where_somebody_has_a_host() -> None:
    said = "Proxy on 8443: port 443 may not be bound; `sudo taskmux daemon restart` to have port"
    tasks = [task("api", host="api", url=URL), task("web", host="@", url=URL)]
    lines = draw(status(*tasks, proxy=OTHER), 200)
    assert [line for line in lines if "8443:" in line] == [f"{said} 443"]
    assert said in " ".join(draw(status(*tasks, proxy=OTHER), 80))
    assert said in " ".join(draw(status(task("api"), aliases=[alias()], proxy=OTHER), 200))
    assert "Proxy on" not in "\n".join(draw(status(task("api"), proxy=OTHER), 200))
    assert "proxy" not in "\n".join(draw(status(*tasks), 200)).lower()


def test_a_task_that_is_not_reached_says_so_shortly_and_why_not_once() -> None:
    lost = wire.LastHealth(False, "proxy", "no proxy: no certificates", "2024-01-01T14:00:00.000Z")
    down = wire.ProxyReport(False, None, "no certificates", "run something")
    one = task("api", host="api", healthy=False, last_health=lost)
    lines = draw(status(one, proxy=down), 200)
    assert lines[3].startswith("● Running  api   http://127.0.0.1:23417")
    assert lines[3].endswith(tables.UNREACHED)
    assert "No proxy: no certificates; run something" in lines
    elsewhere = wire.LastHealth(False, "proxy", "the host api leads to web", lost.at)
    drawn = draw(status(task("api", host="api", url=URL, last_health=elsewhere, healthy=False)), 80)
    assert any("the host api leads to web" in line for line in drawn)


def test_a_task_for_all_names_shows_which() -> None:
    assert "*.shop.localhost" in draw(status(task("api", host="*")), 200)[3]

"""What tasks are told of who signs for them."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from tests.e2e.site import QUIET, Site

TASKS = """
[tasks.web]
command = "test -s \\"$NODE_EXTRA_CA_CERTS\\" && echo \\"told $NODE_EXTRA_CA_CERTS\\""
type = "oneshot"
{host}
"""


def proxied(site: Site) -> None:
    quiet = QUIET.replace("proxy_enabled = false", "proxy_enabled = true")
    free = "proxy_https_port = 0\nproxy_http_redirect_port = 0\n"
    (site.home / "config.toml").write_text(quiet + free)


def test_the_first_start_of_the_first_task_with_a_name_is_told(site: Site) -> None:
    proxied(site)
    site.write(TASKS.format(host='host = "web"'))
    assert site.ask("start")["results"][0]["state"] == "completed"
    root = site.home / "ca" / "root.pem"
    assert site.lines("web") == [f"told {root}"]
    key = root.with_name("issuer-key.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("proxy", [True, False])
def test_nobody_signs_where_nothing_has_a_name(site: Site, proxy: bool) -> None:
    if proxy:
        proxied(site)
        site.write(TASKS.format(host=""))
    else:
        site.write(TASKS.format(host='host = "web"'))
    assert site.call("start")[0] == 1
    assert not (site.home / "ca").exists()


def test_cleaning_a_project_deletes_what_was_minted_for_it(site: Site) -> None:
    site.write(TASKS.format(host=""))
    site.call("start")
    made = Path(site.ask("ca", "mint")["certificate"])
    other = Path(site.ask("ca", "mint", "other.localhost")["certificate"])
    planned = site.ask("clean", "--dry-run")["removed"]
    assert str(made.parent) in [one["path"] for one in planned]
    site.ask("clean")
    assert not made.parent.exists()
    assert other.exists()
    shutil.rmtree(other.parent)

"""Aliases and URLs, as they are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from taskmux.routes import Urls
from taskmux.settings import Settings
from taskmux.wire import ProxyReport
from tests.api.place import Place, open_place
from tests.projects.estate import make_services, write

TASKS = """
[tasks.api]
command = "exec sleep 1000"
host = "api"
health_probe = "alive"
[tasks.rest]
command = "true"
host = "*"
[tasks.worker]
command = "exec sleep 1000"
"""

UP = ProxyReport(bound=True, port=8443, reason="on port 8443")
DOWN = ProxyReport(False, None, "port 443 is taken", "look who has it")


@dataclass
class Site:
    place: Place
    path: Path
    proxy: ProxyReport = field(default_factory=lambda: UP)

    async def ask(self, command: str, **params: object) -> dict[str, Any]:
        return await self.place.ask(command, config=str(self.path), **params)

    async def refused(self, command: str, **params: object) -> tuple[str, str, str | None]:
        answer = await self.ask(command, **params)
        assert not answer["ok"], answer
        return answer["error"], answer["message"], answer["hint"]

    async def tasks(self) -> dict[str, Any]:
        return {task["name"]: task for task in (await self.ask("status"))["tasks"]}


@asynccontextmanager
async def open_site(home: Path, settings: Settings | None = None) -> AsyncIterator[Site]:
    services = replace(make_services(home), urls=Urls(8443), settings=settings or Settings())
    path = write(home.parent / "shop", TASKS)
    sites: list[Site] = []
    async with open_place(services, lambda: sites[0].proxy) as place:
        sites.append(Site(place, path))
        yield sites[0]


@pytest.fixture
async def site(home: Path) -> AsyncIterator[Site]:
    async with open_site(home) as site:
        yield site


ADMIN = {
    "name": "admin",
    "host": "admin",
    "url": "https://admin.shop.localhost:8443",
    "target": "127.0.0.1:8080",
    "port": 8080,
    "shadowed_by": None,
}


async def test_an_alias_comes_is_listed_and_goes(site: Site) -> None:
    answer = await site.ask("alias_add", name="admin", port=8080)
    assert answer == {
        "command": "alias_add",
        "ok": True,
        "session": "shop",
        "alias": "admin",
        "action": "added",
        "host": "admin",
        "port": 8080,
        "url": "https://admin.shop.localhost:8443",
    }
    again = await site.ask("alias_add", name="admin", port=8080, host="admin")
    assert again == answer | {"action": "already_added"}
    apex = await site.ask("alias_add", name="home", port=9090, host="@")
    assert apex["url"] == "https://shop.localhost:8443"
    listed = await site.ask("alias_list")
    assert listed["aliases"][0] == ADMIN
    assert (await site.ask("status"))["aliases"] == listed["aliases"]
    gone = await site.ask("alias_remove", name="admin")
    assert (gone["action"], gone["host"], gone["port"], gone["url"]) == (
        "removed", "admin", 8080, None,
    )  # fmt: skip
    assert await site.refused("alias_remove", name="hom") == (
        "unknown_alias", "no alias named 'hom'", "did you mean 'home'?",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        ({"name": "Admin", "port": 1}, "bad_request", "NAME: 'Admin' cannot be part of a host"),
        ({"name": "@", "port": 1}, "bad_request", "NAME: '@' cannot be part of a host"),
        ({"name": "", "port": 1}, "bad_request", "NAME: it is empty"),
        ({"name": "a.b", "port": 1}, "bad_request", "NAME: 'a.b' cannot be"),
        ({"name": "a" * 64, "port": 1}, "bad_request", "NAME: 'aaa"),
        ({"name": "a", "port": 0}, "bad_request", "PORT: "),
        ({"name": "a", "port": 65536}, "bad_request", "PORT: "),
        ({"name": "a", "port": "80"}, "bad_request", ""),
        ({"name": "a", "port": 1, "host": "a.b"}, "bad_request", "--host: 'a.b' cannot be"),
        ({"name": "a", "port": 1, "host": "api"}, "alias_clash", "alias 'a' cannot be added: task"),
        ({"name": "a", "port": 1, "host": "*"}, "alias_clash", "alias 'a' cannot be added: task r"),
        ({"name": "a", "port": 8443}, "own_port", "the proxy of taskmux listens on port 8443"),
    ],
)
async def test_what_cannot_be_an_alias(
    site: Site, params: dict[str, object], error: str, said: str
) -> None:
    found, message, _ = await site.refused("alias_add", **params)
    assert found == error
    assert message.startswith(said)
    assert (await site.ask("alias_list"))["aliases"] == []


async def test_a_task_that_comes_later_has_the_host(site: Site) -> None:
    await site.ask("alias_add", name="admin", port=8080)
    site.path.write_text(f'name = "shop"\n{TASKS}[tasks.boss]\ncommand = "true"\nhost = "admin"\n')
    await site.ask("reload")
    shadowed = ADMIN | {"url": None, "shadowed_by": "boss"}
    assert (await site.ask("status"))["aliases"] == [shadowed]
    assert await site.refused("url", name="admin") == (
        "no_url",
        "admin has no URL: task boss has its host",
        "see boss, or run `taskmux alias remove admin`, and add it with another --host",
    )
    await site.ask("remove", task="boss")
    assert (await site.ask("status"))["aliases"] == [ADMIN]


async def test_where_a_name_is_found(site: Site) -> None:
    await site.ask("alias_add", name="admin", port=8080)
    api = await site.ask("url", name="api")
    port = (await site.tasks())["api"]["port"]
    url = "https://api.shop.localhost:8443"
    facts = {"name": "api", "url": url, "host": "api", "port": port, "public_url": None}
    assert api == {"command": "url", "ok": True, **facts}
    assert (await site.ask("url", name="admin"))["port"] == 8080
    every = await site.ask("url")
    assert [(one["name"], one["url"]) for one in every["urls"]] == [
        ("api", url),
        ("rest", None),
        ("admin", ADMIN["url"]),
    ]
    assert await site.refused("url", name="worker") == (
        "no_url",
        "worker has no URL: it has no host",
        'give it one in taskmux.toml: `host = "worker"` in [tasks.worker]',
    )
    assert (await site.refused("url", name="rest"))[2] == (
        "it answers for any, as https://anything.shop.localhost:8443"
    )
    assert (await site.refused("url", name="wroker"))[0::2] == (
        "task_not_found", "did you mean 'worker'?",
    )  # fmt: skip
    assert (await site.refused("url", name="admim"))[2] == "did you mean 'admin'?"
    site.proxy = DOWN
    for name in ("api", "admin", None):
        _, message, hint = await site.refused("url", name=name)
        assert message.endswith(" has no URL: there is no proxy: port 443 is taken")
        assert hint == "look who has it"


async def test_a_change_of_the_proxy_shows_at_the_next_look(site: Site) -> None:
    await site.ask("start", tasks=["api", "worker"])
    assert (await site.tasks())["api"]["healthy"]
    site.proxy = DOWN
    tasks = await site.tasks()
    lost = tasks["api"]
    assert (lost["healthy"], lost["state"], lost["url"]) == (False, "running", None)
    health = lost["last_health"]
    assert (health["ok"], health["method"]) == (False, "proxy")
    assert health["reason"] == "no proxy: port 443 is taken"
    assert tasks["worker"]["healthy"]
    assert (await site.ask("inspect", task="api"))["task"]["last_health"]["method"] == "proxy"
    report = await site.ask("health")
    assert (report["healthy_count"], report["tasks"][0]["method"]) == (1, "proxy")
    site.proxy = UP
    assert (await site.tasks())["api"]["healthy"]


async def test_who_switched_the_proxy_off_has_healthy_tasks_without_urls(home: Path) -> None:
    async with open_site(home, Settings(proxy_enabled=False)) as site:
        site.proxy = ProxyReport(False, None, "proxy_enabled is false in config.toml")
        await site.ask("start", task="api")
        task = (await site.tasks())["api"]
        assert (task["healthy"], task["url"]) == (True, None)
        assert (await site.ask("health"))["healthy_count"] == 1


async def test_clean_takes_aliases_along_and_says_so(site: Site, home: Path) -> None:
    await site.ask("alias_add", name="admin", port=8080)
    assert (await site.ask("clean", dry_run=True))["aliases"] == ["admin"]
    assert (await site.ask("clean", only="logs"))["aliases"] == []
    assert (await site.ask("alias_list"))["aliases"] == [ADMIN]
    assert (await site.ask("clean"))["aliases"] == ["admin"]
    assert not (home / "projects" / "shop").exists()
    assert (await site.ask("alias_list"))["aliases"] == []


async def test_a_proxy_that_the_network_reaches_is_told_once(home: Path) -> None:
    async with open_site(home, Settings(proxy_bind="0.0.0.0")) as site:
        said = "the proxy is open to the network: proxy_bind is 0.0.0.0"
        assert (await site.ask("status"))["warnings"] == [said]
        site.path.write_text('name = "shop"\n')
        await site.ask("reload")
        assert (await site.ask("status"))["warnings"] == []

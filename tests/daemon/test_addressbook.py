"""Who is behind a name, of tasks and of aliases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from taskmux.daemon.addressbook import Addressbook, Redirects
from taskmux.projects import Project, Projects
from taskmux.proxy.directory import Absence, Target
from taskmux.routes import Urls
from taskmux.store import Alias
from tests.projects.estate import make_services, write

API = '[tasks.api]\ncommand = "exec sleep 1000"\nhost = "api"\nhealth_probe = "alive"\n'
ADMIN = Alias(port=8080, host="admin")


@dataclass
class Town:
    projects: Projects
    project: Project
    book: Addressbook

    def leads(self, host: str) -> tuple[int, str, bool] | str:
        """Return the port, the name and whether it is an alias, or the code of an absence."""
        found = self.book.find(host)
        if isinstance(found, Absence):
            return found.code
        return found.port, found.name, found.alias


@pytest.fixture
async def town(home: Path) -> AsyncIterator[Town]:
    with anyio.fail_after(30):
        async with Projects.open(make_services(home)) as projects:
            project, _ = await projects.register(write(home.parent / "shop", API))
            await project.opened().start(["api"])
            yield Town(projects, project, Addressbook(projects, Urls(8443)))


async def test_names_lead_to_tasks_and_to_aliases(town: Town) -> None:
    port = town.project.opened().crew["api"].port
    assert town.leads("api.shop.localhost") == (port, "api", False)
    assert town.leads("admin.shop.localhost") == "unknown_host"
    town.project.aliases.add("admin", ADMIN, {})
    assert town.leads("admin.shop.localhost") == (8080, "admin", True)
    assert town.leads("x.shop.localhost") == "unknown_host"
    assert town.leads("shop.localhost") == "unknown_host"
    town.project.aliases.add("rest", Alias(port=3000, host="*"), {})
    town.project.aliases.add("home", Alias(port=3001, host="@"), {})
    assert town.leads("a.b.shop.localhost") == (3000, "rest", True)
    assert town.leads("shop.localhost") == (3001, "home", True)
    assert town.leads("admin.other.localhost") == "unknown_host"
    town.project.aliases.remove("admin")
    assert town.leads("admin.shop.localhost") == (3000, "rest", True)


async def test_a_task_of_the_same_host_goes_before_an_alias(town: Town) -> None:
    town.project.aliases.add("admin", ADMIN, {})
    write(town.project.path.parent, API + API.replace("api", "admin"))
    await town.projects.reload(town.project)
    assert town.leads("admin.shop.localhost") == "task_down"


async def test_where_nobody_listens_an_alias_is_named(town: Town) -> None:
    found = town.book.absent(Target(8080, "shop", "admin", alias=True), "refused")
    assert (found.status, found.code, found.retry) == (503, "alias_down", True)
    assert found.why == "the alias admin leads to port 8080: refused"
    assert found.facts == {
        "session": "shop", "alias": "admin", "state": "alias", "reason": "refused", "port": 8080,
    }  # fmt: skip


async def test_who_asks_for_nobody_is_told_of_aliases(town: Town) -> None:
    town.project.aliases.add("admin", ADMIN, {})
    found = town.book.find("x.shop.localhost")
    assert isinstance(found, Absence)
    assert found.facts["urls"] == [
        "https://api.shop.localhost:8443", "https://admin.shop.localhost:8443",
    ]  # fmt: skip


async def test_aliases_lead_on_where_taskmux_toml_cannot_be_read(home: Path) -> None:
    path = write(home.parent / "shop", "")
    services = make_services(home)
    with anyio.fail_after(30):
        async with Projects.open(services) as projects:
            project, _ = await projects.register(path)
            project.aliases.add("admin", ADMIN, {})
            project.aliases.add("rest", Alias(port=3000, host="*"), {})
        path.write_text("no toml")
        async with Projects.open(services) as projects:
            town = Town(projects, projects.find("shop"), Addressbook(projects, Urls(8443)))
            assert town.leads("admin.shop.localhost") == (8080, "admin", True)
            # It may be a task's, which nobody knows of just now.
            assert town.leads("api.shop.localhost") == "project_down"


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("api.shop.localhost", "https://api.shop.localhost:8443"),
        ("admin.shop.localhost", "https://admin.shop.localhost:8443"),
        ("other.shop.localhost", None),
        ("evil.example", None),
        ("evil.example/.shop.localhost", None),
    ],
)
async def test_only_those_who_ask_for_a_name_that_is_known_are_led_to_https(
    town: Town, host: str, location: str | None
) -> None:
    town.project.aliases.add("admin", ADMIN, {})
    found = Redirects(town.book).find(host)
    assert (found.status, found.location) == (307 if location else 404, location)

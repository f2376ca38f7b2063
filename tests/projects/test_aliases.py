"""A project's aliases: who may be one, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from taskmux import paths
from taskmux.errors import AliasClash, NotWritten, UnknownAlias
from taskmux.projects.aliases import added
from taskmux.store import Alias
from taskmux.supervisor import Services
from tests.projects.conftest import Opened
from tests.projects.estate import no_more_files, write

ADMIN = Alias(port=8080, host="admin")
REST = Alias(port=3000, host="*")


@pytest.mark.parametrize(
    ("name", "alias", "why"),
    [
        ("admin", Alias(port=8081, host="admin"), "there is one, of host 'admin' and port 8080"),
        ("admin", Alias(port=8080, host="boss"), "there is one, of host 'admin' and port 8080"),
        ("boss", ADMIN, "alias admin has the host 'admin'"),
        ("other", REST, "alias rest has the host '*'"),
        ("home", Alias(port=1, host="@"), "task web has the host '@'"),
        ("api", Alias(port=1, host="api"), "task api has the host 'api'"),
    ],
)
def test_an_alias_that_clashes_is_refused(name: str, alias: Alias, why: str) -> None:
    known = {"admin": ADMIN, "rest": REST}
    with pytest.raises(AliasClash, match="cannot be added") as caught:
        added(known, name, alias, {"@": "web", "api": "api"})
    assert str(caught.value).endswith(why)


def test_the_same_again_changes_nothing_even_if_a_task_has_its_host() -> None:
    known = {"admin": ADMIN}
    assert added(known, "admin", ADMIN, {"admin": "task"}) is known
    assert added(known, "api", Alias(port=1, host="api"), {}) == {**known, "api": Alias(1, "api")}


async def test_aliases_outlast_the_daemon_and_follow_the_project(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", "")
    async with opened() as (projects, ear):
        project, _ = await projects.register(path)
        assert project.aliases.add("admin", ADMIN, {})
        assert not project.aliases.add("admin", ADMIN, {})
        [event] = ear.kinds("alias_added")
        assert (event["session"], event["alias"], event["host"], event["port"]) == (
            "shop", "admin", "admin", 8080,
        )  # fmt: skip
        write(path.parent, "", "store")
        await projects.reload(project)
        project.aliases.add("rest", REST, {})
    assert paths.aliases(services.home, "store").stat().st_mode & 0o777 == 0o600
    async with opened() as (projects, ear):
        aliases = projects.find("store").aliases
        assert aliases.known == {"admin": ADMIN, "rest": REST}
        assert aliases.remove("admin") == ADMIN
        assert ear.kinds("alias_removed")[0]["alias"] == "admin"
        with pytest.raises(UnknownAlias):
            aliases.remove("admin")
        # Somewhere else, with the folder it had gone.
        path.parent.rename(tmp_path / "moved")
        moved, action = await projects.register(tmp_path / "moved" / "taskmux.toml")
        assert (action, moved.aliases.known) == ("moved", {"rest": REST})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"admin": {"port": 0, "host": "admin"}}',
        '{"admin": {"port": 65536, "host": "admin"}}',
        '{"admin": {"port": 80, "host": "a.b"}}',
        '{"admin": {"port": 80, "host": "a\\n"}}',
        '{"../x": {"port": 80, "host": "x"}}',
        '{"admin": {"port": "80", "host": "x"}}',
    ],
)
async def test_a_damaged_file_is_set_aside(
    opened: Opened, services: Services, tmp_path: Path, content: str
) -> None:
    file = paths.aliases(services.home, "shop")
    file.parent.mkdir(parents=True)
    file.write_text(content)
    async with opened() as (projects, ear):
        project, _ = await projects.register(write(tmp_path / "shop", ""))
        assert project.aliases.known == {}
        [event] = ear.kinds("state_damaged")
        aside = anyio.Path(event["path"])
        assert project.aliases.add("admin", ADMIN, {})
    assert await aside.read_text() == content


async def test_what_cannot_be_written_is_not_so(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, ear):
        project, _ = await projects.register(write(tmp_path / "shop", ""))
        project.aliases.add("admin", ADMIN, {})
        with no_more_files(), pytest.raises(NotWritten):
            project.aliases.add("rest", REST, {})
        with no_more_files(), pytest.raises(NotWritten):
            project.aliases.remove("admin")
        assert project.aliases.known == {"admin": ADMIN}
        assert len(ear.kinds("alias_added", "alias_removed")) == 1


async def test_an_unregistered_project_keeps_them_for_when_it_comes_back(
    opened: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", "")
    async with opened() as (projects, _):
        project, _ = await projects.register(path)
        project.aliases.add("admin", ADMIN, {})
        await projects.unregister("shop")
        project, _ = await projects.register(path)
        assert project.aliases.known == {"admin": ADMIN}

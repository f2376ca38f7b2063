from __future__ import annotations

import pytest

from taskmux.errors import InvalidToml, InvalidValue, TaskExists, TaskNotFound, UnknownDependency
from taskmux.project import TaskConfig, parse
from taskmux.project.edit import add_task, remove_task, set_value

TEXT = '''\
# The shop.
name = "shop"   # short

# Answers the browser.
[tasks.web]
command = """
bun dev \\
  --port $PORT
"""
depends_on = [
  "db",   # orders
]
# cwd = "apps/web"

[tasks.web.hooks]
before_start = "true"

# Holds the orders.
[tasks.db]
command = 'postgres'

# Nothing below is about tasks.

[tunnel.cloudflare]
zone_id = "z"
'''

ADDED = """\
[tasks."build:css"]
command = "npm run \\"build:css\\""
host = "css"
auto_start = false
depends_on = ["db"]
env = { A = "b" }

"""


def test_a_task_is_added_behind_the_last_one() -> None:
    table = {
        "command": 'npm run "build:css"',
        "host": "css",
        "auto_start": False,
        "depends_on": ("db",),
        "cwd": None,
        "env": {"A": "b"},
    }
    after = add_task(TEXT, "build:css", table)
    place = TEXT.index("# Nothing below")
    assert after == TEXT[:place] + ADDED + TEXT[place:]
    assert list(parse(after, "x").tasks) == ["web", "db", "build:css"]


def test_a_task_that_is_there_is_never_overwritten() -> None:
    with pytest.raises(TaskExists):
        add_task(TEXT, "db", {"command": "mysql"})


def test_a_removed_task_takes_its_hooks_and_comments_along() -> None:
    start, end = TEXT.index("# Answers"), TEXT.index("# Holds")
    assert remove_task(TEXT, "web") == TEXT[:start] + TEXT[end:]


def test_adding_and_removing_leaves_the_file_as_it_was() -> None:
    assert remove_task(add_task(TEXT, "x", {"command": "y"}), "x") == TEXT


def test_removing_what_others_need_shows_when_the_result_is_read() -> None:
    after = remove_task(TEXT, "db")
    with pytest.raises(UnknownDependency):
        parse(after, "taskmux.toml")


def test_a_task_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(TaskNotFound) as caught:
        remove_task(TEXT, "wep")
    assert caught.value.hint == "did you mean 'web'?"
    with pytest.raises(TaskNotFound):
        remove_task("", "web")


@pytest.mark.parametrize("text", ["", "name = 'x'", "# c", "[tasks]", "tasks = {}", "name='x'\r\n"])
def test_the_first_task_of_any_file(text: str) -> None:
    after = add_task(text, "a", {"command": "true"})
    assert after.startswith(text.removesuffix("{}"))
    assert parse(after, "x").tasks == {"a": TaskConfig("a", "true")}


def test_a_file_that_is_no_toml_is_not_edited() -> None:
    with pytest.raises(InvalidToml):
        add_task("[tasks.a", "b", {})
    with pytest.raises(InvalidToml):
        remove_task("[tasks.a", "a")


def test_a_value_of_a_task_is_set_in_place() -> None:
    after = set_value(TEXT, "tasks.db.tunnel", "cloudflare")
    assert after == TEXT.replace("'postgres'\n", "'postgres'\ntunnel = \"cloudflare\"\n")
    assert set_value(TEXT, "name", "store") == TEXT.replace('"shop"', '"store"')


@pytest.mark.parametrize("key", ["", "a b", "name.x"])
def test_a_key_that_leads_nowhere_is_refused(key: str) -> None:
    with pytest.raises(InvalidValue):
        set_value(TEXT, key, 1)

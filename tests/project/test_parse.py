from __future__ import annotations

import pytest

from taskmux.lifecycle import Hook, Restart
from taskmux.project import Condition, ProjectConfig, TaskConfig, parse, resolved

EXAMPLE = """
name = "example"

[tasks.api]
command = "uv run api --port $PORT" # the port is ours to choose
cwd = "api"
host = "api"
env = { LOG_LEVEL = "debug" }

[tasks.website]
command = "npm run dev -- --port $PORT"
cwd = "web"
host = "@"
depends_on = ["api"]
restart_policy = "always"

[tasks.worker]
command = "uv run worker"
depends_on = ["api"]
restart_policy = "on-failure"
max_restarts = 10

[tasks.db]
command = "docker compose up postgres"
auto_start = false
health_check = "pg_isready -h localhost -p 5432"
stop_grace_period = 15
"""

MINIMAL = """
name = "myproject"

[tasks.server]
command = "npm run dev"

[tasks.build]
command = "npm run build:watch"

[tasks.db]
command = "docker compose up postgres"
auto_start = false
"""

FULL_STACK = """
name = "fullstack-app"

[tasks.db]
command = "docker compose up postgres redis"
health_check = "pg_isready -h localhost -p 5432"
health_interval = 3

[tasks.migrate]
command = "python manage.py migrate && echo done && sleep infinity"
cwd = "apps/api"
depends_on = ["db"]
health_check = "test -f .migrate-complete"

[tasks.api]
command = "python manage.py runserver 0.0.0.0:$PORT"
cwd = "apps/api"
host = "api"
depends_on = ["migrate"]
health_check = "curl -sf https://api.fullstack-app.localhost/health"
stop_grace_period = 10

[tasks.worker]
command = "celery -A myapp worker -l info"
cwd = "apps/api"
depends_on = ["db"]
restart_policy = "always"
max_restarts = 10
restart_backoff = 3.0

[tasks.web]
command = "bun dev --port $PORT"
cwd = "apps/web"
host = "web"
depends_on = ["api"]
health_check = "curl -sf https://web.fullstack-app.localhost"

[tasks.storybook]
command = "bun storybook"
cwd = "apps/web"
auto_start = false
"""


def read(text: str) -> ProjectConfig:
    return parse(text, "taskmux.toml")


def test_a_file_that_says_nothing_is_all_defaults() -> None:
    assert read("") == ProjectConfig(name="taskmux", tasks={}, auto_start=True)


def test_a_task_needs_nothing_but_a_command() -> None:
    assert read('[tasks.api]\ncommand = "true"').tasks == {"api": TaskConfig("api", "true")}


def test_the_defaults_of_a_task() -> None:
    assert resolved(TaskConfig("api", "true")) == {
        "name": "api", "command": "true", "type": None, "auto_start": True, "cwd": None, "env": {},
        "host": None, "host_path": "/", "health_url": None, "health_check": None,
        "health_expected_status": 200, "health_expected_body": None, "health_probe": None,
        "health_options": {}, "health_interval": 10.0, "health_timeout": 5.0, "health_retries": 3,
        "ready_log": None, "stop_grace_period": 5.0, "restart_policy": "on-failure",
        "max_restarts": 5, "restart_backoff": 2.0, "log_file": None, "log_max_size": 10_000_000,
        "log_max_files": 3, "depends_on": {}, "tunnel": None, "public_hostname": None, "hooks": {},
        "hook_timeout": None,
    }  # fmt: skip


def test_the_example() -> None:
    assert read(EXAMPLE) == ProjectConfig(
        name="example",
        tasks={
            "api": TaskConfig(
                "api",
                "uv run api --port $PORT",
                cwd="api",
                host="api",
                env={"LOG_LEVEL": "debug"},
            ),
            "website": TaskConfig(
                "website",
                "npm run dev -- --port $PORT",
                cwd="web",
                host="@",
                depends_on={"api": Condition.HEALTHY},
                restart_policy=Restart.ALWAYS,
            ),
            "worker": TaskConfig(
                "worker",
                "uv run worker",
                depends_on={"api": Condition.HEALTHY},
                max_restarts=10,
            ),
            "db": TaskConfig(
                "db",
                "docker compose up postgres",
                auto_start=False,
                health_check="pg_isready -h localhost -p 5432",
                stop_grace_period=15,
            ),
        },
    )


def test_the_minimal_example() -> None:
    found = read(MINIMAL)
    assert found.name == "myproject"
    assert list(found.tasks) == ["server", "build", "db"]
    assert [task.auto_start for task in found.tasks.values()] == [True, True, False]


def test_the_full_stack_example() -> None:
    found = read(FULL_STACK)
    assert list(found.tasks) == ["db", "migrate", "api", "worker", "web", "storybook"]
    assert {name: dict(task.depends_on) for name, task in found.tasks.items()} == {
        "db": {},
        "migrate": {"db": Condition.HEALTHY},
        "api": {"migrate": Condition.HEALTHY},
        "worker": {"db": Condition.HEALTHY},
        "web": {"api": Condition.HEALTHY},
        "storybook": {},
    }
    assert found.tasks["db"].health_interval == 3
    assert found.tasks["api"].stop_grace_period == 10
    worker = found.tasks["worker"]
    assert (worker.restart_policy, worker.max_restarts, worker.restart_backoff) == (
        Restart.ALWAYS, 10, 3,
    )  # fmt: skip


def test_every_key_of_a_project() -> None:
    text = """
        name = "shop"
        auto_start = false
        auto_daemon = true
        auto_inject_agents = false
        hook_timeout = "2m"
        [hooks]
        before_start = "a"
        after_start = "b"
        before_stop = "c"
        after_stop = "d"
        [tunnel.cloudflare]
        zone_id = "abc"
        api_token_env = "CLOUDFLARE_API_TOKEN"
        """
    assert read(text) == ProjectConfig(
        name="shop",
        auto_start=False,
        auto_daemon=True,
        auto_inject_agents=False,
        hooks=dict(zip(Hook, "abcd", strict=True)),
        hook_timeout=120,
        tunnel={"cloudflare": {"zone_id": "abc", "api_token_env": "CLOUDFLARE_API_TOKEN"}},
    )


@pytest.mark.parametrize(
    "text",
    [
        'tasks = { api = { command = "a" }, web = { command = "b", depends_on = ["api"] } }',
        '[tasks]\napi = { command = "a" }\nweb = { command = "b", depends_on = ["api"] }',
        'tasks.api.command = "a"\ntasks.web.command = "b"\ntasks.web.depends_on = ["api"]',
        '["tasks"."api"]\r\ncommand = "a"\r\n[tasks.web]\r\ncommand="b"\r\ndepends_on=["api"]\r\n',
        "[tasks.api]\ncommand = '''a'''\n[tasks.web]\ncommand = \"\"\"\nb\"\"\"\n"
        "depends_on = [ # all\n  'api',\n]",
    ],
)
def test_a_file_may_be_written_in_any_way_that_toml_knows(text: str) -> None:
    api, web = TaskConfig("api", "a"), TaskConfig("web", "b", depends_on={"api": Condition.HEALTHY})
    assert read(text).tasks == {"api": api, "web": web}

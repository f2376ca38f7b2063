"""How a project is doing, as reports."""

from __future__ import annotations

from collections.abc import Mapping

from taskmux.lifecycle import RESTING, State
from taskmux.processes import Usage
from taskmux.runner import Health
from taskmux.when import rfc3339
from taskmux.wire import HealthReport, HealthRow, LastHealth, TaskCounts, TaskReport

from .crew import Crew
from .member import Member
from .specs import folder_of

NOTHING = Usage(cpu=0.0, memory=0, pids=())


def task_report(
    crew: Crew, name: str, usages: Mapping[int, Usage], shares: Mapping[int, float]
) -> TaskReport:
    """Report one task; `usages` and `shares` are by the pid of the task's leader."""
    member, config = crew[name], crew.config.tasks[name]
    task, life, status = member.task, member.runner.life, member.exit_status
    pid = None if life is None else life.pid
    return TaskReport(
        name=name,
        state=task.state,
        running=life is not None,
        healthy=healthy(member),
        command=config.command,
        cwd=str(folder_of(config, crew.folder)),
        auto_start=config.auto_start,
        depends_on={other: str(condition) for other, condition in config.depends_on.items()},
        restart_policy=config.restart_policy,
        max_restarts=config.max_restarts,
        host=config.host,
        url=crew.url(name),
        port=member.port,
        internal_url=f"http://127.0.0.1:{member.port}",
        pid=pid,
        run=member.run,
        started_at=None if life is None else rfc3339(life.started_at),
        exit_code=status if status is not None and status >= 0 else None,
        signal=-status if status is not None and status < 0 else None,
        restarts=task.attempt,
        reason=task.reason,
        restart_needed=member.runner.outdated,
        last_health=_last_health(member.runner.health),
        tunnel=None,
        events=TaskCounts(
            starts=member.counts["task_started"],
            restarts=member.counts["auto_restart"],
            health_failures=member.counts["health_check_failed"],
            lines_dropped=member.runner.log.dropped,
        ),
        cpu=round(shares.get(pid or 0, 0.0), 4),
        memory=usages.get(pid or 0, NOTHING).memory,
    )


def health_report(session: str, crew: Crew) -> HealthReport:
    """Report how well each task is."""
    rows = [_health_row(name, crew[name]) for name in crew]
    counted = [row for row in rows if row.state != State.STOPPED]
    return HealthReport(
        session=session,
        healthy_count=sum(row.healthy for row in counted),
        total_count=len(counted),
        tasks=rows,
    )


def healthy(member: Member) -> bool:
    """Return whether a task is as its user wants it: ready, or ended well."""
    return member.task.state in {State.RUNNING, State.COMPLETED}


def _health_row(name: str, member: Member) -> HealthRow:
    health = member.runner.health if member.task.state not in RESTING else None
    return HealthRow(
        name=name,
        state=member.task.state,
        healthy=healthy(member),
        method=None if health is None else health.method,
        reason=member.task.reason,
        at=None if health is None else health.at,
    )


def _last_health(health: Health | None) -> LastHealth | None:
    if health is None:
        return None
    return LastHealth(bool(health.ok), health.method, health.reason, health.at)

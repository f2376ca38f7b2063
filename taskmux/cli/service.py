"""Commands that make the daemon a service of the system."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from taskmux.errors import BadRequest, NotAllowed

from .answers import Answer
from .reports import ServiceFile, ServiceReport
from .session import Session
from .superuser import ALLOW, check_start

if TYPE_CHECKING:
    from taskmux.daemon.privileged.survey import Survey
    from taskmux.daemon.units.plan import Plan

    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")

UNITS = "/etc/systemd/system"


def daemon_install(
    session: Session, system: options.System = False, dry_run: options.Planned = False
) -> Answer:
    """Have the system start the daemon: at login, or with --system at boot."""
    from taskmux.daemon.units.carry_out import check, install, shown

    plan, running = _of_system(session, dry_run) if system else _of_user(session)
    fresh = not all(check(plan).values())
    if not dry_run:
        fresh = install(plan)
    if running and fresh:
        session.notice("a daemon runs already: from the next start on it is the service")
    return ServiceReport(
        action="installed" if fresh else "already_installed",
        dry_run=dry_run,
        manager=plan.manager,
        files=[ServiceFile(path, text) for path, text in plan.files.items()],
        commands=shown(plan.install),
    )


def daemon_uninstall(
    session: Session, system: options.System = False, dry_run: options.Planned = False
) -> Answer:
    """End the service, and have nothing start the daemon by itself any more."""
    from taskmux.daemon.units.carry_out import check, shown, uninstall

    plan = _there(dry_run) if system else _of_user(session)[0]
    check(plan)
    there = [path for path in plan.files if os.path.lexists(path)]
    gone = there if dry_run else uninstall(plan)
    return ServiceReport(
        action="uninstalled" if gone else "not_installed",
        dry_run=dry_run,
        manager=plan.manager,
        files=[ServiceFile(path, "") for path in gone],
        commands=shown([*plan.leave, *plan.forget]) if gone else [],
    )


def _of_user(session: Session) -> tuple[Plan, bool]:
    """Return the plan, and whether a daemon runs, which then is not started another time."""
    from taskmux.client.line import answers
    from taskmux.daemon.units import plan
    from taskmux.daemon.units.systemd import Service
    from taskmux.paths import door

    check_start(os.geteuid(), session.environ)
    command, environ = _command(), _environ(session, os.geteuid())
    home = session.environ.get("HOME") or str(Path.home())
    running = answers(door(session.home))
    if sys.platform == "darwin":
        return plan.of_macos(home, os.geteuid(), command, environ, now=not running), running
    chosen = session.environ.get("XDG_CONFIG_HOME", "")
    folder = chosen if chosen.startswith("/") else f"{home}/.config"  # as its specification says
    service = Service(command, environ)
    return plan.of_user(f"{folder}/systemd/user", service, now=not running), running


def _of_system(session: Session, dry_run: bool) -> tuple[Plan, bool]:
    from taskmux.daemon.privileged.person import invoker
    from taskmux.daemon.privileged.start import environment_of, known, survey_of
    from taskmux.daemon.units import plan
    from taskmux.daemon.units.systemd import Service

    uid = _system_uid(dry_run)
    person = invoker(session.environ, known) if uid == 0 else None
    if person is None:
        check_start(uid, session.environ)
    theirs = session.environ if person is None else environment_of(person, session.environ)
    survey = survey_of(person, theirs)
    who = person or known(uid)
    name = str(uid) if who is None else who.name
    service = Service(_command(), _environ(session, uid if who is None else who.uid), name)
    return plan.of_system(UNITS, service, _places(survey), now=not survey.running), survey.running


def _there(dry_run: bool) -> Plan:
    """Return the plan of the units of the system that are there, whatever is in them."""
    from taskmux.daemon.units import plan
    from taskmux.daemon.units.systemd import SOCKETS, Service

    _system_uid(dry_run)
    there = {use for use, name in SOCKETS.items() if os.path.lexists(f"{UNITS}/{name}")}
    places = {use: ["127.0.0.1:1"] for use in SOCKETS if use in there}
    return plan.of_system(UNITS, Service(_command(), {}, "root"), places, now=False)


def _system_uid(dry_run: bool) -> int:
    """Return who we are; raise for whoever cannot change what is the system's."""
    if sys.platform == "darwin":
        raise BadRequest("--system is for systemd", hint="run `sudo taskmux daemon start`")
    if (uid := os.geteuid()) != 0 and not dry_run:
        hint = "put sudo before it, or leave --system out"
        raise NotAllowed("units of the system are for root to write and remove", hint)
    return uid


def _places(survey: Survey) -> dict[str, list[str]]:
    from msgspec.structs import replace

    from taskmux.daemon.privileged.sockets import exists, wanted

    found: dict[str, list[str]] = {}
    for place in wanted(replace(survey, held=[])):
        if exists(place.address):
            found.setdefault(place.use, []).append(str(place))
    return found


def _command() -> list[str]:
    return [sys.executable, "-P", "-m", "taskmux", "daemon"]


def _environ(session: Session, uid: int) -> Mapping[str, str]:
    """Return what the daemon finds: its home, where that was chosen."""
    allowed = {ALLOW: "1"} if uid == 0 else {}
    if "TASKMUX_HOME" not in session.environ:
        return allowed
    return {"TASKMUX_HOME": str(session.home), **allowed}

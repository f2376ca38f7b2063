"""Who is behind a host name, and what to say where nobody is."""

from __future__ import annotations

from taskmux.errors import TaskmuxError
from taskmux.logs import Window, clean, read
from taskmux.projects import Project, Projects, holders
from taskmux.proxy.directory import Absence, Target
from taskmux.routes import Holder, Urls, owner, place
from taskmux.supervisor.crew import Crew
from taskmux.supervisor.member import Member
from taskmux.supervisor.verdicts import Verdict, verdict

from .absences import Plight, broken, down, nobody, unknown

LAST = 20
"""Lines of its output that explain why a task is down."""

LONGEST = 1_000
"""Characters of such a line."""


class Addressbook:
    """Every project's names, as they are at the moment."""

    def __init__(self, projects: Projects, urls: Urls) -> None:
        self._projects = projects
        self._urls = urls
        self._hosts: dict[str, tuple[object, object, dict[str, Holder]]] = {}

    def find(self, host: str) -> Target | Absence:
        """Return who is behind a name."""
        found = place(host)
        project = None if found is None else self._projects.get(found[1])
        if found is None or project is None:
            return self._unknown(host)
        hosts = self._hosts_of(project)
        if project.supervisor is None and (found[0] or "@") not in hosts:
            return broken(project.session, project.error)
        holder = owner(found[0], hosts)
        if holder is None:
            return self._unknown(host, project)
        name = holder.name
        if holder.alias:
            port = project.aliases.known[name].port
            return Target(port, project.session, name, alias=True)
        crew = project.opened().crew
        target = Target(crew[name].port, project.session, name)
        if crew[name].runner.life is None:
            return self.absent(target, "it has no process")
        return target

    def absent(self, target: Target, why: str) -> Absence:
        """Return what to say where a task, or what an alias leads to, did not answer."""
        if target.alias:
            return nobody(target, why)
        try:
            crew = self._projects.find(target.session).opened().crew
            return down(target, _plight(crew, target.name), why)
        except TaskmuxError as error:
            gone = f"{target.name} is gone"
            return Absence(503, "task_down", str(error), error.hint, retry=True, public=gone)

    def address(self, host: str) -> str:
        """Return where a name is answered."""
        port = self._urls.port
        return f"https://{host}" if port in (None, 443) else f"https://{host}:{port}"

    def _hosts_of(self, project: Project) -> dict[str, Holder]:
        config = None if project.supervisor is None else project.supervisor.crew.config
        aliases, known = project.aliases.known, self._hosts.get(project.session)
        if known is None or known[0] is not config or known[1] is not aliases:
            known = self._hosts[project.session] = config, aliases, holders(project)
        return known[2]

    def _unknown(self, host: str, own: Project | None = None) -> Absence:
        there = [url for project in self._projects for url in _urls(project, self._urls)]
        if own is None:
            return unknown(host, there, None)
        return unknown(host, there, own.session, own.error)


class Redirects:
    """Leads those who come unencrypted to where they are answered; nobody who asks for others."""

    def __init__(self, book: Addressbook) -> None:
        self._book = book

    def find(self, host: str) -> Absence:
        """Return where to ask."""
        found = self._book.find(host)
        if isinstance(found, Absence) and found.code == "unknown_host":
            return found
        where = self._book.address(host)
        return Absence(307, "redirect", f"ask at {where}", location=where)

    def absent(self, target: Target, why: str) -> Absence:
        """Return where to ask; nothing is a target here."""
        return self.find(target.session)


def _urls(project: Project, urls: Urls) -> list[str]:
    found = (urls.of(project.session, host) for host in holders(project))
    return [url for url in found if url is not None]


def _plight(crew: Crew, name: str) -> Plight:
    member, needs = crew[name], crew.config.tasks[name].depends_on
    return Plight(
        state=member.task.state,
        reason=member.task.reason,
        up=member.runner.life is not None,
        exit_status=member.exit_status,
        run=member.run,
        waits_for=[
            other
            for other, condition in needs.items()
            if verdict(crew[other].task, condition) is Verdict.WAIT
        ],
        lines=_last_lines(member),
    )


def _last_lines(member: Member) -> list[str]:
    try:
        found = read({member.name: member.runner.log.path}, Window(lines=LAST))
    except TaskmuxError:
        return []
    return [_cut(clean(line.text)) for line in found.lines]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

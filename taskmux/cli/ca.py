"""Commands about who signs the certificates of tasks, and who trusts that."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from taskmux import paths
from taskmux.errors import TaskmuxError
from taskmux.when import rfc3339

from .answers import Answer
from .reports import AuthorityReport, MintReport, TrustReport
from .session import Session
from .superuser import check_home

if TYPE_CHECKING:
    from . import options
    from .castores import Meant
    from .reports import StoreReport
else:
    from .lazy import Lazy

    options = Lazy("options")


def ca_install(session: Session, dry_run: options.Planned = False) -> Answer:
    """Have the system and the browsers here trust the certificates of tasks."""
    if not dry_run and (report := _for_somebody(session, "install")) is not None:
        return report
    _as_user(session, "install", *_flag(dry_run))
    from .castores import meant, rows

    before = _content(paths.root(session.home))
    who = meant(session, make=not dry_run)
    if before not in (None, _content(paths.root(session.home))):
        _tell(session)
    root = who.root
    if dry_run:
        stores = rows(session, root, lambda store: store.look(root), planned=True)
    else:
        stores = rows(session, root, lambda store: store.trust(root))
    ok = dry_run or all(one.state == "trusted" for one in stores)
    return _report(who, "installed", stores, ok=ok, dry_run=dry_run)


def ca_uninstall(session: Session, dry_run: options.Planned = False) -> Answer:
    """Have nobody trust them any more; the authority itself stays."""
    if not dry_run and (report := _for_somebody(session, "uninstall")) is not None:
        return report
    _as_user(session, "uninstall", *_flag(dry_run))
    from taskmux.errors import NotOurs
    from taskmux.settings import Authority

    from .castores import left, rows

    who = left(session)
    if who.choice is Authority.MKCERT:
        raise NotOurs
    root = who.root
    if dry_run:
        stores = rows(session, root, lambda store: store.look(root), planned=False)
    else:
        stores = rows(session, root, lambda store: store.distrust(root))
    ok = dry_run or all(one.state == "not_trusted" for one in stores)
    return _report(who, "uninstalled", stores, ok=ok, dry_run=dry_run)


def ca_status(session: Session) -> Answer:
    """Show who signs the certificates of tasks, and who trusts that: proved, store by store."""
    _as_user(session, "status")
    from .castores import constraint, meant, rows

    who = meant(session)
    stores = rows(session, who.root, lambda store: store.look(who.root))
    certificate = who.certificate
    return AuthorityReport(
        authority=who.choice.value,
        root=str(who.root.path),
        name=who.root.name,
        fingerprint=_fingerprint(who),
        expires=None if certificate is None else rfc3339(certificate.not_valid_after_utc),
        constraint=constraint(certificate),
        stores=stores,
    )


def ca_mint(session: Session, names: options.CertNames = None) -> Answer:
    """Make a certificate for a server that encrypts by itself."""
    _as_user(session, "mint", *(names or []), before=_place(session))
    from taskmux.trust.names import mintable, of_project

    from .sources import session_id

    wanted = mintable(names) if names else of_project(session_id(session))
    from taskmux.trust.mint import mint

    from .castores import meant

    who = meant(session)
    if who.found is None:
        who = meant(session, make=True)
    assert who.found is not None
    made = mint(session.home, who.found, wanted)
    return MintReport(
        names=[*wanted],
        certificate=str(made.certificate),
        key=str(made.key),
        root=str(who.root.path),
        expires=rfc3339(made.end),
    )


def _as_user(session: Session, *words: str, before: Iterable[str] = ()) -> None:
    """Under `sudo`, go on as who typed it; as root, touch nothing that is another's."""
    from .descent import step_down

    step_down(session, *before, "ca", *words)
    check_home(os.geteuid(), session.home, session.environ)


def _for_somebody(session: Session, word: str) -> TrustReport | None:
    """Under `sudo`, do the user's part as the user and root's as root; None without it."""
    if os.geteuid() != 0:
        return None
    from .casudo import of_person

    return of_person(session, word)


def _tell(session: Session) -> None:
    """Say of a daemon that it signs with what was there before."""
    with suppress(TaskmuxError):
        pid = session.visit().hello().pid
        session.notice(f"the daemon (pid {pid}) takes it up with `taskmux daemon restart`")


def _content(path: Path) -> bytes | None:
    with suppress(OSError):
        return path.read_bytes()
    return None


def _place(session: Session) -> list[str]:
    """Return the options by which another program finds the same project."""
    project = [] if session.project is None else ["--project", session.project]
    return ["-C", str(session.cwd), *project]


def _flag(dry_run: bool) -> list[str]:
    return ["--dry-run"] if dry_run else []


def _report(
    who: Meant, action: str, stores: list[StoreReport], *, ok: bool, dry_run: bool
) -> TrustReport:
    from taskmux.trust.pem import pem

    der = who.root.der
    return TrustReport(
        ok=ok,
        action=action,
        dry_run=dry_run,
        authority=who.choice.value,
        root=str(who.root.path),
        name=who.root.name,
        fingerprint=_fingerprint(who),
        certificate=None if der is None else pem(der).decode(),
        stores=stores,
    )


def _fingerprint(who: Meant) -> str | None:
    from taskmux.trust.pem import fingerprint

    return None if who.root.der is None else fingerprint(who.root.der)

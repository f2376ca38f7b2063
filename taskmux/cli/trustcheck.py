"""What `doctor` sees of who signs the certificates of tasks, and who trusts that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from shlex import quote
from typing import TYPE_CHECKING

from taskmux import paths
from taskmux.errors import TaskmuxError
from taskmux.settings import Authority, load
from taskmux.wire import Finding

from .session import Session
from .trusting import WHOSE

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ANEW = "taskmux ca install && taskmux daemon restart"


def certificates(session: Session) -> Iterator[Finding]:
    """Look at the authority, and at every store; without one yet there is nothing to trust."""
    try:
        settings = load(paths.host_config(session.home))
    except TaskmuxError:  # told already
        return
    if not settings.proxy_enabled:
        return
    if settings.ca is Authority.OWN and not os.path.lexists(paths.authority(session.home)):
        detail = "none needed yet; the first task with a host has them made"
        yield Finding("certificates", ok=True, detail=detail)
        return
    yield from _found(session)


def _found(session: Session) -> Iterator[Finding]:
    from .castores import meant, rows  # they take 60 ms, and need something to look at

    try:
        who = meant(session)
    except TaskmuxError as error:
        yield Finding("certificates", ok=False, detail=str(error), fix=error.hint)
        return
    yield _authority(session, who.choice, who.certificate)
    for store in rows(session, who.root, lambda store: store.look(who.root)):
        ok = store.state == "trusted"
        said = f": {store.detail}" if store.detail else ""
        detail = f"{store.place}, {store.state.replace('_', ' ')}{said}"
        yield Finding(f"trust {store.kind}", ok=ok, detail=detail, fix=None if ok else store.fix)


def _authority(session: Session, choice: Authority, found: Certificate | None) -> Finding:
    from taskmux.trust.authority import KEY, readable
    from taskmux.trust.issue import due

    if found is None:
        return Finding("certificates", ok=True, detail="none made yet")
    key, end = paths.authority(session.home) / KEY, f"{found.not_valid_after_utc:%Y-%m-%d}"
    if choice is Authority.OWN and readable(key):
        fix = f"chmod 600 {quote(str(key))}"
        return Finding("certificates", ok=False, detail=f"others may read {key}", fix=fix)
    if choice is Authority.OWN and due(found, datetime.now(UTC)):
        return Finding("certificates", ok=False, detail=f"the authority ends {end}", fix=ANEW)
    return Finding(
        "certificates", ok=True, detail=f"signed by {WHOSE[choice]} authority, until {end}"
    )

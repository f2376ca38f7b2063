"""The authority that is meant, and every store of this machine and user, as reports show them."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from taskmux import paths
from taskmux.routes import TLD
from taskmux.settings import Authority as Choice
from taskmux.settings import load
from taskmux.trust import authority, mkcert, places
from taskmux.trust.issue import Authority
from taskmux.trust.stores import Around, Root, State, Store, Verdict
from taskmux.trust.survey import stores

from .reports import StoreReport
from .session import Session


@dataclass(frozen=True, slots=True)
class Meant:
    """Who signs, by the settings; without `found` there is nobody yet."""

    choice: Choice
    root: Root
    found: Authority | None

    @property
    def certificate(self) -> x509.Certificate | None:
        """The root itself."""
        return None if self.found is None else self.found.root


def meant(session: Session, *, make: bool = False) -> Meant:
    """Return the authority that is meant; `make` it if there is none, or it is soon past its time.

    Raises `NoAuthority` for one that cannot be used.
    """
    choice = load(paths.host_config(session.home)).ca
    if choice is Choice.MKCERT:
        found = authority.borrowed(session.environ)
        path = mkcert.folder(session.environ) / mkcert.ROOT
        return Meant(choice, Root(path, mkcert.name(found.root.serial_number), _der(found)), found)
    ours = authority.own(session.home, (TLD,), fresh=True) if make else None
    ours = ours or authority.kept(session.home, (TLD,))
    return Meant(choice, _own(session, ours), ours)


def left(session: Session) -> Meant:
    """Return what was trusted once, though the authority itself may be gone, or damaged."""
    from taskmux.errors import NoAuthority

    try:
        return meant(session)
    except NoAuthority:
        return Meant(Choice.OWN, _own(session, None), None)


def around(session: Session) -> Around:
    """Return the user of this process, and this machine."""
    home = Path(session.environ.get("HOME") or Path.home())
    return Around(home, session.environ, os.geteuid(), sys.platform)


def rows(
    session: Session, root: Root, ask: Callable[[Store], Verdict], *, planned: bool | None = None
) -> list[StoreReport]:
    """Return what each store answers; with `planned`, the commands that would add it, or remove."""
    found = []
    for store in stores(around(session)):
        verdict = ask(store)
        done = planned and verdict.state is State.TRUSTED
        plan = [] if planned is None or done else store.plan(root, adding=planned)
        found.append(row(store, verdict, plan))
    return found


def row(store: Store, verdict: Verdict, commands: Iterable[str] = ()) -> StoreReport:
    """Return what is shown of one store."""
    return StoreReport(
        store.kind, store.place, verdict.state.value, verdict.detail, verdict.fix, [*commands]
    )


def constraint(certificate: x509.Certificate | None) -> list[str]:
    """Return what a certificate can sign for; nothing if for all."""
    if certificate is None:
        return []
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return []
    return [str(one.value) for one in found.permitted_subtrees or []]


def _own(session: Session, found: Authority | None) -> Root:
    uid = os.geteuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    name = places.label(user, os.path.realpath(session.home))
    return Root(paths.root(session.home), name, None if found is None else _der(found))


def _der(found: Authority) -> bytes:
    return found.root.public_bytes(Encoding.DER)

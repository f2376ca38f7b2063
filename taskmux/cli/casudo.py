"""What root does of `sudo taskmux ca install`: the system's store alone, and only what is safe.

The rest is done by a program that runs as the user. What that says is checked to the letter:
root reads no file of theirs, and has the system trust nothing that could sign for others.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace as changed

from taskmux.daemon.privileged.person import PATH, Person, invoker
from taskmux.daemon.privileged.start import ask, environment_of, known
from taskmux.errors import NotAllowed, Refused
from taskmux.routes import TLD
from taskmux.trust.authority import confined
from taskmux.trust.pem import certificates
from taskmux.trust.places import label
from taskmux.trust.stores import Around, Root, Store
from taskmux.trust.survey import stores

from .castores import row
from .reports import StoreReport, TrustReport
from .session import Session

LONGEST = 20_000
"""Characters of a certificate as text; one of ours has a thousand."""


def of_person(session: Session, word: str) -> TrustReport | None:
    """Do `ca install`, or `ca uninstall`, for who typed `sudo`; None if that was nobody.

    Raises `NotAllowed` for what root must not do, or what the user's part raises.
    """
    person = invoker(session.environ, known)
    if person is None or sys.platform == "darwin":  # there nothing of it takes root
        return None
    theirs = environment_of(person, session.environ)
    report = _read(ask(person, theirs, ["taskmux", "--json", "ca", word]))
    name = _name(report.name, person)
    der = None if report.certificate is None else checked(report.certificate)
    if word == "install" and der is None:
        raise NotAllowed("there is no certificate to trust")
    root = Root(Path(report.root), name, der)
    found = [_act(one, root, word) for one in _of_system()]
    rest = [one for one in report.stores if one.kind != "system"]
    wanted = "trusted" if word == "install" else "not_trusted"
    both = [*found, *rest]
    return changed(report, ok=all(one.state == wanted for one in both), stores=both)


def checked(text: str) -> bytes:
    """Return the one certificate in `text`, if it is an authority for local names alone.

    Raises `NotAllowed` for anything else.
    """
    why = "root has the system trust no authority that could sign for others than .localhost"
    hint = "leave sudo out: it prints what to type"
    if len(text) > LONGEST or len(blocks := certificates(text.encode(errors="replace"))) != 1:
        raise NotAllowed("what is to be trusted is not one certificate", hint)
    try:
        found = x509.load_der_x509_certificate(blocks[0])
        if not confined(found, (TLD,)):
            raise NotAllowed(why, hint)
        return found.public_bytes(Encoding.DER)
    except ValueError as error:
        raise NotAllowed(f"what is to be trusted is no certificate: {error}", hint) from None


def _read(answer: bytes) -> TrustReport:
    try:
        said = msgspec.json.decode(answer)
        if isinstance(said, dict) and "error_code" in said:
            raise Refused({**said, "message": str(said.get("error"))})
        return msgspec.convert(said, TrustReport)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotAllowed(f"what the user's part of it says is not understood: {error}") from None


def _name(name: str, person: Person) -> str:
    """Return what it is called, if that is a name of this user's."""
    ours = label(person.name, "").rpartition("-")[0]
    if not re.fullmatch(rf"{re.escape(ours)}-[0-9a-f]{{8}}", name):
        raise NotAllowed(f"{name!r} is no name of a certificate of {person.name}'s")
    return name


def _of_system() -> list[Store]:
    environ = {"PATH": PATH, "TRUST_STORES": "system"}
    around = Around(home=Path("/"), environ=environ, uid=os.geteuid(), platform=sys.platform)
    return stores(around)


def _act(store: Store, root: Root, word: str) -> StoreReport:
    verdict = store.trust(root) if word == "install" else store.distrust(root)
    return row(store, verdict)

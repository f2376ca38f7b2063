"""Certificates made by hand, for servers that encrypt by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from taskmux import paths
from taskmux.errors import NoAuthority
from taskmux.files import write_private
from taskmux.scarcity import described

from .issue import Authority, make_leaf
from .names import folder

CERTIFICATE, KEY = "cert.pem", "key.pem"


@dataclass(frozen=True, slots=True)
class Minted:
    """Where a certificate is, with its chain behind it, and its key."""

    certificate: Path
    key: Path
    end: datetime


def mint(home: Path, authority: Authority, names: Sequence[str]) -> Minted:
    """Write a certificate for `names`, which can be minted, in place of one made before.

    Only the user can read the key. Raises `NoAuthority`.
    """
    chain, key = make_leaf(authority, names, datetime.now(UTC))
    place = paths.minted(home) / folder(names)
    made = Minted(
        place / CERTIFICATE, place / KEY, x509.load_pem_x509_certificate(chain).not_valid_after_utc
    )
    try:
        write_private(made.key, key)
        write_private(made.certificate, chain)
    except OSError as error:
        raise NoAuthority(f"{place} cannot be written: {described(error)}") from None
    return made

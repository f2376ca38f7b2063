"""The authority on disk: made once, or borrowed from mkcert."""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from taskmux import paths
from taskmux.errors import NoAuthority
from taskmux.files import read_regular, set_aside, write_private
from taskmux.lock import alone

from . import mkcert
from .issue import Authority, Key, due, key_pem, make_authority

ISSUER, KEY = "issuer.pem", "issuer-key.pem"
PATIENCE = 30.0
"""Seconds that somebody else may take to make one."""

UNUSABLE = (TypeError, ValueError, UnsupportedAlgorithm)
"""What is raised for a key with a password, for no key at all, and for one of a strange kind."""

log = logging.getLogger("taskmux")


def own(home: Path, tlds: Sequence[str], *, fresh: bool = False) -> Authority:
    """Return our authority; make one if there is none, of processes that ask at once only one.

    One that is damaged, or not one of ours, or past its time is set aside: the new one has to be
    trusted again. `fresh` replaces one that is in the last third of its time, too. Raises
    `NoAuthority` where nothing can be read or kept, and changes nothing then.
    """
    folder = paths.authority(home)
    try:
        with alone(home / paths.AUTHORITY_LOCK, PATIENCE):
            found, why = _examined(folder, tlds, fresh=fresh)
            if found is not None:
                _close(folder / KEY)
                return found
            if why is not None:
                log.warning("%s is set aside: %s", folder, why)
                if set_aside(folder) == folder:
                    raise NoAuthority(f"{folder} is in the way: {why}", _away(folder))
            return _make(folder, tlds)
    except TimeoutError:
        raise NoAuthority(f"somebody else holds {home / paths.AUTHORITY_LOCK}") from None
    except OSError as error:
        why = f"{error.filename or folder}: {error.strerror}"
        raise NoAuthority(why, _away(folder) if os.path.lexists(folder) else None) from None


def kept(home: Path, tlds: Sequence[str]) -> Authority | None:
    """Return our authority as it is; None if there is none. Changes nothing.

    Raises `NoAuthority` for one that could not be used.
    """
    folder = paths.authority(home)
    try:
        found, why = _examined(folder, tlds)
    except OSError as error:
        why = f"{error.filename or folder}: {error.strerror}"
        raise NoAuthority(why, _away(folder)) from None
    if why is not None:
        raise NoAuthority(f"{folder} cannot be used: {why}", "run `taskmux ca install`")
    return found


def borrowed(environ: Mapping[str, str]) -> Authority:
    """Return mkcert's authority; raise `NoAuthority` if it has none that can sign."""
    folder = mkcert.folder(environ)
    root, key = folder / mkcert.ROOT, folder / mkcert.KEY
    try:
        return _load(root, root, key)
    except (OSError, *UNUSABLE) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        hint = "run `mkcert -install`, or `taskmux config set ca own`"
        raise NoAuthority(f"mkcert's authority in {folder} cannot be used: {why}", hint) from None


def _examined(
    folder: Path, tlds: Sequence[str], *, fresh: bool = False
) -> tuple[Authority | None, str | None]:
    """Return what is there, if it can be used; else why not, or neither where nothing is there.

    Raises `OSError` for what may be good and cannot be read.
    """
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return None, None
    if not folder.is_dir():
        return None, "it is not a folder"
    try:
        _check_key(folder / KEY)
        found = _load(paths.root(folder.parent), folder / ISSUER, folder / KEY)
        found.issuer.verify_directly_issued_by(found.root)
    except FileNotFoundError as error:
        return None, f"there is no {Path(error.filename).name}"
    except InvalidSignature:
        return None, "its root has not signed it"
    except UNUSABLE as error:
        return None, str(error)
    why = _wrong(found, tlds, fresh=fresh)
    return (found, None) if why is None else (None, why)


def _wrong(found: Authority, tlds: Sequence[str], *, fresh: bool) -> str | None:
    now, issuer = datetime.now(UTC), found.issuer
    if not all(confined(one, tlds) for one in (found.root, issuer)):
        return f"it is not for {', '.join(tlds)} alone"
    if not issuer.not_valid_before_utc <= now < issuer.not_valid_after_utc:
        return f"it is valid from {issuer.not_valid_before_utc} to {issuer.not_valid_after_utc}"
    return "its time is up soon" if fresh and due(issuer, now) else None


def _make(folder: Path, tlds: Sequence[str]) -> Authority:
    made = make_authority(_owner(), tlds, datetime.now(UTC))
    write_private(folder / KEY, key_pem(made.key))
    for path, certificate in ((folder / ISSUER, made.issuer), (folder / paths.ROOT, made.root)):
        write_private(path, certificate.public_bytes(Encoding.PEM))
    return made


def confined(certificate: x509.Certificate, tlds: Sequence[str]) -> bool:
    """Return whether it is an authority that can sign for `tlds`, and else for loopback alone."""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        names = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    permitted = names.value.permitted_subtrees or []
    wanted = {x509.DNSName(tld) for tld in tlds}
    hosts = {one for one in permitted if not isinstance(one, x509.IPAddress)}
    blocks = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
    # A kind of name that nothing is said of is not constrained at all.
    local = bool(blocks) and all(block.is_loopback for block in blocks)
    return basic.value.ca and names.critical and hosts == wanted and local


def _load(root: Path, issuer: Path, key: Path) -> Authority:
    handle = os.open(key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        secret = load_pem_private_key(file.read(65_536), password=None)
    if not isinstance(secret, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("its key is of a kind that is not used here")
    found = Authority(_certificate(root), _certificate(issuer), secret)
    if _public(found.key) != found.issuer.public_key():
        raise ValueError("its key is another certificate's")
    return found


def _check_key(path: Path) -> None:
    """Raise for a key that is no file, or that another user has put there."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path.name} is not a regular file")
    if found.st_uid != os.geteuid():
        raise PermissionError(1, f"it is user {found.st_uid}'s", str(path))


def _close(path: Path) -> None:
    if readable(path):
        log.warning("others could read %s: not any more", path)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def readable(path: Path) -> bool:
    """Return whether others than its owner may read or change a file."""
    return bool(path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _certificate(path: Path) -> x509.Certificate:
    content = read_regular(path, follow=True)
    if content is None:
        raise FileNotFoundError(2, os.strerror(2), str(path))
    return x509.load_pem_x509_certificate(content)


def _public(key: Key) -> object:
    return key.public_key()


def _away(folder: Path) -> str:
    return f"`mv {quote(str(folder))} {quote(f'{folder}.old')}`, then `taskmux ca install`"


def _owner() -> str:
    user = os.environ.get("USER") or str(os.getuid())
    return f"{user}@{socket.gethostname()}"

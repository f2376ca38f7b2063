"""The authority on disk: one, whoever asks first, and nothing lost that is not good."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from taskmux import paths
from taskmux.errors import NoAuthority
from taskmux.trust import authority
from taskmux.trust.issue import AUTHORITY, Authority, key_pem, make_authority
from tests.nobody import NOBODY, as_nobody

TLDS = ("localhost",)
NOW = datetime.now(UTC)


def keep(home: Path, one: Authority) -> None:
    folder = paths.authority(home)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / authority.KEY).write_bytes(key_pem(one.key))
    (folder / authority.KEY).chmod(0o600)
    (folder / authority.ISSUER).write_bytes(one.issuer.public_bytes(Encoding.PEM))
    paths.root(home).write_bytes(one.root.public_bytes(Encoding.PEM))


def aged(age: timedelta) -> Authority:
    return make_authority("somebody", TLDS, NOW - age)


def boundless() -> Authority:
    """Return an authority that can sign for anybody, as mkcert's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anybody")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return Authority(made, made, key)


def aside(home: Path) -> list[Path]:
    return sorted(home.glob("ca.corrupt-*"))


def test_it_is_made_once_and_for_its_owner_alone(home: Path) -> None:
    assert authority.kept(home, TLDS) is None
    made = authority.own(home, TLDS)
    assert authority.own(home, TLDS).root == made.root
    found = authority.kept(home, TLDS)
    assert found is not None
    assert found.root == made.root
    for file in paths.authority(home).iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert made.root.fingerprint(SHA256()) != made.issuer.fingerprint(SHA256())


def test_of_processes_that_ask_at_once_one_makes_it(home: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from taskmux.trust.authority import own\n"
        "print('ready', flush=True), sys.stdin.read()\n"
        "for place in sys.argv[1:]:\n"
        "    print(own(pathlib.Path(place), ('localhost',)).issuer.serial_number)\n"
    )
    homes = [home / str(number) for number in range(20)]
    command = [sys.executable, "-c", script, *map(str, homes)]
    with ExitStack() as stack:
        asking = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for _ in range(3)
        ]
        for one in asking:
            assert one.stdout is not None
            assert one.stdout.readline() == b"ready\n"
        for one in asking:
            assert one.stdin is not None
            one.stdin.close()
        said = {one.stdout.read() for one in asking if one.stdout is not None}
    kept = [authority.own(place, TLDS).issuer.serial_number for place in homes]
    assert said == {"".join(f"{number}\n" for number in kept).encode()}
    assert [one for place in homes for one in aside(place)] == []


def truncate(name: str) -> Callable[[Path], object]:
    return lambda folder: os.truncate(folder / name, 40)


def locked() -> bytes:
    key, encryption = ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def instead(file: Path, make: Callable[[Path], object]) -> None:
    file.unlink()
    make(file)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "an empty key": lambda folder: (folder / authority.KEY).write_bytes(b""),
    "half a key": truncate(authority.KEY),
    "half a root": truncate(paths.ROOT),
    "half an issuer": truncate(authority.ISSUER),
    "a key with a password": lambda folder: (folder / authority.KEY).write_bytes(locked()),
    "no key": lambda folder: (folder / authority.KEY).unlink(),
    "no root": lambda folder: (folder / paths.ROOT).unlink(),
    "another's root": lambda folder: (folder / paths.ROOT).write_bytes(
        make_authority("x", TLDS, NOW).root.public_bytes(Encoding.PEM)
    ),
    "another's key": lambda folder: (folder / authority.KEY).write_bytes(
        key_pem(make_authority("x", TLDS, NOW).key)
    ),
    "one for anybody": lambda folder: keep(folder.parent, boundless()),
    "one for others": lambda folder: keep(
        folder.parent, make_authority("x", ("localhost", "example.com"), NOW)
    ),
    "one past its time": lambda folder: keep(folder.parent, aged(AUTHORITY + timedelta(days=1))),
    "one before its time": lambda folder: keep(folder.parent, aged(timedelta(days=-2))),
    "a folder as a root": lambda folder: instead(folder / paths.ROOT, Path.mkdir),
    "a pipe as a key": lambda folder: instead(folder / authority.KEY, os.mkfifo),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_cannot_be_used_is_set_aside(home: Path, damage: Callable[[Path], object]) -> None:
    before = authority.own(home, TLDS)
    damage(paths.authority(home))
    left = sorted(file.name for file in paths.authority(home).iterdir())
    with pytest.raises(NoAuthority):
        authority.kept(home, TLDS)
    assert aside(home) == []
    made = authority.own(home, TLDS)
    assert made.root != before.root
    assert authority.own(home, TLDS).root == made.root
    [folder] = aside(home)
    assert sorted(file.name for file in folder.iterdir()) == left


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_no_folder_is_set_aside(home: Path, tmp_path: Path, what: str) -> None:
    home.mkdir()
    if what == "file":
        paths.authority(home).write_text("mine")
    else:
        paths.authority(home).symlink_to(tmp_path / "nowhere")
    authority.own(home, TLDS)
    assert len(aside(home)) == 1
    assert paths.root(home).is_file()


def test_a_key_that_others_can_read_is_closed(home: Path) -> None:
    made = authority.own(home, TLDS)
    key = paths.authority(home) / authority.KEY
    key.chmod(0o644)
    assert authority.readable(key)
    assert authority.own(home, TLDS).root == made.root
    assert not authority.readable(key)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to make something somebody else's")
def test_what_only_cannot_be_read_is_kept(home: Path) -> None:
    authority.own(home, TLDS)
    key = paths.authority(home) / authority.KEY
    os.chown(key, NOBODY, NOBODY)
    for use in (authority.own, authority.kept):
        with pytest.raises(NoAuthority, match=f"user {NOBODY}'s") as found:
            use(home, TLDS)
        assert f"mv {paths.authority(home)} " in str(found.value.hint)
    assert aside(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to be somebody without its rights")
def test_where_none_can_be_kept_that_is_said(home: Path) -> None:
    with as_nobody(), pytest.raises(NoAuthority, match="Permission denied"):
        authority.own(home, TLDS)


@pytest.mark.parametrize(("fresh", "same"), [(False, True), (True, False)])
def test_it_is_renewed_early_only_by_who_trusts_it_anew(
    home: Path, fresh: bool, same: bool
) -> None:
    old = aged(AUTHORITY - timedelta(days=100))
    keep(home, old)
    assert (authority.own(home, TLDS, fresh=fresh).root == old.root) is same


@pytest.mark.parametrize(
    ("made", "good"),
    [
        (make_authority("x", TLDS, NOW), True),
        (make_authority("x", ("localhost", "example.com"), NOW), False),
        (make_authority("x", ("com",), NOW), False),
        (boundless(), False),
    ],
)
def test_only_what_is_confined_to_local_names_is_taken_for_ours(
    made: Authority, good: bool
) -> None:
    assert authority.confined(made.root, TLDS) is good
    assert authority.confined(made.issuer, TLDS) is good


def test_mkcerts_authority_is_found_where_mkcert_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(NoAuthority) as found:
        authority.borrowed({"CAROOT": str(tmp_path)})
    assert "mkcert -install" in str(found.value.hint)
    theirs = boundless()
    (tmp_path / "rootCA.pem").write_bytes(theirs.root.public_bytes(Encoding.PEM))
    (tmp_path / "rootCA-key.pem").write_bytes(key_pem(theirs.key))
    assert authority.borrowed({"CAROOT": str(tmp_path)}).chain == b""
    (tmp_path / "rootCA-key.pem").write_bytes(locked())
    with pytest.raises(NoAuthority):
        authority.borrowed({"CAROOT": str(tmp_path)})

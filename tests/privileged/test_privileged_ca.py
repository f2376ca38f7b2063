"""`sudo taskmux ca install`: root does the system's part, and believes nobody."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from taskmux.cli.casudo import checked
from taskmux.errors import NotAllowed
from taskmux.trust.issue import key_pem, make_authority
from taskmux.trust.pem import certificates
from tests.privileged.machine import Machine
from tests.trust.test_authority import boundless

ANCHORS = Path("/usr/local/share/ca-certificates")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
SHIPPED = f"{BUNDLE.name}.shipped"


TOOL = f"""\
#!/bin/sh
# As the system's own, which takes seconds.
cat {BUNDLE}.shipped {ANCHORS}/* >{BUNDLE} 2>/dev/null || true
"""


@pytest.fixture
def quick(debian: Machine) -> Machine:
    """Return one whose tool does the part that is looked at."""
    shutil.copy(debian.folder / "certs" / BUNDLE.name, debian.folder / "certs" / SHIPPED)
    tool = debian.folder / "update-ca-certificates"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    script = f"mount -t tmpfs -o mode=755 none /usr/local/sbin && cp {tool} /usr/local/sbin"
    assert debian.run("sh", "-ec", script).returncode == 0
    return debian


@pytest.fixture
def debian(joes: Machine) -> Machine:
    """Return a machine whose system's store is a copy of this one's."""
    if not ANCHORS.is_dir() or shutil.which("update-ca-certificates") is None:
        pytest.skip("takes a system that trusts as Debian does")
    copy = joes.folder / "certs"
    shutil.copytree(BUNDLE.parent, copy, symlinks=True)
    script = (
        f"mount -t tmpfs -o mode=755 none {ANCHORS} && mount --bind {copy} {BUNDLE.parent} &&"
        " mount -t tmpfs none /etc/ca-certificates/update.d"
    )
    assert joes.run("sh", "-ec", script).returncode == 0
    return joes


def trusted(machine: Machine) -> list[bytes]:
    bundle = machine.run("cat", str(BUNDLE)).stdout
    return certificates(bundle.encode())


def test_root_has_the_system_trust_what_the_user_has(quick: Machine) -> None:
    before = BUNDLE.read_bytes()
    done = quick.sudo("ca", "install", "--json")
    report = json.loads(done.stdout)
    stores = {one["kind"]: one for one in report["stores"]}
    assert stores["system"]["state"] == "trusted", done
    root = quick.ours / "ca" / "root.pem"
    assert report["root"] == str(root)
    [der] = certificates(root.read_bytes())
    assert der in trusted(quick)
    assert quick.sudo("ca", "mint", "x.localhost").returncode == 0
    assert (quick.ours / "certs" / "x.localhost" / "key.pem").is_file()
    for file in [quick.ours, *quick.home.rglob("*")]:
        assert file.lstat().st_uid == quick.home.stat().st_uid, file
    seen = json.loads(quick.joe("ca", "status", "--json").stdout)
    assert {one["kind"]: one["state"] for one in seen["stores"]}["system"] == "trusted"
    assert json.loads(quick.sudo("ca", "status", "--json").stdout) == seen
    gone = json.loads(quick.sudo("ca", "uninstall", "--json").stdout)
    assert {one["kind"]: one["state"] for one in gone["stores"]}["system"] == "not_trusted"
    assert der not in trusted(quick)
    assert quick.run("ls", str(ANCHORS)).stdout == ""
    assert BUNDLE.read_bytes() == before


def test_who_is_not_root_is_told_what_to_type(debian: Machine) -> None:
    done = debian.joe("ca", "install")
    assert done.returncode == 1
    [typed] = [line for line in done.stdout.splitlines() if "update-ca-certificates" in line]
    line = typed.partition("fix: ")[2].replace("sudo ", "")
    assert debian.run("sh", "-ec", line).returncode == 0
    seen = json.loads(debian.joe("ca", "status", "--json").stdout)
    assert {one["kind"]: one["state"] for one in seen["stores"]}["system"] == "trusted"


def test_root_installs_nothing_that_signs_for_everybody(quick: Machine) -> None:
    made = boundless()
    theirs = quick.home / "mkcert"
    theirs.mkdir()
    (theirs / "rootCA.pem").write_bytes(made.root.public_bytes(Encoding.PEM))
    (theirs / "rootCA-key.pem").write_bytes(key_pem(made.key))
    place = quick.home / ".local" / "share" / "mkcert"
    place.parent.mkdir(parents=True)
    theirs.rename(place)
    quick.write(quick.ours / "config.toml", 'ca = "mkcert"\n')
    for file in [quick.home / ".local", *(quick.home / ".local").rglob("*")]:
        os.chown(file, quick.home.stat().st_uid, quick.home.stat().st_gid)
    done = quick.sudo("ca", "install")
    assert done.returncode == 1
    assert "E800" in done.stderr
    assert quick.run("ls", str(ANCHORS)).stdout == ""


GOOD = make_authority("joe@here", ("localhost",), datetime.now(UTC)).root
PEM = GOOD.public_bytes(Encoding.PEM).decode()


def test_one_of_ours_is_taken() -> None:
    assert checked(f"# joe's\n{PEM}") == GOOD.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PEM + PEM,
        PEM.replace("A", "B"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        boundless().root.public_bytes(Encoding.PEM).decode(),
        make_authority("x", ("com",), datetime.now(UTC)).root.public_bytes(Encoding.PEM).decode(),
        PEM + " " * 30_000,
    ],
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(NotAllowed):
        checked(text)

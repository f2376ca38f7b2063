"""Stores: those of a machine below a folder of the test's, and databases in it. None is real."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from taskmux.trust import places, survey
from taskmux.trust.issue import make_authority
from taskmux.trust.stores import Around, Root, State, Store
from taskmux.trust.system import MAKE

needs_certutil = pytest.mark.skipif(
    shutil.which("certutil") is None, reason="certutil, of NSS's tools, is not installed"
)

REBUILD = """\
#!/bin/sh
# What each system's own tool does, for a machine that is a folder.
test ! -e {top}/broken || {{ echo "no space left" >&2; exit 3; }}
cat {top}/shipped {top}{folder}/* > {top}{bundle} 2>/dev/null || true
"""


def root_of(folder: Path, name: str = "taskmux-joe-12345678") -> Root:
    made = make_authority("joe@here", ("localhost",), datetime.now(UTC))
    file = folder / f"root-{made.root.serial_number}.pem"
    file.write_bytes(made.root.public_bytes(Encoding.PEM))
    file.chmod(0o600)
    return Root(file, name, made.root.public_bytes(Encoding.DER))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return root_of(tmp_path)


def machine(top: Path, layout: places.Layout, uid: int = 0) -> Around:
    """Return a machine in a folder whose system's tool is a script."""
    for path in (layout.folder, str(Path(layout.bundles[0]).parent), "/bin"):
        (top / path.lstrip("/")).mkdir(parents=True)
    (top / "shipped").write_text("# somebody's\n")
    (top / layout.bundles[0].lstrip("/")).touch()
    tool = top / "bin" / layout.rebuild[0]
    tool.write_text(REBUILD.format(top=top, folder=layout.folder, bundle=layout.bundles[0]))
    tool.chmod(0o755)
    home = top / "home"
    home.mkdir()
    return Around(home, {"PATH": f"{top}/bin:{os.defpath}"}, uid, "linux", top)


def only(around: Around, kind: str = "system") -> Store:
    [store] = [one for one in survey.stores(around) if one.kind == kind]
    return store


# The system's


@pytest.mark.parametrize("layout", places.LAYOUTS, ids=lambda layout: layout.folder)
def test_root_has_the_system_trust_it_and_not_any_more(
    tmp_path: Path, root: Root, layout: places.Layout
) -> None:
    around = machine(tmp_path / "top", layout)
    store = only(around)
    assert store.look(root).state is State.NOT_TRUSTED
    assert store.look(root).fix == MAKE
    assert store.trust(root).state is State.TRUSTED
    anchor = around.at(f"{layout.folder}/{root.stem}{layout.suffix}")
    assert anchor.stat().st_mode & 0o777 == 0o644
    renewed = root_of(tmp_path)
    assert store.look(renewed).state is State.NOT_TRUSTED
    assert store.trust(renewed).state is State.TRUSTED
    assert store.look(root).state is State.NOT_TRUSTED, "the new one took its place"
    assert store.plan(renewed, adding=False) == [places.removing(str(anchor), layout.rebuild)]
    assert store.distrust(replace(renewed, der=None)).state is State.NOT_TRUSTED
    assert not anchor.exists()
    assert store.look(renewed).state is State.NOT_TRUSTED


@pytest.mark.parametrize("layout", places.LAYOUTS, ids=lambda layout: layout.folder)
def test_who_is_not_root_is_told_what_to_type(
    tmp_path: Path, root: Root, layout: places.Layout
) -> None:
    around = machine(tmp_path / "top", layout, uid=1000)
    store, asroot = only(around), only(replace(around, uid=0))
    verdict = store.trust(root)
    assert (verdict.state, verdict.detail) == (State.NOT_TRUSTED, "it takes root")
    assert verdict.fix == store.look(root).fix
    typed(verdict.fix, around)
    assert store.look(root).state is State.TRUSTED
    assert asroot.look(root).state is State.TRUSTED
    verdict = store.distrust(root)
    assert verdict.state is State.TRUSTED
    typed(verdict.fix, around)
    assert store.look(root).state is State.NOT_TRUSTED


def typed(command: str | None, around: Around) -> None:
    """Type what was printed; `sudo` is whoever runs the test."""
    assert command is not None
    assert command.startswith("sudo ")
    line = command.replace("sudo ", "")
    subprocess.run(["/bin/sh", "-ec", line], check=True, env=dict(around.environ))


def test_what_fails_leaves_things_as_they_were(tmp_path: Path, root: Root) -> None:
    around = machine(tmp_path / "top", places.LAYOUTS[1])
    store, renewed = only(around), root_of(tmp_path)
    assert store.trust(root).state is State.TRUSTED
    (around.top / "broken").touch()
    verdict = store.trust(renewed)
    assert (verdict.state, verdict.detail) == (State.NOT_TRUSTED, "no space left")
    assert (verdict.fix or "").startswith("sudo install ")
    assert store.look(root).state is State.TRUSTED
    (around.top / "broken").unlink()
    subprocess.run([around.top / "bin" / "update-ca-certificates"], check=True)
    assert store.look(root).state is State.TRUSTED
    assert store.look(renewed).state is State.NOT_TRUSTED


def test_a_system_without_its_tool_is_told(tmp_path: Path, root: Root) -> None:
    around = machine(tmp_path / "top", places.LAYOUTS[2])
    if shutil.which("trust") is not None:
        pytest.skip("this machine has the tool")
    (around.top / "bin" / "trust").unlink()
    verdict = only(around).trust(root)
    assert (verdict.state, verdict.detail) == (State.NOT_TRUSTED, "trust is not installed")


def test_what_another_file_has_trusted_is_said(tmp_path: Path, root: Root) -> None:
    around = machine(tmp_path / "top", places.LAYOUTS[1])
    (around.top / "shipped").write_bytes(root.path.read_bytes())
    other = replace(root, name="taskmux-joe-other")
    store = only(around)
    assert store.trust(other).state is State.TRUSTED
    assert store.distrust(other).state is State.NOT_TRUSTED
    verdict = store.distrust(other)
    assert verdict.state is State.TRUSTED
    assert "another file" in verdict.detail


def test_an_unknown_system_has_no_store(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    assert survey.stores(Around(tmp_path, environ, 0, "linux", tmp_path)) == []


def test_macos_has_a_keychain(tmp_path: Path) -> None:
    around = Around(tmp_path, {"PATH": str(tmp_path)}, 501, "darwin", tmp_path)
    store = only(around, "keychain")
    assert store.place == f"{tmp_path}/Library/Keychains/login.keychain-db"


@pytest.mark.parametrize(("chosen", "kinds"), [("nss", set()), ("system,nss", {"system"})])
def test_stores_can_be_chosen(tmp_path: Path, chosen: str, kinds: set[str]) -> None:
    around = machine(tmp_path / "top", places.LAYOUTS[1])
    around = replace(around, environ={"PATH": str(tmp_path), "TRUST_STORES": chosen})
    assert {one.kind for one in survey.stores(around)} == kinds


# Databases


def database(folder: Path) -> None:
    folder.mkdir(parents=True)
    subprocess.run(list(places.making(str(folder))), check=True)


@pytest.fixture
def person(tmp_path: Path) -> Around:
    """Return a user of a machine with certutil, and without a browser."""
    tools = tmp_path / "tools"
    tools.mkdir()
    if (certutil := shutil.which("certutil")) is not None:
        (tools / "certutil").symlink_to(certutil)
    home = tmp_path / "[joe]"
    home.mkdir()
    return Around(home, {"PATH": str(tools)}, 1000, "linux", tmp_path / "top")


def nss(around: Around) -> dict[str, Store]:
    return {os.path.relpath(one.place, around.home): one for one in survey.stores(around)}


@needs_certutil
def test_every_database_of_the_user_is_found_once(person: Around) -> None:
    known = [
        ".mozilla/firefox/a.default", ".config/mozilla/firefox/b", "snap/chromium/7/.pki/nssdb",
        ".var/app/org.mozilla.firefox/.mozilla/firefox/c", ".pki/nssdb",
    ]  # fmt: skip
    for name in known:
        (person.home / name).mkdir(parents=True)
        (person.home / name / "cert9.db").touch()
    (person.home / "snap/chromium/current").symlink_to("7")
    (person.home / ".mozilla/firefox/Crash Reports").mkdir()
    (person.home / ".mozilla/firefox/again").symlink_to("a.default")
    found = {place: store.kind for place, store in nss(person).items()}
    assert found == {
        ".mozilla/firefox/a.default": "Firefox",
        ".config/mozilla/firefox/b": "Firefox",
        "snap/chromium/current/.pki/nssdb": "Chromium",
        ".var/app/org.mozilla.firefox/.mozilla/firefox/c": "Firefox",
        ".pki/nssdb": "Chromium",
    }


@needs_certutil
def test_a_database_trusts_it_and_not_any_more(person: Around, root: Root, tmp_path: Path) -> None:
    database(person.home / ".mozilla/firefox/x")
    [store] = nss(person).values()
    assert store.look(root).state is State.NOT_TRUSTED
    assert store.trust(root).state is State.TRUSTED
    assert store.trust(root).state is State.TRUSTED
    renewed = root_of(tmp_path)
    assert store.look(renewed).state is State.NOT_TRUSTED
    assert store.trust(renewed).state is State.TRUSTED
    assert store.look(root).state is State.NOT_TRUSTED, "the new one took its place"
    shown = subprocess.run(
        ["certutil", "-L", "-d", f"sql:{store.place}"], capture_output=True, check=True
    )
    assert shown.stdout.count(b"taskmux-") == 1
    assert store.plan(renewed, adding=False) != []
    assert store.distrust(replace(renewed, der=None)).state is State.NOT_TRUSTED
    assert store.plan(renewed, adding=False) == []
    assert store.look(renewed).state is State.NOT_TRUSTED


@needs_certutil
def test_what_is_there_and_not_trusted_is_told_apart(person: Around, root: Root) -> None:
    database(person.home / ".pki/nssdb")
    [store] = nss(person).values()
    command = list(places.enrolling(store.place, root.name, str(root.path)))
    command[command.index("C,,")] = ",,"
    subprocess.run(command, check=True)
    verdict = store.look(root)
    assert (verdict.state, "not trusted" in verdict.detail) == (State.NOT_TRUSTED, True)
    assert store.trust(root).state is State.TRUSTED


@needs_certutil
@pytest.mark.parametrize("where", [None, ".pki/nssdb", ".local/share/pki/nssdb"])
def test_one_is_made_for_a_browser_that_has_none_yet(
    person: Around, root: Root, where: str | None
) -> None:
    assert nss(person) == {}
    browser = Path(person.environ["PATH"], "chromium")
    browser.touch(mode=0o755)
    if where is not None:
        database(person.home / where)
    [(place, store)] = nss(person).items()
    assert place == (where or ".pki/nssdb")
    assert len(store.plan(root, adding=True)) == (3 if where is None else 1)
    assert store.look(root).state is State.NOT_TRUSTED
    assert store.trust(root).state is State.TRUSTED
    assert Path(store.place).stat().st_mode & 0o777 == (0o700 if where is None else 0o755)


@needs_certutil
def test_a_damaged_database_is_left_as_it_is(person: Around, root: Root) -> None:
    database(person.home / ".pki/nssdb")
    file = person.home / ".pki/nssdb/cert9.db"
    file.write_bytes(b"no database at all")
    [store] = nss(person).values()
    assert store.look(root).state is State.UNKNOWN
    verdict = store.trust(root)
    assert verdict.state is State.NOT_TRUSTED
    assert "SEC_ERROR" in verdict.detail
    assert (verdict.fix or "").startswith("certutil -A ")
    assert file.read_bytes() == b"no database at all"


def test_without_the_tool_nothing_can_be_told(tmp_path: Path, root: Root) -> None:
    if shutil.which("certutil", path="/usr/sbin:/sbin:/usr/local/sbin") is not None:
        pytest.skip("certutil is where every user's programs are looked for")
    around = replace(machine(tmp_path / "top", places.LAYOUTS[0]), uid=1000)
    (around.home / ".pki/nssdb").mkdir(parents=True)
    (around.home / ".pki/nssdb/cert9.db").touch()
    around = replace(around, environ={"PATH": f"{around.top}/bin"})
    store = only(around, "Chromium")
    for verdict in (store.look(root), store.trust(root), store.distrust(root)):
        assert verdict.state is State.UNKNOWN
        assert verdict.fix == f"sudo dnf install nss-tools && {MAKE}"

"""The commands about trust. Only the databases of the test's own folder are changed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskmux import paths
from taskmux.cli.schemas import REPORTS
from taskmux.trust import authority, places
from tests.cli.conftest import FakeDaemon, Taskmux, about

needs_certutil = pytest.mark.skipif(
    shutil.which("certutil") is None, reason="certutil, of NSS's tools, is not installed"
)


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a user's folder, with a profile of Firefox; of the stores only such count."""
    folder = tmp_path / "person"
    profile = folder / ".mozilla/firefox/x"
    profile.mkdir(parents=True)
    if shutil.which("certutil") is not None:
        subprocess.run(places.making(str(profile)), check=True)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "CAROOT", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TRUST_STORES", "nss")
    return folder


def states(document: Any) -> set[str]:
    return {one["state"] for one in document["stores"] if one["kind"] == "Firefox"}


@needs_certutil
def test_it_is_installed_shown_and_uninstalled(taskmux: Taskmux, home: Path) -> None:
    assert states(taskmux("ca", "status", "--json").document) == {"not_trusted"}
    assert not paths.authority(home).exists()
    planned = taskmux("ca", "install", "--dry-run")
    assert (planned.status, "$ certutil -A " in planned.out) == (0, True)
    assert not paths.authority(home).exists()
    done = taskmux("ca", "install", "--json")
    assert (done.status, done.document["ok"], states(done.document)) == (0, True, {"trusted"})
    assert done.document["certificate"] == paths.root(home).read_text()
    shown = taskmux("ca", "status", "--json").document
    assert states(shown) == {"trusted"}
    assert shown["fingerprint"] == done.document["fingerprint"]
    assert shown["constraint"] == ["localhost", "127.0.0.0/8", "::1/128"]
    assert shown["expires"].startswith("20")
    assert taskmux("ca", "install", "--dry-run").out == "Nothing to do\n"
    gone = taskmux("ca", "uninstall", "--json")
    assert (gone.status, states(gone.document)) == (0, {"not_trusted"})
    assert paths.root(home).exists()
    assert states(taskmux("ca", "status", "--json").document) == {"not_trusted"}


@needs_certutil
@pytest.mark.parametrize("lost", ["all", "the key"])
def test_what_was_trusted_can_be_removed_when_the_authority_is_gone(
    taskmux: Taskmux, home: Path, lost: str
) -> None:
    assert taskmux("ca", "install").status == 0
    if lost == "all":
        assert taskmux("clean", "--all").status == 0
        assert not paths.authority(home).exists()
    else:
        (paths.authority(home) / authority.KEY).unlink()
    planned = taskmux("ca", "uninstall", "--dry-run")
    assert "$ certutil -D " in planned.out
    assert taskmux("ca", "uninstall").status == 0
    assert taskmux("ca", "uninstall", "--dry-run").out == "Nothing to do\n"


def test_what_could_not_be_done_is_told(taskmux: Taskmux, person: Path, tmp_path: Path) -> None:
    if any(Path(folder, "certutil").exists() for folder in ("/usr/sbin", "/sbin")):
        pytest.skip("certutil is where every user's programs are looked for")
    (person / ".mozilla/firefox/x/cert9.db").touch()
    outcome = taskmux("ca", "install", PATH=str(tmp_path))
    assert outcome.status == 1
    assert "certutil is not installed" in outcome.out
    assert " && taskmux ca install" in outcome.out


def test_a_damaged_authority_is_told_and_replaced(taskmux: Taskmux, home: Path) -> None:
    authority.own(home, ("localhost",))
    (paths.authority(home) / authority.KEY).write_text("")
    outcome = taskmux("ca", "status")
    assert (outcome.status, "E500" in outcome.err) == (1, True)
    assert "hint: run `taskmux ca install`" in outcome.err
    taskmux("ca", "install")
    assert taskmux("ca", "status").status == 0


def test_a_daemon_that_signs_with_the_one_before_is_told_of(
    taskmux: Taskmux, home: Path, daemon: FakeDaemon
) -> None:
    daemon.answers["hello"] = about()
    authority.own(home, ("localhost",))
    assert "restart" not in taskmux("ca", "install").err
    (paths.authority(home) / authority.KEY).unlink()
    assert "(pid 4711) takes it up with `taskmux daemon restart`" in taskmux("ca", "install").err


# Certificates by hand


def test_a_certificate_is_minted_for_who_asks(taskmux: Taskmux, home: Path) -> None:
    made = taskmux("ca", "mint", "app.localhost", "127.0.0.1", "--json").document
    key, certificate = Path(made["key"]), Path(made["certificate"])
    assert (certificate.parent, key.parent) == (home / "certs" / "app.localhost",) * 2
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert made["names"] == ["app.localhost", "127.0.0.1"]
    check = ["openssl", "verify", "-CAfile", made["root"], "-untrusted", made["certificate"]]
    if shutil.which("openssl") is not None:
        for name in (["-verify_hostname", "app.localhost"], ["-verify_ip", "127.0.0.1"]):
            subprocess.run([*check, *name, made["certificate"]], check=True, capture_output=True)
    shown = taskmux("clean", "--certs", "--dry-run", "--json").document
    assert [one["path"] for one in shown["removed"]] == [str(certificate.parent)]
    assert certificate.exists()
    assert taskmux("clean", "--certs").status == 0
    assert not certificate.parent.exists()
    assert paths.root(home).exists()


def test_a_project_s_is_for_all_its_names(taskmux: Taskmux, home: Path, config: Path) -> None:
    made = taskmux("ca", "mint", "--json").document
    assert made["names"] == ["shop.localhost", "*.shop.localhost"]
    assert taskmux("ca", "mint").out.startswith("✓ shop.localhost, *.shop.localhost, until ")


def test_without_a_project_it_needs_a_name(taskmux: Taskmux) -> None:
    assert "E100" in taskmux("ca", "mint").err


@pytest.mark.parametrize("name", ["example.com", "*.localhost", "../../x.localhost", "10.0.0.1"])
def test_other_names_are_refused(taskmux: Taskmux, home: Path, name: str) -> None:
    outcome = taskmux("ca", "mint", "--json", "app.localhost", name)
    assert (outcome.status, outcome.document["error_code"]) == (1, "E501")
    assert not (home / "certs").exists()


def test_clean_deletes_one_thing_at_a_time(taskmux: Taskmux) -> None:
    assert taskmux("clean", "--certs", "--logs").status == 2


# mkcert


def test_mkcerts_authority_is_shown_and_left_to_mkcert(
    taskmux: Taskmux, home: Path, person: Path
) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('ca = "mkcert"\n')
    outcome = taskmux("ca", "status")
    assert (outcome.status, "E500" in outcome.err) == (1, True)
    assert "mkcert -install" in outcome.err
    theirs = person / ".local/share/mkcert"
    if sys.platform == "darwin":
        theirs = person / "Library/Application Support/mkcert"
    made = authority.own(home, ("localhost",))
    theirs.mkdir(parents=True)
    shutil.copy(paths.root(home).with_name(authority.ISSUER), theirs / "rootCA.pem")
    shutil.copy(paths.root(home).with_name(authority.KEY), theirs / "rootCA-key.pem")
    shown = taskmux("ca", "status", "--json").document
    assert shown["root"] == str(theirs / "rootCA.pem")
    assert shown["name"] == f"mkcert development CA {made.issuer.serial_number}"
    assert taskmux("ca", "uninstall", "--json").document["error_code"] == "E502"
    assert taskmux("ca", "mint", "x.localhost", "--json").document["root"] == shown["root"]


# The house


@pytest.mark.parametrize("name", ["AuthorityReport", "TrustReport", "MintReport"])
def test_what_is_answered_has_a_schema(name: str) -> None:
    assert name in REPORTS


@pytest.mark.parametrize("words", [["clean", "--certs"], ["doctor"]])
def test_other_commands_do_without_what_signs(words: list[str]) -> None:
    script = (
        "import sys; from taskmux.cli import main; from pathlib import Path; import os, io\n"
        "main(sys.argv[1:], os.environ, Path.cwd(), io.StringIO(), io.StringIO())\n"
        "sys.exit('cryptography' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], env=os.environ, check=False)
    assert done.returncode == 0

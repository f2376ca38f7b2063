from __future__ import annotations

from pathlib import Path
from shlex import split

import pytest

from taskmux.errors import NotLocal
from taskmux.trust import places
from taskmux.trust.names import folder, mintable
from taskmux.trust.pem import certificates, fingerprint, pem

FEDORA, DEBIAN, ARCH, SUSE = places.LAYOUTS


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([], None),
        (["/etc/ssl/certs"], None),
        ([DEBIAN.folder], DEBIAN),
        ([DEBIAN.folder, FEDORA.folder], FEDORA),
        ([SUSE.folder, ARCH.folder], ARCH),
        ([SUSE.folder, DEBIAN.folder], DEBIAN),
        ([SUSE.folder], SUSE),
    ],
)
def test_the_first_layout_whose_folder_exists_counts(
    there: list[str], found: places.Layout | None
) -> None:
    assert places.layout(there) is found


@pytest.mark.parametrize(
    ("layout", "anchor", "rebuild"),
    [
        (FEDORA, "/etc/pki/ca-trust/source/anchors/x.pem", ["update-ca-trust", "extract"]),
        (DEBIAN, "/usr/local/share/ca-certificates/x.crt", ["update-ca-certificates"]),
        (ARCH, "/etc/ca-certificates/trust-source/anchors/x.crt", ["trust", "extract-compat"]),
        (SUSE, "/usr/share/pki/trust/anchors/x.pem", ["update-ca-certificates"]),
    ],
)
def test_what_is_to_be_typed(layout: places.Layout, anchor: str, rebuild: list[str]) -> None:
    assert f"{layout.folder}/x{layout.suffix}" == anchor
    root = "/home/joe's/root.pem"
    copied = ["sudo", "install", "-m", "644", root, anchor]
    assert split(places.adding(anchor, layout.rebuild, root)) == [*copied, "&&", "sudo", *rebuild]
    removed = ["sudo", "rm", anchor, "&&", "sudo", *rebuild]
    assert split(places.removing(anchor, layout.rebuild)) == removed


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("/h", ".pki/nssdb")),
        ({}, ("/h/.local/share", "pki/nssdb")),
        ({"XDG_DATA_HOME": "/data/"}, ("/data", "pki/nssdb")),
        ({"XDG_DATA_HOME": "data"}, ("/h/.local/share", "pki/nssdb")),
        ({}, ("/h/snap", "chromium/current/.pki/nssdb")),
        ({}, ("/h", ".mozilla/firefox/*")),
        ({}, ("/h/.config", "mozilla/firefox/*")),
        ({"XDG_CONFIG_HOME": "/c"}, ("/c", "mozilla/firefox/*")),
        ({}, ("/h/snap", "firefox/common/.mozilla/firefox/*")),
        ({}, ("/h/.var/app", "org.mozilla.firefox/.mozilla/firefox/*")),
        ({}, ("/h/.var/app", "org.mozilla.firefox/config/mozilla/firefox/*")),
    ],
)
def test_where_databases_may_be(environ: dict[str, str], expected: tuple[str, str]) -> None:
    assert expected in [place[1:] for place in places.databases("/h", environ)]


def test_what_macos_is_told() -> None:
    added = places.entrusting("/h/k", "/r")
    assert added[:2] == ("security", "add-trusted-cert")
    assert added[-3:] == ("-k", "/h/k", "/r")
    assert "-d" not in added  # which takes an administrator
    trust, certificate = places.revoking("/h/k", "/r", "AB")
    assert trust == ("security", "remove-trusted-cert", "/r")
    assert certificate[-3:] == ("-Z", "AB", "/h/k")


@pytest.mark.parametrize(
    ("user", "home", "same"),
    [("joe", "/h", True), ("joe", "/other", False), ("jane", "/h", False)],
)
def test_each_home_has_a_name_for_its_root(user: str, home: str, same: bool) -> None:
    assert (places.label(user, home) == places.label("joe", "/h")) is same


@pytest.mark.parametrize("user", ["../../etc", "a b", "", "ü", "-", "x" * 99])
def test_a_root_s_name_is_a_file_s_and_an_option_of_nothing(user: str) -> None:
    name = places.label(user, "/h")
    assert name.startswith("taskmux-")
    assert Path(name).name == name
    assert name.replace("-", "").isalnum()


# Names


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["shop.localhost"], ("shop.localhost",)),
        (["localhost", "127.0.0.1", "::1"], ("localhost", "127.0.0.1", "::1")),
        (["*.Shop.localhost.", "shop.localhost"], ("*.shop.localhost", "shop.localhost")),
        (["a.localhost", "A.localhost"], ("a.localhost",)),
        (["_a-b.c.localhost"], ("_a-b.c.localhost",)),
    ],
)
def test_local_names_can_be_minted(names: list[str], found: tuple[str, ...]) -> None:
    assert mintable(names) == found


@pytest.mark.parametrize(
    "name",
    [
        "example.com", "localhost.example.com", "evillocalhost", "*.localhost", "*", "",
        ".localhost", "a..localhost", "../x.localhost", "a/b.localhost", "a b.localhost",
        "x.*.localhost", "*.*.localhost", "-a.localhost", f"{'a' * 64}.localhost",
        f"{'a.' * 125}localhost", "10.0.0.1", "0.0.0.0", "::", "fe80::1", "bücher.localhost",
        "a.localhost\n", "a\0.localhost",
    ],
)  # fmt: skip
def test_other_names_cannot(name: str) -> None:
    with pytest.raises(NotLocal):
        mintable([name])


@pytest.mark.parametrize(
    ("names", "found"),
    [(["*.a.localhost", "b.localhost"], "a.localhost"), (["::1"], "--1")],
)
def test_what_the_folder_of_a_certificate_is_called(names: list[str], found: str) -> None:
    assert folder(mintable(names)) == found


# PEM


def test_what_is_around_certificates_is_left_out() -> None:
    one, other = b"\x30\x03abc" * 30, b"\x30\x01x"
    damaged = b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
    text = b"# a name\n" + pem(one) + damaged + b"\n\xff" + pem(other).replace(b"\n", b"\r\n")
    assert certificates(text) == [one, other]
    assert certificates(b"") == []


def test_a_fingerprint_is_what_browsers_show() -> None:
    assert fingerprint(b"").startswith("E3:B0:C4:42:")

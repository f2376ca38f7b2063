"""Where systems keep what they trust, and the commands that change it. Pure.

A command is a tuple of words. Nothing here is looked up: that is for who acts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from shlex import join, quote

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a family of Linux systems keeps what all its programs trust."""

    folder: str
    """Of certificates that the machine's owner added."""

    suffix: str
    rebuild: Command
    """Makes the bundles anew from the folders."""

    bundles: tuple[str, ...]
    """Files of everything that is trusted: the first that exists is asked."""

    certutil: Command
    """Installs the tool for the databases of browsers."""


LAYOUTS = (
    Layout(
        "/etc/pki/ca-trust/source/anchors",
        ".pem",
        ("update-ca-trust", "extract"),
        ("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/pki/tls/certs/ca-bundle.crt"),
        ("dnf", "install", "nss-tools"),
    ),
    Layout(
        "/usr/local/share/ca-certificates",
        ".crt",
        ("update-ca-certificates",),
        ("/etc/ssl/certs/ca-certificates.crt",),
        ("apt-get", "install", "libnss3-tools"),
    ),
    Layout(
        "/etc/ca-certificates/trust-source/anchors",
        ".crt",
        ("trust", "extract-compat"),
        ("/etc/ca-certificates/extracted/tls-ca-bundle.pem", "/etc/ssl/certs/ca-certificates.crt"),
        ("pacman", "-S", "nss"),
    ),
    Layout(
        "/usr/share/pki/trust/anchors",
        ".pem",
        ("update-ca-certificates",),
        ("/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/ca-bundle.pem"),
        ("zypper", "install", "mozilla-nss-tools"),
    ),
)
"""Fedora and its kin, Debian and its, Arch, openSUSE: the first whose folder exists counts."""


def layout(folders: Collection[str]) -> Layout | None:
    """Return how a system that has these folders keeps what it trusts; None for an unknown one."""
    return next((one for one in LAYOUTS if one.folder in folders), None)


def adding(anchor: str, rebuild: Command, root: str) -> str:
    """Return what a person types to have the system trust the certificate in the file `root`."""
    # A copy of a file for its owner alone would be one that nobody else can read.
    copy = join(("sudo", "install", "-m", "644", root, anchor))
    return f"{copy} && {join(('sudo', *rebuild))}"


def removing(anchor: str, rebuild: Command) -> str:
    """Return what a person types to have the system trust it no more."""
    return f"sudo rm {quote(anchor)} && {join(('sudo', *rebuild))}"


# Databases of browsers

CHROMIUM = "Chromium"
FIREFOX = "Firefox"
SHARED = ".pki/nssdb"
"""Below a user's folder, the database that Chromium and its kin make if there is none."""

MOVED = "mozilla/firefox/*"
"""Where new profiles of Firefox are, below the folder of configurations."""

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "google-chrome-beta",
    "google-chrome-unstable", "brave-browser", "microsoft-edge", "vivaldi",
)  # fmt: skip
"""Programs that trust what is in the shared database."""


def databases(home: str, environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return whose databases may be where: a folder, and a pattern of paths below it.

    On macOS browsers ask the keychain.
    """
    snap, flatpak = f"{home}/snap", f"{home}/.var/app"
    return [
        (CHROMIUM, home, SHARED),
        (CHROMIUM, data_folder(home, environ), "pki/nssdb"),
        (CHROMIUM, snap, "chromium/current/.pki/nssdb"),
        (CHROMIUM, flatpak, "*/.pki/nssdb"),
        (CHROMIUM, flatpak, "*/data/pki/nssdb"),
        (FIREFOX, home, ".mozilla/firefox/*"),
        (FIREFOX, _absolute(environ.get("XDG_CONFIG_HOME"), f"{home}/.config"), MOVED),
        (FIREFOX, snap, "firefox/common/.mozilla/firefox/*"),
        (FIREFOX, flatpak, "org.mozilla.firefox/.mozilla/firefox/*"),
        (FIREFOX, flatpak, f"org.mozilla.firefox/config/{MOVED}"),
    ]


def data_folder(home: str, environ: Mapping[str, str]) -> str:
    """Return where programs of a user keep data: what NSS asks where `~/.pki` does not exist."""
    return _absolute(environ.get("XDG_DATA_HOME"), f"{home}/.local/share")


def making(folder: str) -> Command:
    """Return the command that makes an empty database, without a password."""
    return ("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")


def enrolling(folder: str, nickname: str, root: str) -> Command:
    """Return the command that has a database trust the certificate in a file, for servers alone."""
    return ("certutil", "-A", "-d", f"sql:{folder}", "-t", "C,,", "-n", nickname, "-i", root)


def expelling(folder: str, nickname: str) -> Command:
    """Return the command that removes a certificate from a database."""
    return ("certutil", "-D", "-d", f"sql:{folder}", "-n", nickname)


def showing(folder: str, nickname: str) -> Command:
    """Return the command that prints what a database has under a name, as PEM."""
    return ("certutil", "-L", "-d", f"sql:{folder}", "-n", nickname, "-a")


def proving(folder: str, nickname: str) -> Command:
    """Return the command that fails unless a database trusts what it has under a name."""
    return ("certutil", "-V", "-d", f"sql:{folder}", "-u", "L", "-n", nickname)


# macOS

LOGIN = "Library/Keychains/login.keychain-db"
"""Below a user's folder: what is trusted here is trusted for that user, and takes no root."""


def entrusting(keychain: str, root: str) -> Command:
    """Return the command that has a user trust a certificate for TLS. macOS asks for consent."""
    policy = ("-r", "trustRoot", "-p", "ssl", "-p", "basic")
    return ("security", "add-trusted-cert", *policy, "-k", keychain, root)


def revoking(keychain: str, root: str, sha1: str) -> tuple[Command, Command]:
    """Return the commands that undo that: the trust, then the certificate itself."""
    return (
        ("security", "remove-trusted-cert", root),
        ("security", "delete-certificate", "-Z", sha1, keychain),
    )


def verifying(root: str) -> Command:
    """Return the command that fails unless macOS trusts the authority in a file, for TLS."""
    return ("security", "verify-cert", "-l", "-L", "-q", "-p", "ssl", "-c", root)


def label(user: str, home: str) -> str:
    """Return what the root of `user`, which is kept in `home`, is called wherever it is trusted.

    It outlives the certificate, so that a new one takes the old one's place everywhere.
    """
    name = "".join(letter for letter in user if letter.isascii() and letter.isalnum())[:32]
    return f"taskmux-{name or 'user'}-{sha256(home.encode(errors='replace')).hexdigest()[:8]}"


def _absolute(chosen: str | None, usual: str) -> str:
    return chosen.rstrip("/") if chosen and chosen.startswith("/") else usual

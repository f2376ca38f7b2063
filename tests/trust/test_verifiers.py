"""What programs make of our certificates: theirs for local names, and of others' names none."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from taskmux.trust import places
from taskmux.trust.issue import Authority, make_authority, make_leaf

GOOD, EVIL = "api.shop.localhost", "www.example.com"
NAMES = (GOOD, EVIL, "127.0.0.1")

PYTHON = """\
import socket, ssl, sys
root, port, name = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
with socket.create_connection(("127.0.0.1", int(port))) as plain:
    with context.wrap_socket(plain, server_hostname=name) as secure:
        secure.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print(secure.makefile("rb").read().decode())
"""
NODE = """\
const [port, servername] = process.argv.slice(1);
require("https").get({host: "127.0.0.1", port, servername}, r => r.pipe(process.stdout));
"""


@dataclass(frozen=True)
class Server:
    """Answers "well" to whoever trusts it, for any of `NAMES`."""

    folder: Path
    port: int

    @property
    def root(self) -> str:
        return str(self.folder / "root.pem")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    authority = make_authority("joe@here", ("localhost",), datetime.now(UTC))
    (folder / "root.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    contexts = {name: context_of(folder, authority, name) for name in NAMES}
    base = contexts["127.0.0.1"]

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object) -> None:
        connection.context = contexts.get(name or "", base)

    base.sni_callback = choose
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, base))
        thread.start()
        yield Server(folder, listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def context_of(folder: Path, authority: Authority, name: str) -> ssl.SSLContext:
    chain, key = make_leaf(authority, [name], datetime.now(UTC))
    file = folder / f"{name}.pem"
    file.write_bytes(key + chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with closing(plain), suppress(OSError):
            plain.settimeout(20)
            with context.wrap_socket(plain, server_side=True) as secure:
                secure.recv(4096)
                secure.sendall(b"HTTP/1.0 200 OK\r\ncontent-length: 4\r\n\r\nwell")


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def ask(program: str, server: Server, name: str) -> subprocess.CompletedProcess[bytes]:
    port = str(server.port)
    match program:
        case "curl":
            url, place = f"https://{name}:{port}/", f"{name}:{port}:127.0.0.1"
            words = ["-sS", "--cacert", server.root, "--resolve", place, url]
        case "node":
            words = ["-e", NODE, port, name]
        case _:
            words = ["-c", PYTHON, server.root, port, name]
    return subprocess.run(
        [needs(program), *words],
        input=b"GET / HTTP/1.0\r\n\r\n",
        capture_output=True,
        env={"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": server.root},
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("program", ["curl", "node", sys.executable])
def test_a_program_takes_what_is_local_and_nothing_else(server: Server, program: str) -> None:
    good = ask(program, server, GOOD)
    assert good.returncode == 0, good.stderr
    evil = ask(program, server, EVIL)
    assert evil.returncode != 0
    assert b"well" not in evil.stdout
    said = (evil.stdout + evil.stderr).lower()
    assert b"permitted subtree" in said or b"permitted_subtree" in said


def test_nss_takes_what_is_local_and_nothing_else(server: Server, tmp_path: Path) -> None:
    needs("certutil")
    run = [places.making(str(tmp_path)), places.enrolling(str(tmp_path), "root", server.root)]
    for name in (GOOD, EVIL):  # each with its chain, of which certutil takes the first alone
        leaf, *chain = (server.folder / f"{name}.pem").read_text().split("-----BEGIN CERT")[1:]
        for number, text in enumerate([leaf, *chain]):
            file = tmp_path / f"{name}-{number}.pem"
            file.write_text(f"-----BEGIN CERT{text}")
            words = ("-d", f"sql:{tmp_path}", "-t", ",,", "-n", file.stem, "-i", str(file))
            run.append(("certutil", "-A", *words))
    for command in run:
        subprocess.run(command, check=True)
    assert verify(tmp_path, f"{GOOD}-0") == (0, "certificate is valid")
    status, said = verify(tmp_path, f"{EVIL}-0")
    assert status != 0
    assert "not permitted to issue a certificate with this name" in said


def verify(folder: Path, name: str) -> tuple[int, str]:
    command = ["certutil", "-V", "-d", f"sql:{folder}", "-u", "V", "-n", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip().removeprefix("certutil: ")


def test_chromium_takes_what_is_local_and_nothing_else(server: Server, tmp_path: Path) -> None:
    chromium = needs("chromium")
    needs("certutil")
    database = tmp_path / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for command in (
        places.making(str(database)),
        places.enrolling(str(database), "root", server.root),
    ):
        subprocess.run(command, check=True)
    seen = {}
    for name in (GOOD, EVIL):
        words = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-background-networking", "--no-proxy-server",
            f"--user-data-dir={tmp_path}/{name}", f"--host-resolver-rules=MAP {name} 127.0.0.1",
            "--dump-dom", f"https://{name}:{server.port}/",
        ]  # fmt: skip
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(words, capture_output=True, env=environ, timeout=50, check=False)
        seen[name] = done
    assert b"well" in seen[GOOD].stdout
    assert b"well" not in seen[EVIL].stdout
    # Errors from 200 on are those of certificates, and Chromium does not name them each time.
    assert re.search(rb"ERR_CERT_|net_error -2\d\d\b", seen[EVIL].stderr)

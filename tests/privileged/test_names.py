"""Names of tasks, as programs find them on a machine where the user started with sudo."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.privileged.machine import Machine

pytestmark = pytest.mark.timeout(180)  # some dozen programs start here, on a machine that is shared

SHOP = f"""
name = "shop"
[tasks.api]
command = "exec {sys.executable} -m http.server $PORT --bind 127.0.0.1"
host = "api"
"""
LOOK_UP = """
import json, socket, subprocess, sys, urllib.request

def said(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=30).stdout

def python(name):
    try:
        with urllib.request.urlopen(f"http://{name}:{port}/", timeout=20) as answer:
            return sorted({info[4][0] for info in socket.getaddrinfo(name, 80)}), answer.status
    except OSError:
        return [], None

port, *names = sys.argv[1:]
curl = ["curl", "-s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}"]
print(json.dumps([
    {
        "getent": sorted({line.split()[0] for line in said("getent", "ahosts", name).splitlines()}),
        "python": python(name),
        "curl": said(*curl, f"http://{name}:{port}/"),
    }
    for name in names
]))
"""
BOTH = ["127.0.0.1", "::1"]
HERE: dict[str, object] = {"getent": BOTH, "python": [BOTH, 200], "curl": "200"}
NOWHERE: dict[str, object] = {"getent": [], "python": [[], None]}


def begin(joes: Machine, settings: str) -> str:
    """Start the daemon with sudo where joe has the project; return what is said of it."""
    joes.write(joes.ours / "config.toml", f"api_port = 0\nproxy_enabled = false\n{settings}")
    config = joes.home / "shop" / "taskmux.toml"
    joes.write(config, SHOP)
    joes.write(joes.ours / "registry.json", json.dumps({"shop": str(config)}))
    joes.run("mount", "--bind", nameservers(joes), "/etc/resolv.conf")
    started = joes.sudo("daemon", "start", "--json")
    assert started.returncode == 0, started
    return started.stderr


def serve(joes: Machine) -> int:
    """Start the task as joe; return its port."""
    joes.ask("--project", "shop", "start", "api")
    [api] = joes.ask("--project", "shop", "status")["tasks"]
    port: int = api["port"]
    return port


def nameservers(joes: Machine) -> str:
    """Return a file that sends every lookup to this machine, where nobody is waited for long."""
    path = joes.folder / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    return str(path)


def told(joes: Machine) -> dict[str, object]:
    """Return what `doctor` found once the resolver was told of the names: no command waits."""
    while True:
        checks = json.loads(joes.joe("doctor", "--json").stdout)["checks"]
        for check in checks:
            assert check["name"] != "names" or check["ok"], check
            if check["name"] == "resolving":
                return dict(check)


def look_up(joes: Machine, port: int, *names: str) -> list[dict[str, object]]:
    """Return what programs find under each name, and at that port of it."""
    done = joes.run(sys.executable, "-c", LOOK_UP, str(port), *names)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
def test_the_hosts_file_leads_programs_to_a_task(joes: Machine) -> None:
    # The domain of the other resolver is nothing to this one.
    begin(joes, 'host_resolver = "etc_hosts"\ndns_managed_tld = "test"\n')
    port = serve(joes)
    assert told(joes)["detail"] == "api.shop.localhost lead here"
    api, other = look_up(joes, port, "api.shop.localhost", "other.shop.localhost")
    assert api == HERE
    assert other == HERE | NOWHERE, "curl needs nobody's help"
    joes.ask("daemon", "stop")
    hosts = (joes.folder / "hosts").read_text()
    assert hosts.count("api.shop.localhost") == 2, "who is not root cannot take them away"


@needs_curl
def test_the_name_server_leads_programs_to_every_name(joes: Machine) -> None:
    joes.run("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=53")
    begin(joes, 'host_resolver = "dns_server"\ndns_server_port = 53\n')
    port = serve(joes)
    joes.ask("daemon", "restart")
    assert told(joes)["detail"] == "api.shop.localhost lead here"
    names = ["api.shop.localhost", "other.shop.localhost"]
    assert look_up(joes, port, *names) == [HERE, HERE]
    joes.ask("daemon", "stop")
    [after] = look_up(joes, port, "api.shop.localhost")
    assert after == NOWHERE | {"curl": "000"}
    assert (joes.folder / "hosts").read_text() == "127.0.0.1 localhost\n"


def test_where_nobody_can_be_told_to_ask_the_name_server_there_is_advice(joes: Machine) -> None:
    refused, hint, _ = begin(joes, 'host_resolver = "dns_server"\n').splitlines()
    assert refused.endswith("systemd-resolved is not in use")
    assert hint.startswith('hint: set `host_resolver = "etc_hosts"`')
    found = told(joes)
    assert (found["ok"], "could not resolve" in str(found["detail"])) == (False, True)
    assert str(found["fix"]).startswith("run `sudo taskmux dns install`")
    joes.ask("daemon", "stop")

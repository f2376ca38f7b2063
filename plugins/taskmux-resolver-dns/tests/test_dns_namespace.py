"""Names resolved by the C library, in a namespace whose only DNS server is ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

APART = ["unshare", "--map-root-user", "--net", "--mount", "--propagation", "private"]

SCRIPT = """
import json, logging, socket, subprocess, sys
from anyio.from_thread import start_blocking_portal
from taskmux_resolver_dns.operations import install
from taskmux_resolver_dns.resolver import serving
from taskmux_resolver_dns.settings import DnsSettings
from taskmux_resolver_dns.system import System

def getent(*words):
    done = subprocess.run(["getent", *words], stdout=subprocess.PIPE, text=True, timeout=30)
    return [done.returncode, sorted({line.split()[0] for line in done.stdout.splitlines()})]

def look_up(name, family=0):
    try:
        return sorted({info[4][0] for info in socket.getaddrinfo(name, 80, family)})
    except socket.gaierror as error:
        return error.strerror

settings = DnsSettings(53)
facts, text = install(System(), settings, "")
with start_blocking_portal() as portal, portal.wrap_async_context_manager(
    serving(settings, logging.getLogger())
):
    found = {
        "getent": getent("ahosts", "api.shop.localhost"),
        "by IPv4": look_up("api.shop.localhost", socket.AF_INET),
        "by IPv6": look_up("api.shop.localhost", socket.AF_INET6),
        "python": look_up("Web.Shop.LocalHost"),
        "somebody else's": look_up("example.com"),
        "self-test": facts["self_test"]["ok"],
        "why": facts["detail"],
    }
print(json.dumps(found | {"after": look_up("api.shop.localhost")}))
"""


def resolved_apart(folder: Path, ipv6: bool) -> dict[str, Any]:
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    (folder / "nsswitch.conf").write_text("hosts: files dns\n")
    begin = "" if ipv6 else "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && "
    begin += "ip link set lo up"
    for name in ("resolv.conf", "nsswitch.conf"):
        begin += f" && mount --bind {folder}/{name} /etc/{name}"
    try:
        subprocess.run([*APART, "sh", "-c", begin], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as why:
        pytest.skip(f"takes a network of its own, by unshare and ip: {why}")
    command = [*APART, "sh", "-c", f'{begin} && exec "$0" "$@"', sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("ipv6", [True, False], ids=["both families", "without IPv6"])
def test_the_c_library_resolves_our_names(tmp_path: Path, ipv6: bool) -> None:
    both = ["127.0.0.1", "::1"] if ipv6 else ["127.0.0.1"]
    found = resolved_apart(tmp_path, ipv6)
    assert found["getent"] == [0, both]
    assert found["by IPv4"] == ["127.0.0.1"]
    if ipv6:
        assert found["by IPv6"] == ["::1"]
    else:
        assert isinstance(found["by IPv6"], str), "there is no such address"
    assert found["python"] == both
    assert found["self-test"] is True
    assert "names 127.0.0.1" in found["why"]
    assert isinstance(found["somebody else's"], str)
    assert isinstance(found["after"], str), "nothing resolves once it has ended"

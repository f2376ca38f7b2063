from __future__ import annotations

from collections.abc import Mapping

import pytest
from taskmux_resolver_hosts.place import BadSetting, Place, chosen, system_hosts

ETC = Place("/etc/hosts")


@pytest.mark.parametrize(
    ("platform", "environ", "place"),
    [
        ("linux", {"SystemRoot": "/evil"}, ETC),
        ("darwin", {}, ETC),
        ("win32", {}, Place(r"C:\Windows\System32\drivers\etc\hosts", b"\r\n")),
        ("win32", {"SystemRoot": r"D:\W"}, Place(r"D:\W\System32\drivers\etc\hosts", b"\r\n")),
        ("win32", {"SYSTEMROOT": r"D:\W"}, Place(r"D:\W\System32\drivers\etc\hosts", b"\r\n")),
        ("win32", {"systemroot": ""}, Place(r"C:\Windows\System32\drivers\etc\hosts", b"\r\n")),
    ],
)
def test_where_the_system_looks(platform: str, environ: Mapping[str, str], place: Place) -> None:
    assert system_hosts(platform, environ) == place


def test_the_settings_may_name_another_file() -> None:
    assert chosen({}, ETC) is ETC
    assert chosen({"hosts_file": None}, ETC) is ETC
    assert chosen({"hosts_file": "/etc/hosts"}, ETC) is ETC
    assert chosen({"hosts_file": "/home/me/hosts"}, ETC) == Place("/home/me/hosts")
    windows = system_hosts("win32", {})
    assert chosen({"hosts_file": r"D:\hosts"}, windows) == Place(r"D:\hosts", b"\r\n")


@pytest.mark.parametrize(
    "value", [7, True, ["/a"], {}, b"/a", "", "hosts", "~/hosts", "./a", "/a\0"]
)
def test_a_setting_that_cannot_be_meant_is_told_in_words(value: object) -> None:
    with pytest.raises(BadSetting, match=r"^hosts_file = .* is not an? (absolute )?path") as raised:
        chosen({"hosts_file": value}, ETC)
    assert raised.value.__notes__ == [
        'write it like hosts_file = "/home/me/hosts", or leave it out for the system\'s'
    ]

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from taskmux.api import messages
from taskmux.api.messages import Envelope
from taskmux.errors import BadRequest, NotRunning, TaskmuxError, UnknownCommand, UnknownSession
from taskmux.wire import COMMANDS, ActionReport, Report, Status, StatusReport, Wait
from taskmux.wire.reached import ProxyReport

PYTHON_WORDS = ("Expected", "Object", "`", "$", "msgspec")


def request_of(message: object) -> Any:
    return messages.read(json.dumps(message)).request()


def outcome(message: object) -> Any:
    """The request, or what is wrong with it."""
    try:
        return request_of(message)
    except BadRequest as error:
        return str(error)


def complaint_about(message: bytes) -> str:
    with pytest.raises(TaskmuxError) as caught:
        messages.read(message).request()
    assert isinstance(caught.value, BadRequest | UnknownCommand)
    return str(caught.value)


def test_a_message_becomes_its_request() -> None:
    envelope = messages.read(b'{"id": 7, "command": "status", "params": {"session": "shop"}}')
    assert (envelope.id, envelope.command) == (Raw(b"7"), "status")
    assert envelope.request() == Status(session="shop")


def test_params_and_id_may_be_left_out() -> None:
    envelope = messages.read('{"command": "status"}')
    assert envelope.id is None
    assert envelope.request() == Status()


def test_a_number_may_be_whole_where_any_number_will_do() -> None:
    assert request_of({"command": "wait", "params": {"timeout": 3}}) == Wait(timeout=3.0)


@pytest.mark.parametrize(
    "raw",
    ["7", '"a"', "null", "1.50", '{"a": [1,  2]}', "1" * 5000, "1e999", '"\\ud83d\\ude00"'],
)
def test_any_id_comes_back_as_it_was(raw: str) -> None:
    envelope = messages.read(f'{{"id": {raw}, "command": "status"}}')
    assert messages.answer(envelope, Report()).decode() == (
        f'{{"id":{raw},"command":"status","ok":true}}'
    )


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b"", "the message is empty"),
        (b" \r", "the message is empty"),
        (b"{", "the message is not JSON, from character 2 on"),
        (b"status", "the message is not JSON, from character 1 on"),
        (b'{"command": "status"} x', "the message is not JSON, from character 23 on"),
        (b"\xff\xfe", "the message is not UTF-8"),
        (b'{"command": "\xc3("}', "the message is not UTF-8"),
        (b"[]", "a message must be a JSON object"),
        (b"null", "a message must be a JSON object"),
        (b'"status"', "a message must be a JSON object"),
        (b'{"id": NaN}', "NaN is not a JSON number"),
        (b'{"id": -Infinity}', "-Infinity is not a JSON number"),
        (b"[" * 100_000, "the message is nested too deeply"),
        (b'{"a":' * 100_000, "the message is nested too deeply"),
        (b'{"id": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "the message is nested too deeply"),
        (b'{"id": "\\ud800"}', "a string in the message is not Unicode"),
        (b'{"command": "status", "command": "kill"}', "key 'command' is there twice"),
        (
            b'{"command": "status", "params": {"session": "a", "session": "b"}}',
            "key 'session' is there twice",
        ),
        (b'{"x": "' + b"x" * 1024 * 1024 + b'"}', "a message may have 1048576 bytes at most"),
        (b"{}", "command is missing"),
        (b'{"command": 5}', "command must be a string"),
        (b'{"command": null}', "command must be a string"),
        (b'{"command": "status", "session": "a"}', "a message has no key 'session'"),
        (b'{"command": "staus"}', "no command named 'staus'"),
        (b'{"command": "__class__"}', "no command named '__class__'"),
        (b'{"command": "status", "params": []}', "params must be an object, not a list"),
        (b'{"command": "status", "params": null}', "params must be an object, not null"),
        (b'{"command": "inspect"}', "params.task is missing"),
        (b'{"command": "status", "params": {"sesion": 1}}', "params has no key 'sesion'"),
        (
            b'{"command": "wait", "params": {"timeout": "x"}}',
            "params.timeout must be a number or null, not a string",
        ),
        (
            b'{"command": "wait", "params": {"timeout": 1e999}}',
            "params.timeout is too large a number",
        ),
        (
            b'{"command": "logs", "params": {"lines": 1.5}}',
            "params.lines must be a whole number or null, not a number",
        ),
        (
            b'{"command": "logs", "params": {"lines": 99999999999999999999}}',
            "params.lines is too large a number",
        ),
        (
            b'{"command": "stop", "params": {"tasks": "web"}}',
            "params.tasks must be a list, not a string",
        ),
        (
            b'{"command": "stop", "params": {"tasks": ["web", 1]}}',
            "params.tasks[1] must be a string, not a whole number",
        ),
        (
            b'{"command": "start", "params": {"environ": {"PATH": 1}}}',
            "params.environ[\u2026] must be a string, not a whole number",
        ),
        (
            b'{"command": "start", "params": {"if_stopped": 1}}',
            "params.if_stopped must be true or false, not a whole number",
        ),
        (
            b'{"command": "status", "params": {"session": "a\\u0000b"}}',
            "a string in params holds a NUL character",
        ),
    ],
)
def test_a_message_that_cannot_be_meant_is_told_why(message: bytes, sentence: str) -> None:
    assert complaint_about(message) == sentence


def test_a_backslash_before_u0000_is_only_text() -> None:
    request = request_of({"command": "status", "params": {"session": "\\u0000"}})
    assert request == Status(session="\\u0000")


def test_a_misspelt_key_is_recognised() -> None:
    with pytest.raises(BadRequest) as caught:
        request_of({"command": "status", "params": {"sesion": "shop"}})
    assert caught.value.hint == "did you mean 'session'?"


def test_a_key_like_no_other_is_told_which_there_are() -> None:
    with pytest.raises(BadRequest) as caught:
        request_of({"command": "status", "params": {"zzz": "shop"}})
    assert caught.value.hint == "known here: config, session"


def test_every_command_can_be_asked_and_says_what_it_lacks() -> None:
    for command, kind in COMMANDS.items():
        asked = outcome({"command": command})
        assert isinstance(asked, kind) or asked.endswith(" is missing")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
params = st.dictionaries(
    st.sampled_from(["task", "tasks", "timeout", "environ", "fields", "lines", "after", "x"]),
    json_values,
    max_size=3,
)


@given(st.sampled_from(sorted(COMMANDS)), params)
@settings(deadline=None, database=None)
def test_no_params_lead_to_another_error_or_to_python_wording(
    command: str, params: dict[str, Any]
) -> None:
    asked = outcome({"command": command, "params": params})
    assert isinstance(asked, COMMANDS[command]) or not any(word in asked for word in PYTHON_WORDS)


@given(st.binary() | st.text())
@settings(deadline=None, database=None)
def test_no_bytes_lead_to_another_error(message: bytes | str) -> None:
    try:
        messages.read(message).request()
    except (BadRequest, UnknownCommand) as error:
        messages.refusal(Envelope(), error)


def test_an_answer_has_the_fields_of_its_report_and_no_others() -> None:
    report = ActionReport(task="web", action="started", state="running", reason="ready")
    assert json.loads(messages.answer(Envelope(command="start"), report)) == {
        "command": "start",
        "ok": True,
        "task": "web",
        "action": "started",
        "state": "running",
        "reason": "ready",
    }


def test_a_report_that_failed_says_so_itself() -> None:
    report = ActionReport(ok=False, task="web", action="failed", state="failed", reason="no")
    assert json.loads(messages.answer(Envelope(), report))["ok"] is False


def test_an_answer_survives_names_that_are_not_unicode() -> None:
    status = StatusReport(
        session="shop",
        running=False,
        state="ok",
        error=None,
        config="/home/\udce9/taskmux.toml",
        tasks=[],
        warnings=[],
        proxy=ProxyReport(bound=False, port=None, reason="off"),
        daemon_pid=1,
    )
    envelope = messages.read('{"id": [1], "command": "status"}')
    answer = json.loads(messages.answer(envelope, status))
    assert (answer["id"], answer["config"]) == ([1], "/home/?/taskmux.toml")
    assert answer["proxy"] == {"bound": False, "port": None, "reason": "off"}


def test_an_error_is_named_for_programs_and_worded_for_people() -> None:
    envelope = messages.read('{"id": 1, "command": "kill"}')
    assert json.loads(messages.refusal(envelope, NotRunning("web", "stopped"))) == {
        "id": 1,
        "command": "kill",
        "ok": False,
        "error": "not_running",
        "message": "web is not running: it is stopped",
        "error_code": "E202",
        "hint": "run `taskmux start web`",
        "task": "web",
        "state": "stopped",
    }


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (UnknownSession("x"), "unknown_session"),
        (UnknownCommand("x", []), "unknown_command"),
        (BadRequest("x"), "bad_request"),
    ],
)
def test_errors_have_the_names_programs_match_on(error: TaskmuxError, name: str) -> None:
    assert messages.name_of(error) == name


class Liar(TaskmuxError):
    """An error whose facts look like something else."""

    code = "E999"

    def __init__(self) -> None:
        facts: dict[str, Any] = {
            "ok": True, "id": 1, "command": "x", "message": "all is well", "error_code": "E000",
            "push": "event", "path": Path("/x"), "name": "y",
        }  # fmt: skip
        super().__init__("a lie", **facts)


def test_no_fact_of_an_error_passes_for_something_else() -> None:
    answer = json.loads(messages.refusal(Envelope(command="status"), Liar()))
    assert answer == {
        "command": "status",
        "ok": False,
        "error": "liar",
        "message": "a lie",
        "error_code": "E999",
        "hint": None,
        "path": "/x",
        "name": "y",
    }


def test_a_push_says_first_what_it_is() -> None:
    push = messages.push({"seq": 1, "push": "event", "event": "task_started"})
    assert push == b'{"push":"event","seq":1,"event":"task_started"}'

"""What the proxy says itself, as bytes."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from taskmux.proxy.directory import Absence, Step, cut_short
from taskmux.proxy.fields import values
from taskmux.proxy.forward import Visitor
from taskmux.proxy.pages import Reply, answer, compose
from taskmux.proxy.requests import Request
from taskmux.proxy.sheet import STYLE
from tests.proxy.stage import GET, Stage, Talk

HERE = Visitor("127.0.0.1", "https", 443)
NASTY = (
    "\x1b[31m</pre><script>alert(1)</script>\u202edlrow\u200b\x00 &amp; 'q\" \ud800" + "x" * 9_000
)
FACTS = {
    "session": "shop",
    "task": "api",
    "state": "failed",
    "reason": "exited with 3",
    "port": 23417,
    "exit_code": 3,
    "lines": ["Traceback", "  KeyError: 'X'"],
}
FAILED = Absence(
    503,
    "task_down",
    "api is failed: exited with 3",
    None,
    FACTS,
    None,
    True,
    (Step("Read what it printed", "taskmux logs api --project shop"),),
    "api is failed",
)
URLS = ["https://api.shop.localhost:8443", "https://blog.localhost:8443"]
UNKNOWN = Absence(
    404,
    "unknown_host",
    "no task has the name x.shop.localhost",
    "did you mean https://api.shop.localhost:8443?",
    {"host": "x.shop.localhost", "session": "shop", "urls": URLS},
)


def request(method: bytes = b"GET", accept: bytes = b"text/html", target: bytes = b"/") -> Request:
    fields = [(b"Host", b"api.shop.localhost"), (b"Accept", accept)]
    return Request(method, target, "api.shop.localhost", None, fields, 0)


def field(reply: Reply, name: str) -> str | None:
    [*found] = values(reply.fields, name.lower().encode())
    return b"".join(found).decode() if found else None


def page(absence: Absence, method: bytes = b"GET") -> str:
    return compose(absence, request(method), HERE).body.decode()


class Sheet(HTMLParser):
    """A page, read as a browser would."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        assert not [name for name, _ in attrs if name == "style" or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "title", "kbd", "bdi", "p", "h2", "dd"}:
            self.texts.append(data)


def test_a_page_says_how_it_is_why_and_what_to_do() -> None:
    sheet = Sheet(page(FAILED))
    assert sheet.texts[:4] == ["api failed · shop", "failed", "api failed", "Exited with 3."]
    assert "taskmux logs api --project shop" in sheet.texts
    assert "  KeyError: 'X'\n" in sheet.texts
    assert {"3", "23417", "shop"} <= set(sheet.texts)


def test_a_project_is_named_once() -> None:
    broken = Absence(503, "project_down", "shop: x", facts={"session": "shop", "line": 3})
    assert "<title>shop cannot be used</title>" in page(broken)
    assert re.findall("<dt>(.*?)</dt>", page(broken)) == ["Project", "Line"]


def test_what_is_not_known_is_not_in_the_table() -> None:
    facts = {**FACTS, "run": 0, "exit_code": 0, "signal": None, "listening": []}
    text = page(Absence(503, "task_down", "x", facts=facts))
    assert re.findall("<dt>(.*?)</dt>", text) == ["Project", "Exit code", "Port"]


def test_an_unknown_name_leads_to_those_that_exist() -> None:
    sheet = Sheet(page(UNKNOWN))
    assert sheet.links == [URLS[0], *URLS]
    assert [text for text in sheet.texts if text in ("shop", "blog")] == ["shop", "blog"]


@pytest.mark.parametrize(
    ("state", "more", "headline"),
    [
        ("stopped", {}, "api is stopped"),
        ("waiting", {"waits_for": ["db", "cache"]}, "api is waiting for db and cache"),
        ("waiting", {}, "api is waiting"),
        ("starting", {}, "api is starting"),
        ("starting", {"listening": [5173]}, "api listens on another port"),
        ("running", {}, "api does not answer"),
        ("unhealthy", {}, "api does not answer"),
        ("stopping", {}, "api is stopping"),
        ("backoff", {"exit_code": 1}, "api crashed, and is about to be restarted"),
        ("backoff", {"exit_code": 0}, "api ended, and is about to be restarted"),
        ("completed", {}, "api is completed"),
        ("failed", {}, "api failed"),
        ("odd", {}, "The task does not answer"),
    ],
)
def test_the_title_says_the_state(state: str, more: dict[str, object], headline: str) -> None:
    facts = {"session": "shop", "task": "api", "state": state, **more}
    text = page(Absence(503, "task_down", f"api is {state}: x", facts=facts))
    assert f"<title>{headline} · shop</title>" in text
    assert f"<h1>{headline}</h1>" in text
    said = "It starts once db and cache are ready." if "waits_for" in more else "X."
    assert f'<p class="why">{said}</p>' in text


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"), (404, "unknown_host"), (421, "misdirected"), (502, "bad_gateway"),
        (503, "project_down"), (508, "loop"), (500, "never_heard_of"),
    ],
)  # fmt: skip
def test_every_code_has_a_page(status: int, code: str) -> None:
    reply = compose(Absence(status, code, "it is so"), request(), HERE)
    assert (reply.status, field(reply, "X-Taskmux-Error")) == (status, code)
    assert "It is so." in Sheet(reply.body.decode()).texts


def test_nothing_of_what_a_task_says_is_markup() -> None:
    facts: dict[str, object] = {**FACTS, "lines": [NASTY] * 50, "session": NASTY, "task": NASTY}
    facts |= {"state": NASTY, "urls": [], "reason": NASTY, "host": NASTY}
    steps = (Step(NASTY, NASTY),)
    hostile = Absence(503, "task_down", NASTY, f"`{NASTY}", facts, None, True, steps)
    reply = compose(hostile, request(), HERE)
    text = reply.body.decode()
    assert Sheet(text).tags.count("script") == 1
    assert text.count("alert(1)&lt;/script&gt;") > 5
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e]", text)
    assert len(reply.body) < 20_000
    assert all(re.fullmatch(rb"[ -~]*", value) for _, value in reply.fields)


def test_a_page_is_small_whatever_there_is() -> None:
    lines, urls = ['"' * 400] * 20, [f"https://t{n}.p{n % 99}.localhost" for n in range(5_000)]
    for absence in (FAILED, UNKNOWN):
        facts = {**FACTS, "lines": lines, "urls": urls}
        full = Absence(absence.status, absence.code, "'" * 999, "`" * 999, facts, retry=True)
        assert len(compose(full, request(), HERE).body) < 20_000
    few = page(Absence(404, "unknown_host", "x", facts={"urls": urls}))
    assert f"<p>and {len(urls) - few.count('<li>')} more</p>" in few


def test_the_newest_lines_are_kept() -> None:
    lines = [f"{n} " + "y" * (390 if n < 20 else 9) for n in range(40)]
    text = page(Absence(503, "task_down", "x", facts={"lines": lines}))
    assert [f"<bdi>{n} " in text for n in (0, 10, *range(19, 40))] == [False] * 2 + [True] * 21


def test_the_policy_permits_what_is_in_the_page_and_nothing_else() -> None:
    reply = compose(FAILED, request(), HERE)
    policy = dict(
        part.split(" ", 1) for part in str(field(reply, "Content-Security-Policy")).split("; ")
    )
    for tag in ("style", "script"):
        [block] = re.findall(f"<{tag}>(.*?)</{tag}>", reply.body.decode(), re.DOTALL)
        digest = b64encode(sha256(block.encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "url(" not in reply.body.decode()


def test_the_fields_of_a_page() -> None:
    reply = compose(FAILED, request(), HERE)
    names = {name.decode(): value.decode() for name, value in reply.fields}
    assert names.pop("Content-Security-Policy")
    assert names == {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(reply.body)),
        "Cache-Control": "no-store",
        "Vary": "Accept, Sec-Fetch-Dest",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Taskmux-Error": "task_down",
        "X-Taskmux-Session": "shop",
        "X-Taskmux-Task": "api",
        "X-Taskmux-State": "failed",
        "Retry-After": "1",
    }


def test_json_has_the_keys_of_every_error_and_the_facts() -> None:
    reply = compose(FAILED, request(accept=b"application/json"), HERE)
    assert json.loads(reply.body) == {
        "ok": False,
        "error": "api is failed: exited with 3",
        "error_code": "task_down",
        "hint": "run `taskmux logs api --project shop`",
        **FACTS,
    }
    assert field(reply, "Content-Security-Policy") is None


def test_curl_gets_plain_words() -> None:
    assert compose(FAILED, request(accept=b"*/*"), HERE).body.decode().splitlines() == [
        "api is failed: exited with 3",
        "read what it printed: taskmux logs api --project shop",
        "",
        "last output:",
        "  Traceback",
        "    KeyError: 'X'",
    ]
    text = compose(UNKNOWN, None, HERE).body.decode()
    assert text.splitlines()[1:] == [f"hint: {UNKNOWN.hint}", *(f"  {url}" for url in URLS)]
    assert "\\u202e" in compose(Absence(400, "x", NASTY), None, HERE).body.decode()


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
def test_who_is_not_here_gets_no_output(accept: bytes) -> None:
    for visitor in (None, Visitor("192.168.1.7", "https", 443)):
        reply = compose(FAILED, request(accept=accept), visitor)
        assert b"api" in reply.body
        for secret in (b"KeyError", b"exited with 3", b"Exited", b"logs api"):
            assert secret not in reply.body


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
def test_head_says_how_long_it_would_be(accept: bytes) -> None:
    whole = compose(FAILED, request(accept=accept), HERE)
    reply = compose(FAILED, request(b"HEAD", accept), HERE)
    assert (reply.body, reply.fields) == (b"", whole.fields)


def test_only_what_may_be_asked_again_looks_again() -> None:
    live = page(FAILED)
    assert all(part in live for part in (" data-live", "<script>", 'http-equiv="refresh"'))
    for still in (
        page(FAILED, b"POST"),
        page(cut_short(FAILED, "it closed")),
        page(UNKNOWN, b"PUT"),
    ):
        assert not any(part in still for part in (" data-live", "<script>", "http-equiv"))
    assert Sheet(page(FAILED, b"POST")).links == [""]


def test_a_task_that_was_reached_is_not_asked_again_by_itself() -> None:
    reply = compose(cut_short(FAILED, "it closed"), request(), HERE)
    assert (reply.status, field(reply, "Retry-After")) == (502, None)
    text = reply.body.decode()
    assert "api gave no usable answer · shop" in text
    assert "it closed" in text
    assert "Traceback" in text


async def test_a_task_that_ends_while_it_is_asked_is_shown_with_its_output(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 200 OK\r\n")

    stage.say_absent = lambda target, why: FAILED
    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET.replace(b"\r\n\r\n", b"\r\nAccept: application/json\r\n\r\n"))
        head = await client.head()
        answer = json.loads(await client.until(b"}"))
    assert head.startswith(b"HTTP/1.1 502 ")
    assert (answer["error_code"], answer["lines"]) == ("bad_gateway", FACTS["lines"])


def test_who_is_led_elsewhere_is_led_to_the_same_path() -> None:
    moved = Absence(307, "redirect", "ask at", location="https://api.shop.localhost")
    reply = compose(moved, request(target=b"//evil.example/?a=b"), HERE)
    assert field(reply, "Location") == "https://api.shop.localhost//evil.example/?a=b"
    assert field(compose(moved, request(target=b"*"), HERE), "Location") == f"{moved.location}/"
    assert field(compose(moved, None, HERE), "Location") is None


def test_an_answer_is_what_is_composed() -> None:
    reply = compose(FAILED, request(), HERE)
    head, _, body = answer(FAILED, request(), HERE, persistent=True).partition(b"\r\n\r\n")
    assert body == reply.body
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 503 Service Unavailable"
    assert len(head.split(b"\r\n")) == 1 + len(reply.fields)
    assert b"\r\nConnection: close\r\n" in answer(FAILED, None, persistent=False)


SCHEMES = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
PAIRS = [
    *((ink, "ground") for ink in ("ink", "soft", "link")),
    *((ink, "sunk") for ink in ("ink", "soft", "link")),
    *((ink, "wash") for ink in ("ink", "calm", "busy", "bad")),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_what_is_written_can_be_read(scheme: str, ink: str, paper: str) -> None:
    colours = dict(re.findall(r"--(\w+): #(\w{6})", scheme))
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Return how light a colour is, as WCAG 2 has it."""
    parts = [part / 255 for part in bytes.fromhex(colour)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

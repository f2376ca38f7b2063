"""A page for people: one HTML document that needs nothing beside itself.

What it looks like is in the files `sheet.html`, `sheet.css` and `sheet.js` beside this one.
Nothing but their own style and script is permitted to it, by their hashes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import quote, urlsplit

from .directory import Absence, Step
from .harmless import harmless, last
from .wording import Tone, capital, ended, sentence, wording

PATIENT = 5
"""Seconds after which a browser without scripts looks again."""

OUTPUT = 4_500
"""Bytes of output, as HTML, of which a page shows the end."""

LINKS = 3_000
"""Bytes of links."""


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8").strip()


# Read before they are needed: by then, another version may have been installed.
STYLE = _file("sheet.css")
SCRIPT = _file("sheet.js")
_PAGE = Template(_file("sheet.html") + "\n")

_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<circle cx='8' cy='8' r='6' fill='{}'/></svg>"
)
_COLOURS = {Tone.CALM: "#7c828d", Tone.BUSY: "#c98a1b", Tone.BAD: "#d6453d"}
_CODE = re.compile(r"`([^`]*)`")
_LINK = re.compile(r"https://[a-z0-9.-]+\.localhost(?::[0-9]+)?\b")

_SHOWN = (
    ("Project", "session"), ("Exit code", "exit_code"), ("Signal", "signal"), ("Run", "run"),
    ("Port", "port"), ("Listens on", "listening"), ("Line", "line"),
)  # fmt: skip
"""Facts of which a page has a table."""


def page(absence: Absence, *, again: bool) -> str:
    """Return a page of at most 20 KB; it looks `again` by itself only if it may."""
    said, live = wording(absence), again and absence.status in (404, 503)
    project = absence.facts.get("session")
    named = project is None or said.headline.startswith(f"{project} ")
    title = said.headline if named else f"{said.headline} · {project}"
    return _PAGE.substitute(
        tone=said.tone,
        live=" data-live" if live else "",
        title=_text(title),
        icon="data:image/svg+xml," + quote(_ICON.format(_COLOURS[said.tone]), safe=""),
        refresh=_refresh() if live else "",
        style=STYLE,
        script=f"<script>{SCRIPT}</script>" if live else "",
        label=_text(said.label),
        headline=_text(said.headline),
        why=_text(sentence(absence)),
        todo=_todo(absence),
        output=_output(absence.facts.get("lines", ())),
        facts="" if "urls" in absence.facts else _facts(absence.facts),
        places=_places(absence.facts),
        fate=_fate(absence, live=live, again=again),
        code=f"{absence.status} {_text(absence.code)}",
    )


@cache
def policy() -> bytes:
    """Return the Content-Security-Policy of a page."""
    directives = [
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        f"script-src {_hash(SCRIPT)}",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self' https://*.localhost:* http://*.localhost:* http://localhost:*",
    ]
    return "; ".join(directives).encode()


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _refresh() -> str:
    return f'<noscript><meta http-equiv="refresh" content="{PATIENT}"></noscript>'


def _text(text: object) -> str:
    return escape(harmless(str(text)))


def _prose(text: str) -> str:
    """Return a sentence as HTML, what stands between backticks as code and URLs as links."""
    marked = _CODE.sub(r"<code>\1</code>", _text(text))
    return _LINK.sub(r'<a href="\g<0>">\g<0></a>', marked)


def _todo(absence: Absence) -> str:
    hint = f"<p>{_prose(ended(capital(absence.hint)))}</p>" if absence.hint else ""
    return hint + "".join(map(_step, absence.steps))


def _step(step: Step) -> str:
    command = f"<kbd>{_text(step.command)}</kbd>"
    return f'<div class="step"><span>{_text(step.does)}</span>{command}</div>'


def _output(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    shown = [f"<bdi>{_text(line)}\n</bdi>" for line in lines]
    shown = list(last(shown, OUTPUT, lambda line: len(line.encode())))
    block = f'<pre tabindex="0" aria-labelledby="output">{"".join(shown)}</pre>'
    return f'<h2 id="output">Last output</h2>{block}'


def _facts(facts: Mapping[str, Any]) -> str:
    rows = [
        f"<div><dt>{name}</dt><dd>{_fact(facts[key])}</dd></div>"
        for name, key in _SHOWN
        if facts.get(key) not in (None, []) and (key, facts[key]) != ("run", 0)
    ]
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def _fact(said: object) -> str:
    return _text(", ".join(map(str, said)) if isinstance(said, list) else said)


def _places(facts: Mapping[str, Any]) -> str:
    """Return the names that exist, a list for each project, as many as there is room for."""
    by_project: dict[str, list[str]] = {}
    for url in facts.get("urls", ()):
        name = str(urlsplit(url).hostname)
        by_project.setdefault(name.split(".")[-2:][0], []).append(url)
    parts, room, left = [], LINKS, len(facts.get("urls", ()))
    for project, urls in by_project.items():
        title = f"<h2>{_text(project)}</h2>"
        items = list(_fitting(map(_item, urls), room - len(title)))
        if not items:
            break
        parts.append(f"{title}<ul>{''.join(items)}</ul>")
        room, left = room - len(parts[-1]), left - len(items)
    return "".join(parts) + (f"<p>and {left} more</p>" if left else "")


def _item(url: str) -> str:
    return f'<li><a href="{escape(url)}">{_text(url.removeprefix("https://"))}</a></li>'


def _fitting(items: Iterable[str], size: int) -> Iterator[str]:
    for item in items:
        size -= len(item)
        if size < 0:
            return
        yield item


def _fate(absence: Absence, *, live: bool, again: bool) -> str:
    if live:
        named = (absence.facts.get(key) for key in ("task", "host", "session"))
        what = next(filter(None, named), "it")
        return f"This page reloads as soon as <strong>{_text(what)}</strong> answers."
    if not again:
        return (
            "What you sent did not arrive, and is not sent again by itself:"
            ' go back to send it, or <a href="">open this address</a> without it.'
        )
    return ""

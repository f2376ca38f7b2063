"""In which form the proxy answers by itself."""

from __future__ import annotations

import pytest

from taskmux.proxy.fields import Fields
from taskmux.proxy.negotiation import Form, wanted

PAGE, JSON, TEXT = Form.PAGE, Form.JSON, Form.TEXT
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)


def fields(accept: str | None, dest: str | None) -> Fields:
    found = [(b"Accept", accept), (b"Sec-Fetch-Dest", dest)]
    return [(name, value.encode()) for name, value in found if value is not None]


@pytest.mark.parametrize(
    ("accept", "dest", "form"),
    [
        pytest.param(CHROME, "document", PAGE, id="chromium"),
        pytest.param("text/html,application/xml;q=0.9,*/*;q=0.8", None, PAGE, id="old safari"),
        pytest.param("*/*", "iframe", PAGE, id="a frame"),
        pytest.param(None, "document", PAGE, id="a document, of whatever form"),
        pytest.param("*/*", None, TEXT, id="curl"),
        pytest.param(None, None, TEXT, id="nothing said"),
        pytest.param("", None, TEXT, id="nothing listed"),
        pytest.param("application/json", None, JSON, id="a program"),
        pytest.param("*/*", "empty", JSON, id="fetch"),
        pytest.param("application/json, text/plain, */*", None, JSON, id="axios"),
        pytest.param("text/plain, application/json", None, TEXT, id="what is named first"),
        pytest.param("text/vnd.turbo-stream.html, text/html", "empty", PAGE, id="turbo"),
        pytest.param("text/html, */*; q=0.01", "empty", PAGE, id="jquery"),
        pytest.param("application/vnd.api+json", "empty", JSON, id="a kind of json"),
        pytest.param("*/*", "script", TEXT, id="a script"),
        pytest.param("text/css,*/*;q=0.1", "style", TEXT, id="a style"),
        pytest.param("image/avif,image/webp,*/*;q=0.8", "image", TEXT, id="a picture"),
        pytest.param("text/html", "script", TEXT, id="a page is no script"),
        pytest.param("image/png", None, TEXT, id="nothing that we have"),
        pytest.param("image/png", "document", TEXT, id="nothing that we have, to be seen"),
        pytest.param("text/html;q=0.4, application/json;q=0.5", None, JSON, id="quality"),
        pytest.param(
            "application/json;q=1.000, text/html;q=0.999", "document", JSON, id="decimals"
        ),
        pytest.param("text/*, application/json;q=0.9", None, TEXT, id="a kind of media"),
        pytest.param("*/*, text/plain;q=0", None, JSON, id="what is named counts for itself"),
        pytest.param("text/html;q=0, text/plain;q=0, */*", "document", JSON, id="all but two"),
        pytest.param("TEXT/HTML ; Q=1", None, PAGE, id="capitals and space"),
        pytest.param("text/html;q=2, application/json;q=0.1", None, JSON, id="no quality"),
        pytest.param("text/html;q=high, */*;q=0.1", None, TEXT, id="no number"),
        pytest.param("html, ;, /, text/html;level=1", None, PAGE, id="rubbish before it"),
        pytest.param("*/json, text/html;q=0.1", None, PAGE, id="half a wildcard"),
        pytest.param("*/*", "DOCUMENT", PAGE, id="a use in capitals"),
        pytest.param("*/*", "hologram", TEXT, id="a use yet to be invented"),
    ],
)
def test_the_form_suits_who_asks(accept: str | None, dest: str | None, form: Form) -> None:
    assert wanted(fields(accept, dest)) is form


def test_fields_of_a_name_are_one_list() -> None:
    asked = [(b"accept", b"text/plain;q=0.5"), (b"ACCEPT", b"application/json")]
    assert wanted(asked) is JSON

from __future__ import annotations

from tests.hook_reference import BEGIN, PAGE, reference


def test_the_page_has_what_the_docstrings_say() -> None:
    assert PAGE.read_text().partition(BEGIN)[2].strip() == reference().strip(), (
        "run `python -m tests.hook_reference`"
    )

"""The rules of the house that a machine can check and the linters do not."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from taskmux import errors
from taskmux.errors import Refused, TaskmuxError

ROOT = Path(__file__).parent.parent
OURS = tuple(place for place in (ROOT / "taskmux", ROOT / "plugins") if place.is_dir())
SKIPPED = {".git", ".venv", "__pycache__", "build", "dist", "node_modules"}


def files(*tops: Path) -> Iterator[Path]:
    """Yield every file of ours under `tops`, caches and the like left out."""
    for top in tops:
        for place in sorted(top.iterdir()):
            if place.name in SKIPPED or place.name.endswith("_cache"):
                continue
            if place.is_dir():
                yield from files(place)
            else:
                yield place


def named(found: Iterable[Path]) -> list[object]:
    return [pytest.param(file, id=str(file.relative_to(ROOT))) for file in found]


MODULES = [file for file in files(*OURS) if file.suffix == ".py" and "tests" not in file.parts]
PACKAGES = [file for file in MODULES if file.name == "__init__.py"]
TEXTS = [file for file in files(ROOT) if file.suffix not in {".pyc", ".so", ".gz"}]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(function: Function) -> int:
    """Return how long a function is, its docstring left out: that may be a reference page."""
    body = function.body
    documented = ast.get_docstring(function) is not None
    says = (body[0].end_lineno or 0) - body[0].lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - says


@pytest.mark.parametrize("file", named(MODULES))
def test_files_and_functions_fit(file: Path) -> None:
    text = file.read_text()
    tree = ast.parse(text)
    assert text.count("\n") <= 300
    assert ast.get_docstring(tree), "a module says what it is"
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    assert [node.name for node in functions if lines_of(node) > 50] == []


@pytest.mark.parametrize("file", named(PACKAGES))
def test_a_package_only_assembles(file: Path) -> None:
    if file == ROOT / "taskmux" / "cli" / "__init__.py":
        return  # where the program begins
    odd = [ast.unparse(node) for node in ast.parse(file.read_text()).body if not assembles(node)]
    assert odd == []


def assembles(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign() | ast.AnnAssign():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.FunctionDef(decorator_list=[ast.Name(id="hookimpl")]):
            return True
    return False


@pytest.mark.parametrize(
    "never",
    [
        pytest.param(r"\b(TODO|FIXME)\b", id="work left to do"),
        pytest.param(r"https?://[^\s\"']+/simple\b|--(extra-)?index-url", id="a package index"),
    ],
)
def test_no_file_mentions(never: str) -> None:
    others = (file for file in TEXTS if file != Path(__file__))
    assert [file for file in others if re.search(never, file.read_text(errors="replace"))] == []


def test_no_lock_file_is_kept() -> None:
    assert not [file for file in TEXTS if file.name in {"uv.lock", "poetry.lock", "Pipfile.lock"}]


# Errors

KINDS = [kind for kind in TaskmuxError.__subclasses__() if kind.__module__.startswith("taskmux.")]
NUMBERED = [kind for kind in KINDS if kind is not Refused]
SAMPLES: dict[str, object] = {
    "str": "web",
    "str | None": None,
    "bool": True,
    "int": 3,
    "int | None": 3,
    "float": 1.5,
    "Iterable[str]": ["api", "db"],
    "Sequence[str]": ["api", "db", "api"],
    "Mapping[str, str]": {"api": "failed"},
}


def test_the_drawing_of_errors_is_true() -> None:
    drawn = [line.split("── ")[1].split() for line in drawing() if "── " in line]
    assert sorted(line[0] for line in drawn) == sorted(kind.__name__ for kind in KINDS)
    numbers = {line[0]: (line[1], status(line)) for line in drawn if line[0] != "Refused"}
    assert numbers == {kind.__name__: (kind.code, kind.exit_status) for kind in NUMBERED}
    assert list(numbers.values()) == sorted(numbers.values()), "drawn in the order of numbers"


def drawing() -> list[str]:
    return str(errors.__doc__).splitlines()


def status(line: list[str]) -> int:
    return int(line[-1]) if "status" in line else 1


def test_every_error_has_a_number_of_its_own() -> None:
    numbers = Counter(kind.code for kind in NUMBERED)
    assert [number for number, count in numbers.items() if count > 1] == []
    assert all(re.fullmatch(r"E\d{3}", number) for number in numbers)


def test_every_error_is_public() -> None:
    assert {kind.__name__ for kind in KINDS} <= set(errors.__all__)


@pytest.mark.parametrize("kind", NUMBERED, ids=lambda kind: kind.__name__)
def test_an_error_is_a_sentence_with_a_number_and_facts(kind: type[TaskmuxError]) -> None:
    assert inspect.getdoc(kind) != inspect.getdoc(TaskmuxError), "it says when it happens"
    make: Callable[..., TaskmuxError] = kind
    parameters = inspect.signature(kind).parameters.values()
    error = make(*(SAMPLES[str(parameter.annotation)] for parameter in parameters))
    sentence = str(error)
    assert sentence == sentence.strip().rstrip(".")
    assert "None" not in sentence
    assert error.hint is None or error.hint == error.hint.strip().rstrip(".")
    answer = json.loads(json.dumps(error.answer()))
    assert (answer["ok"], answer["error_code"], answer["hint"]) == (False, kind.code, error.hint)
    assert sentence in answer.values()

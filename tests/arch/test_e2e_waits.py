"""Would an end-to-end test fail on a machine that is busy with something else? Three ways to that are closed here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "e2e").rglob("*.py") if "bench" not in path.parts)
LEAST = 60  # seconds: a deadline only bounds a failure
TIMEOUT = re.compile(r"--timeout=(\d+)s")
# What pods and events are like at one moment: both come a little later than what they come from.
LATE = {"images", "events"}


def short_deadlines(tree: ast.AST) -> Iterator[str]:
    """Yield the deadlines that a slow machine misses; where giving up is what is tested, it has an exit code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        gives_up = any(each.arg == "code" for each in node.keywords)
        for each in node.keywords:
            if each.arg == "within" and _number(each.value) < LEAST:
                yield f"{node.lineno}: within={ast.unparse(each.value)}"
        for word in node.args:
            text = word.value if isinstance(word, ast.Constant) and isinstance(word.value, str) else ""
            if not gives_up and any(int(found) < LEAST for found in TIMEOUT.findall(text)):
                yield f"{node.lineno}: {text}"


def short_defaults(tree: ast.AST) -> Iterator[str]:
    """Yield parameters called `within` that are short when nobody says anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            backwards = zip(reversed(node.args.args), reversed(node.args.defaults), strict=False)
            for each, default in (*backwards, *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)):
                if each.arg == "within" and default is not None and _number(default) < LEAST:
                    yield f"{node.lineno}: {node.name}(within={ast.unparse(default)})"


def hasty_assertions(tree: ast.Module) -> Iterator[str]:
    """Yield what tests assert at once; a function inside a test is asked again by `eventually`."""
    for test in tree.body:
        if isinstance(test, ast.AsyncFunctionDef) and test.name.startswith("test_"):
            for node in _statements(test):
                if isinstance(node, ast.Assert) and _looks_once(node.test):
                    yield f"{node.lineno}: {ast.unparse(node)}"


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _statements(child)


def _looks_once(test: ast.expr) -> bool:
    """Tell whether something is to be there: that it isn't, or in which order it is, may be asked after a wait."""
    if not isinstance(test, ast.Compare):
        return False
    sides = {_called(each) for each in (test.left, *test.comparators)}
    return "images" in sides or ("events" in sides and any(isinstance(each, ast.In) for each in test.ops))


def _called(node: ast.expr) -> str:
    match node:
        case ast.Await(value=ast.Call(func=ast.Attribute(attr=name))) if name in LATE:
            return name
    return ""


def _number(node: ast.expr) -> float:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else float(LEAST)


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_a_matter_of_speed(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert [*short_deadlines(tree), *short_defaults(tree)] == [], "leave it out: e2e.waiting.PATIENCE is long enough"
    assert [*hasty_assertions(tree)] == [], "wait for it: Story.comes_to, Story.tells, eventually"


HASTY = """
def ask(within: float = 5.0): ...
async def test_it(story):
    await ask(within=10)
    await story.cli("status", "--timeout=9s")
    await story.cli("status", "--timeout=9s", code=1)
    assert await story.images() == {}
    assert "Told" in await story.events()
    assert "Told" not in await story.events()
    async def look():
        assert await story.images() == {}
"""


def test_what_is_hasty_is_found() -> None:
    tree = ast.parse(HASTY)
    assert [*short_deadlines(tree)] == ["4: within=10", "5: --timeout=9s"]
    assert [*short_defaults(tree)] == ["2: ask(within=5.0)"]
    assert [each[:1] for each in hasty_assertions(tree)] == ["7", "8"]

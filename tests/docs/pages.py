"""What do the pages hold that can be checked: code blocks, commands with what they print, links?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    sorted(
        (
            ROOT / "README.md",
            ROOT / "CONTRIBUTING.md",
            ROOT / "CHANGELOG.md",
            *(ROOT / "docs").rglob("*.md"),
            *(ROOT / "plugins").rglob("*.md"),
        )
    )
)

_FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$")
_EXIT_CODE = re.compile(r"#.*\bexit code (\d+)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code; `line` is where it begins."""

    language: str
    text: str
    line: int


@dataclass(slots=True)
class Command:
    """A line that the reader types, and what the page shows below it."""

    text: str
    line: int
    shown: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code: the page says so where it isn't 0."""
        found = _EXIT_CODE.search(self.text)
        return int(found[1]) if found else 0


def _lines(page: Path) -> list[str]:
    return page.read_text(encoding="utf-8").splitlines()


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    begun: tuple[str, int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(_lines(page), 1):
        fence = _FENCE.match(line)
        if fence and begun is None:
            begun, inside = (fence[2], number, fence[1]), []
        elif fence and begun is not None:
            yield Block(begun[0], "".join(f"{each}\n" for each in inside), begun[1])
            begun = None
        elif begun is not None:
            inside.append(line.removeprefix(begun[2]))


def commands(page: Path) -> list[Command]:
    """Return the commands of a page's console blocks, in order."""
    found: list[Command] = []
    for block in blocks(page):
        continues = False
        for number, line in enumerate(block.text.splitlines() if block.language == "console" else (), block.line + 1):
            if line.startswith("$ "):
                found.append(Command(line[2:], number))
            elif continues:
                found[-1].text += f"\n{line}"
            elif found:
                found[-1].shown.append(line)
            continues = line.endswith("\\")
    return found


def first_yaml(page: Path) -> str:
    """Return the first YAML block of a page."""
    return next(block.text for block in blocks(page) if block.language == "yaml")


def links(page: Path) -> set[str]:
    """Return the targets of a page's links, without those in code."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {found[1] for found in _LINK.finditer(re.sub(r"`[^`]*`", "", text))}


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = (found[1] for line in _lines(page) if (found := _HEADING.match(line)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

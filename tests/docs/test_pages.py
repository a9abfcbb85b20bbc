"""Do the pages keep what they promise? Links lead somewhere, manifests are sound, commands and flags exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from rollouts.cli.checks import findings
from rollouts.cli.main import app
from rollouts.cli.manifests import read_documents
from tests.docs.pages import PAGES, ROOT, anchors, blocks, commands, links

TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _title(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), f"{_title(page)} links to {target}, which does not exist"
        if anchor:
            assert anchor in anchors(to), f"{_title(page)} links to {target}: there is no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    reached = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs") and page.parent.name != "decisions"}
    assert pages - reached <= {index}


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_every_rollout_is_sound(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language != "yaml" or not re.search(r"^kind: Rollout$", block.text, re.MULTILINE):
            continue
        if "name: office-hours" in block.text:
            continue  # needs the example plugin: test_example_step.py has it
        file = tmp_path / "rollout.yaml"
        file.write_text(block.text)
        assert [str(each) for each in findings(list(read_documents(str(file))))] == [], f"{_title(page)}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_every_yaml_and_json_block_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language in {"yaml", "json"}:
            assert list(yaml.safe_load_all(block.text)), f"{_title(page)}:{block.line}"


def _words(line: str) -> Iterator[list[str]]:
    """Yield the simple commands of a line, as far as pipes and operators tell them apart."""
    words: list[str] = []
    for word in shlex.split(line, comments=True):
        if word in {"|", "&&", "||", "&", ";", ">", "2>&1"}:
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _parse(words: list[str]) -> None:
    """Have the command line's own parser read a command, without running it."""
    while words and re.fullmatch(r"\w+=\S*", words[0]):
        words = words[1:]
    if words[:1] == ["kubectl"] and words[1:2] == ["rollouts"]:
        words = words[1:]
    if words[:1] != ["rollouts"]:
        return
    command: Any = typer.main.get_command(app)
    arguments, context = words[1:], None
    name: str | None = "rollouts"
    while True:
        context = command.make_context(name, arguments, parent=context)
        if not isinstance(command, TyperGroup):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_every_command_of_ours_and_its_flags_exist(page: Path) -> None:
    for command in commands(page):
        for words in _words(command.text.replace("\\\n", " ")):
            if words[:1] == ["make"]:
                assert set(words[1:2]) <= TARGETS, f"{_title(page)}:{command.line}: no such target"
                continue
            try:
                _parse(words)
            except (SystemExit, Exception) as error:  # noqa: BLE001 - typer brings its own kind of exceptions
                pytest.fail(f"{_title(page)}:{command.line}: {command.text}: {error!r}")

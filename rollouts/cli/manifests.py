"""What stands in a manifest file? Documents as the API server would get them, or what keeps a file from being read."""

import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

STDIN = "-"
_MANIFESTS = (".json", ".yaml", ".yml")


class UnreadableError(Exception):
    """A file is no list of YAML or JSON documents; the message says where it breaks."""


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file; `number` counts its documents from 1."""

    file: str
    number: int
    content: dict[str, Any]

    @property
    def title(self) -> str:
        """Kind and name, as far as they are there."""
        metadata = self.content.get("metadata")
        name = metadata.get("name") or metadata.get("generateName") if isinstance(metadata, dict) else None
        return f"{self.content.get('kind') or '(no kind)'}/{name or '(no name)'}"


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a time is text, and a key comes once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen and key != "<<":
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping", node.start_mark, f"the key {key!r} comes twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def files_of(place: str) -> list[str]:
    """Return the manifest files that a name stands for: itself, or those in the directory, as kubectl's -f reads it."""
    directory = Path(place)
    if place == STDIN or not directory.is_dir():
        return [place]
    return sorted(str(each) for each in directory.iterdir() if each.suffix in _MANIFESTS and each.is_file())


def read_documents(file: str) -> Iterator[Document]:
    """Yield the objects of a file, those inside a List too; raises UnreadableError."""
    shown = "(stdin)" if file == STDIN else file
    try:
        text = sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UnreadableError(f"{shown}: cannot be read: {reason}") from error
    try:
        contents = list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as error:
        raise UnreadableError(f"{shown}: is not YAML: {' '.join(str(error).split())}") from error
    for number, content in enumerate(contents, start=1):
        if content is None:
            continue
        if not isinstance(content, dict):
            raise UnreadableError(f"{shown}:{number}: is no object but {type(content).__name__}: expected a mapping")
        if content.get("kind") == "List" and isinstance(content.get("items"), list):
            yield from (Document(shown, number, item) for item in content["items"] if isinstance(item, dict))
        else:
            yield Document(shown, number, content)

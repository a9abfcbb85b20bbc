"""What do the pages about traffic routers promise? Whole manifests, and what their objects look like at 20 percent."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from rollouts.ports import Reference
from tests.docs.pages import ROOT, blocks

Json = dict[str, Any]

HOW_TO = ROOT / "docs" / "how-to"
ROUTERS = HOW_TO / "routers"
PAGES = (HOW_TO / "gateway-api.md", HOW_TO / "session-affinity.md", *sorted(ROUTERS.glob("*.md")))
MANAGED = (HOW_TO / "header-routes.md", HOW_TO / "mirror-traffic.md")
"""Pages about managed routes, which show what is there before there is any weight."""

WEIGHT = 20
"""The weight at which the pages show their objects."""

_ROLLOUT = re.compile(r"^kind: Rollout$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One set of manifests, and parts of the objects while the canary has its first weight."""

    page: Path
    line: int
    manifests: Sequence[Json]
    at_weight: Sequence[Json]

    def __str__(self) -> str:
        return f"{self.page.stem}-{self.line}"

    @property
    def rollout(self) -> Json:
        """The Rollout."""
        return next(each for each in self.manifests if each["kind"] == "Rollout")

    @property
    def canary(self) -> Json:
        """The Rollout's strategy."""
        canary: Json = self.rollout["spec"]["strategy"]["canary"]
        return canary

    @property
    def router(self) -> str:
        """The router's key."""
        (key,) = self.canary["trafficRouting"].keys() - {"managedRoutes", "maxTrafficWeight", "sessionAffinity"}
        return str(key)

    @property
    def services(self) -> list[Json]:
        """The Services."""
        return [each for each in self.manifests if each["kind"] == "Service"]

    @property
    def objects(self) -> list[Json]:
        """What the router reads and writes."""
        return [each for each in self.manifests if each["kind"] not in {"Rollout", "Service"}]


def examples(pages: Sequence[Path] = PAGES) -> Iterator[Example]:
    """Yield what each page shows: a block with a Rollout, and after it one with the objects at its first pause."""
    for page in pages:
        shown = [block for block in blocks(page) if block.language == "yaml"]
        for whole, after in pairwise([*shown, None]):
            if whole is not None and _ROLLOUT.search(whole.text):
                assert after is not None, f"{page}:{whole.line}: nothing shows the objects at {WEIGHT} percent"
                manifests, at_weight = (tuple(yaml.safe_load_all(each.text)) for each in (whole, after))
                yield Example(page, whole.line, manifests, at_weight)


def reference_to(raw: Mapping[str, Any], namespace: str = "default") -> Reference:
    """Return the reference to an object of a page."""
    group, _, _ = raw["apiVersion"].rpartition("/")
    return Reference(group, raw["kind"], namespace, raw["metadata"]["name"])


def differences(shown: Json, live: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield where a live object isn't as a page shows it; its version may be any, and so may what isn't shown."""
    yield from _differences({key: value for key, value in shown.items() if key != "apiVersion"}, live or {}, "")


def _differences(shown: object, live: object, path: str) -> Iterator[str]:
    if isinstance(shown, Mapping) and isinstance(live, Mapping):
        for key, value in shown.items():
            yield from _differences(value, live.get(key), f"{path}.{key}")
    elif isinstance(shown, list) and isinstance(live, list) and len(shown) == len(live):
        for index, (value, found) in enumerate(zip(shown, live, strict=True)):
            yield from _differences(value, found, f"{path}[{index}]")
    elif shown != live and not _is_same_json(shown, live):
        yield f"{path} is {live!r}, and not {shown!r}"


def _is_same_json(shown: object, live: object) -> bool:
    """Whether two annotations say the same in JSON."""
    if not (isinstance(shown, str) and isinstance(live, str) and shown.startswith("{")):
        return False
    return bool(json.loads(shown) == json.loads(live))

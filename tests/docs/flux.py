"""What does Flux take a Rollout for, by the expressions that the page for Flux shows?"""

from dataclasses import dataclass
from typing import Any, Self

import cel
import yaml

from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "flux.md"


@dataclass(frozen=True)
class Flux:
    """One entry of a Kustomization's healthCheckExprs."""

    expressions: dict[str, str]

    @classmethod
    def from_page(cls, number: int = 0) -> Self:
        """Read the entry for Rollouts of one of the page's Kustomizations."""
        documents = [
            yaml.safe_load(block.text)
            for block in blocks(PAGE)
            if block.language == "yaml" and "healthCheckExprs" in block.text
        ]
        (entry,) = documents[number]["spec"]["healthCheckExprs"]
        assert (entry.pop("apiVersion"), entry.pop("kind")) == ("argoproj.io/v1alpha1", "Rollout")
        assert set(entry) == {"inProgress", "failed", "current"}
        return cls(entry)

    def health(self, obj: dict[str, Any]) -> str:
        """InProgress, Failed or Current: the first expression that holds, in Flux's order; Unknown if one fails.

        An expression's variables are the object's top-level fields. Flux asks again after Unknown.
        """
        for name in ("inProgress", "failed", "current"):
            try:
                holds = cel.evaluate(self.expressions[name], obj)
            except (KeyError, RuntimeError, TypeError, ValueError):
                return "Unknown"
            assert isinstance(holds, bool), (name, holds)
            if holds:
                return f"{name[0].upper()}{name[1:]}"
        return "InProgress"

"""Which share of the requests does each version answer, and which is it to have?"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollouts.api.keys import POD_TEMPLATE_HASH
from rollouts.view import fields

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rollouts.cli.demos.requests import Requests
    from rollouts.cli.live import Picture

Json = dict[str, Any]

_BAR = 40
_FEW = 20


@dataclass(frozen=True, slots=True)
class Share:
    """A version's part of the answers since the route's last change."""

    image: str
    wanted: int | None
    answered: int
    of: int
    total: int
    errors: int

    @property
    def measured(self) -> float:
        """The share in percent."""
        return 100 * self.answered / self.of if self.of else 0.0

    @property
    def shown(self) -> str:
        """The share as people see it: nothing while there are too few answers to say."""
        return f"{self.measured:.1f} %" if self.of >= _FEW else "…"


class Shares:
    """The table beside the rollout."""

    def __init__(self, requests: "Requests") -> None:
        self._requests = requests

    def now(self, picture: "Picture") -> Iterator[Share]:
        """Yield the share of each version that has ever answered, or is to."""
        wanted = dict(_wanted(picture))
        latest = self._requests.by_generation.get(max(self._requests.by_generation, default=0), Counter())
        of = sum(latest.values())
        for image in sorted({*self._requests.answers, *wanted}):
            share = wanted.get(image, 0) if wanted else None
            total, errors = self._requests.answers[image], self._requests.errors[image]
            yield Share(image, share, latest.get(image, 0), of, total, errors)

    def drawn(self, picture: "Picture") -> "RenderableType":
        """Return the table."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("version")
        for name in ("wanted", "measured", "", "requests", "errors"):
            table.add_column(name, justify="left" if not name else "right")
        for each in self.now(picture):
            colour = "red" if each.errors else "green" if each.wanted else "dim"
            table.add_row(
                Text(each.image, style=colour),
                "" if each.wanted is None else f"{each.wanted} %",
                Text(each.shown, style="bold"),
                _bar(each, colour),
                str(each.total),
                Text(str(each.errors), style="red" if each.errors else "dim"),
            )
        return table

    def line(self, picture: "Picture") -> str:
        """Return the shares in a line."""
        return "  ".join(
            f"{each.image} {each.shown}" + ("" if each.wanted is None else f" of {each.wanted} %")
            for each in self.now(picture)
            if each.wanted or each.answered
        )


def _bar(share: Share, colour: str) -> "RenderableType":
    """Return a bar of the measured share, with a mark where it is to end."""
    from rich.text import Text

    filled = round(_BAR * share.measured / 100)
    bar = Text("█" * filled + "·" * (_BAR - filled), style=colour)
    if share.wanted:
        mark = max(1, round(_BAR * share.wanted / 100)) - 1
        bar.stylize("reverse", mark, mark + 1)
    return bar


def _wanted(picture: "Picture") -> Iterator[tuple[str, int]]:
    """Yield the weight of each version: what the status says the route is to have."""
    images = {
        fields.part(each, "metadata", "labels").get(POD_TEMPLATE_HASH): _image(each) for each in picture.replica_sets
    }
    weights = ((picture.rollout.get("status") or {}).get("canary") or {}).get("weights") or {}
    found: dict[str, int] = {}
    for side in ("stable", "canary"):
        destination = weights.get(side) or {}
        image = images.get(destination.get("podTemplateHash"))
        if image is not None:
            found[image] = found.get(image, 0) + destination.get("weight", 0)
    yield from found.items()


def _image(replica_set: Json) -> str:
    return str(replica_set["spec"]["template"]["spec"]["containers"][0]["image"])

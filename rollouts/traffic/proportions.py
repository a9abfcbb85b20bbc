"""What do the destinations of a list weigh, where those of others keep their share of the traffic?

Weights are shares of the sum of their list. Destinations that aren't ours keep their share of it: their weights are put
in proportion to ours, which add up to the maximum weight, or to a multiple of it where whole numbers need that.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from rollouts.ports.router import Raw


@dataclass(frozen=True, slots=True)
class Weights:
    """How the destinations of a list are read: by whose name, and by which field.

    `name_of` returns the name that our shares go by, or one that isn't among them. A destination without a weight has
    `default`.
    """

    name_of: Callable[[Raw], str]
    field: str = "weight"
    default: int = 1

    def _weight(self, destination: Raw) -> int:
        weight: int | None = destination.get(self.field)
        return self.default if weight is None else weight

    def _of_ours(self, destinations: Iterable[Raw], names: Iterable[str]) -> dict[str, int]:
        now = dict.fromkeys(names, 0)
        for each in destinations:
            if (name := self.name_of(each)) in now:
                now[name] += self._weight(each)
        return now

    def shared(
        self,
        destinations: Sequence[Raw],
        shares: Mapping[str, int],
        *,
        new: Callable[[str], Raw] | None = None,
        gone: Collection[str] = (),
    ) -> Sequence[Raw]:
        """Return destinations with these shares of the traffic that is ours; the very same ones if they have them.

        Those in `gone` are taken out. `new` makes those that are missing, which are put at the end; without it they
        aren't.
        """
        kept = [each for each in destinations if self.name_of(each) not in gone]
        now = self._of_ours(kept, shares)
        if len(kept) == len(destinations) and _are_as(now, shares):
            return destinations
        others = [self._weight(each) for each in kept if self.name_of(each) not in shares]
        total, whole = sum(self._of_ours(destinations, {*shares, *gone}).values()), sum(shares.values())
        if others and not total:
            return destinations  # somebody has drained all that is ours
        factor = total // gcd(total, *(weight * whole for weight in others)) if others else 1
        ours = {name: share * factor for name, share in shares.items()}
        found: list[Raw] = []
        for each in kept:
            name = self.name_of(each)
            is_ours = name in shares
            weight = ours.pop(name, 0) if is_ours else self._weight(each) * whole * factor // total
            found.append({**each, self.field: weight})
        added = [{**new(name), self.field: weight} for name, weight in ours.items()] if new else []
        return [*found, *added]


def _are_as(now: Mapping[str, int], shares: Mapping[str, int]) -> bool:
    """Tell whether weights stand to each other as the shares do; a name that isn't there has none."""
    total, whole = sum(now.values()), sum(shares.values())
    return total > 0 and all(now[name] * whole == share * total for name, share in shares.items())

"""What do the destinations of a list weigh, where those of others keep their share of the traffic?

Weights are shares of the sum of their list. Destinations that aren't ours keep their share of it: their weights are put
in proportion to ours, which add up to the maximum weight, or to a multiple of it where whole numbers need that.
Where weights have a limit and whole numbers would go beyond it, ours stand to each other as they should, and others get
the nearest weights to their share.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from rollouts.ports.router import Raw


@dataclass(frozen=True, slots=True)
class Weights:
    """How the destinations of a list are read: by whose name, and by which field.

    `name_of` returns the name that our shares go by, or one that isn't among them. A destination without a weight has
    `default`; none may have more than `most`, if there is a limit.
    """

    name_of: Callable[[Raw], str]
    field: str = "weight"
    default: int = 1
    most: int | None = None

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
        theirs = [weight * whole * factor // total for weight in others]
        if others and self.most is not None and max(*ours.values(), *theirs) > self.most:
            ours, theirs = _within(self.most, shares, others, total)
        rest = iter(theirs)
        found: list[Raw] = []
        for each in kept:
            name = self.name_of(each)
            weight = ours.pop(name, 0) if name in shares else next(rest)
            found.append({**each, self.field: weight})
        added = [{**new(name), self.field: weight} for name, weight in ours.items()] if new else []
        return [*found, *added]


def _are_as(now: Mapping[str, int], shares: Mapping[str, int]) -> bool:
    """Tell whether weights stand to each other as the shares do; a name that isn't there has none."""
    total, whole = sum(now.values()), sum(shares.values())
    return total > 0 and all(now[name] * whole == share * total for name, share in shares.items())


def _within(
    most: int, shares: Mapping[str, int], others: Sequence[int], total: int
) -> tuple[dict[str, int], list[int]]:
    """Return our weights and those of others, of which ours had `total` before, with none beyond the limit.

    Where no whole numbers are right, ours are as great as they can be, so that others' need the least rounding. Nobody
    who has some of the traffic loses all of it.
    """
    unit = gcd(*shares.values())
    parts = {name: share // unit for name, share in shares.items()}
    whole, greatest = sum(parts.values()), max(others)
    room = min(most // max(parts.values()), most * total // max(1, greatest * whole))
    if room:
        exact = total // gcd(total, *(weight * whole for weight in others))
        room = min(exact, room)
        ours, above, below = {name: part * room for name, part in parts.items()}, whole * room, total
    else:  # ours have too little for even the smallest weights that stand to each other as they should
        ours, above, below = parts, most, greatest
    return ours, [max(_nearest(weight * above, below), min(1, weight)) for weight in others]


def _nearest(above: int, below: int) -> int:
    return (2 * above + below) // (2 * below)

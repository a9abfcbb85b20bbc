"""How many of the requests that a query tells of are new? None may be counted twice."""

from dataclasses import dataclass
from math import floor

from rollouts.judge.counts import Counts

NOTHING = Counts()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted already, of one side. `is_known` is false before the first reading."""

    counts: Counts = NOTHING
    is_known: bool = False

    def since_start(self, total: float | None, bad: float | None) -> tuple[Counts, "Seen"]:
        """Return the new requests, by an answer that counts from the start on, and what has been seen with them.

        Such answers are estimates in places (Prometheus extrapolates to the edges of a window), so they may fall by a
        little: then nothing is new until they have risen over what was counted.
        """
        new = _difference(total or 0.0, bad or 0.0, self.counts)
        return new, Seen(self.counts + new, is_known=True)

    def by_counter(self, total: float | None, bad: float | None) -> tuple[Counts, "Seen"]:
        """Return the new requests, by a counter that began long ago, and what has been seen with them.

        The first reading is where counting starts. A counter that falls has been reset, with a pod that went away for
        one: counting starts anew from there. One that is missing for a while says nothing.
        """
        if total is None or (bad is None and self.counts.bad):
            return NOTHING, self
        read = Counts(floor(total), min(floor(bad or 0.0), floor(total)))
        if not self.is_known or read.total < self.counts.total or read.bad < self.counts.bad:
            return NOTHING, Seen(read, is_known=True)
        return _difference(read.total, read.bad, self.counts), Seen(read, is_known=True)


def _difference(total: float, bad: float, seen: Counts) -> Counts:
    new = max(0, floor(total) - seen.total)
    # The two were asked one after the other: where the bad ones are ahead, they are counted the next time.
    return Counts(new, min(max(0, floor(bad) - seen.bad), new))

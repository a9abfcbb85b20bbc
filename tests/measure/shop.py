"""What does Prometheus know of a shop whose canary fails more often, or not? Counters, scraped, and `increase` of them.

`increase` extrapolates to the edges of the window as Prometheus does, so its answers are estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counters = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shop:
    """Requests and failures of two versions, by the second. `every` is how often they are scraped."""

    counters: Mapping[str, Counters]
    every: int = 15

    @classmethod
    def drawn(
        cls, seed: int, rates: Mapping[str, float], requests: Mapping[str, float], seconds: int = 3_600, every: int = 15
    ) -> "Shop":
        """Draw a shop: `requests` come in a second, `rates` are the shares that fail."""
        random = np.random.default_rng(seed)
        counters = {}
        for version, rate in rates.items():
            total = random.poisson(requests[version], seconds)
            counters[f"total {version}"] = np.cumsum(total).astype(float)
            counters[f"bad {version}"] = np.cumsum(random.binomial(total, rate)).astype(float)
        return cls(counters, every)

    def counter(self, query: str, at: float) -> float | None:
        """Return a counter's latest value; the query is `total abc`, for one."""
        latest = int(at) // self.every * self.every
        return float(self.counters[query][latest]) if latest else None

    def increase(self, query: str, at: float) -> float | None:
        """Return what a counter is estimated to have grown by; the query is `total abc 90`."""
        *name, window = query.split()
        counter = self.counters[" ".join(name)]
        first = -(-max(1, int(at) - int(window)) // self.every) * self.every
        times = np.arange(first, int(at) + 1, self.every)
        if len(times) < 2:
            return None
        grown, sampled = float(counter[times[-1]] - counter[times[0]]), float(times[-1] - times[0])
        before, after = float(times[0] - (at - float(window))), float(at - times[-1])
        if grown > 0:
            before = min(before, sampled * float(counter[times[0]]) / grown)
        edges = sum(edge if edge < 1.1 * self.every else self.every / 2 for edge in (before, after))
        return grown * (sampled + edges) / sampled

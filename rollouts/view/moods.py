"""How does a status feel? What picks the icon and the colour of a word, for everything that is shown."""

from typing import Literal

Mood = Literal["good", "bad", "moving", "idle"]
RowMood = Mood | Literal["paused", "unsure", "broken"]

_PHASES: dict[str, RowMood] = {
    "Healthy": "good",
    "Degraded": "bad",
    "Paused": "paused",
    "Successful": "good",
    "Failed": "bad",
    "Inconclusive": "unsure",
    "Error": "broken",
    "Invalid": "broken",
}


def phase_mood(phase: str) -> RowMood:
    """Return how the phase of a Rollout, an analysis run or an experiment feels."""
    return _PHASES.get(phase, "moving")

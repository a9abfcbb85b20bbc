"""Does a simulation tell what really happens? The same scenarios, simulated and on the real API server.

`rollouts.sim.trace` says what of the two must be the same. A scenario more is a file more in traces/. Its deeds are
one write each: `promote` of a Rollout that spec.paused holds is two, and a real controller may come in between.
"""

from pathlib import Path

import pytest

from e2e.stories.play import TRACES, read_play, recorded
from e2e.stories.story import Story
from rollouts.sim.trace import differences

PLAYS = sorted(TRACES.glob("*.yaml"))


def test_there_are_ten_plays_at_least() -> None:
    assert len(PLAYS) >= 10


@pytest.mark.parametrize("file", PLAYS, ids=lambda file: file.stem)
async def test_a_simulated_trace_is_the_recorded_one(story: Story, file: Path) -> None:
    play = read_play(file)
    simulated = play.simulated()
    assert len(simulated.states) > 2
    found = differences(simulated, await recorded(play, story))
    assert found == [], "\n".join([f"{file.name}: the simulation is not what happens", *found])

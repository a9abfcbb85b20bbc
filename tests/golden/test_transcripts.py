"""Do whole rollouts still read as they did? GOLDEN=rewrite writes the transcripts anew: read the diff as prose."""

import os
from inspect import getdoc
from pathlib import Path

import pytest

from rollouts.registry import load_kit
from rollouts.sim.simulation import Simulation
from rollouts.sim.transcript import transcript
from tests.golden import workload_stories
from tests.golden.stories import STORIES
from tests.plan.given import START

assert workload_stories  # its stories are registered
HERE = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize("name", STORIES)
def test_the_story_reads_as_before(name: str) -> None:
    story = STORIES[name]
    told = transcript(getdoc(story) or name, START, Simulation(story(), load_kit()).run())
    file = HERE / f"{name}.txt"
    if os.environ.get("GOLDEN") == "rewrite":
        file.parent.mkdir(exist_ok=True)
        file.write_text(told)
    assert told == file.read_text(), "the story has changed: GOLDEN=rewrite writes it anew, and the diff shows how"


def test_no_transcript_is_left_over() -> None:
    assert {file.stem for file in HERE.glob("*.txt")} == set(STORIES)

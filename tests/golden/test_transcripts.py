"""Do whole rollouts still read as they did? GOLDEN=rewrite writes the transcripts anew: read the diff as prose."""

import os
from dataclasses import replace
from inspect import getdoc
from pathlib import Path

import pytest

from rollouts.sim.simulation import Simulation
from rollouts.sim.transcript import transcript
from tests import calling
from tests.golden import analysis_stories, experiment_stories, workload_stories
from tests.golden.plugin_stories import STORIES as PLUGINS
from tests.golden.routed_stories import STORIES as ROUTED
from tests.golden.stories import STORIES as POD_STORIES
from tests.plan.given import START
from tests.routing import KIT as ROUTERS

assert len({analysis_stories, experiment_stories, workload_stories}) == 3  # their stories are registered
STORIES = {**POD_STORIES, **ROUTED, **PLUGINS}
KIT = replace(calling.KIT, routers=ROUTERS.routers)
HERE = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize("name", STORIES)
def test_the_story_reads_as_before(name: str) -> None:
    story = STORIES[name]
    told = transcript(getdoc(story) or name, START, Simulation(story(), KIT).run())
    file = HERE / f"{name}.txt"
    if os.environ.get("GOLDEN") == "rewrite":
        file.parent.mkdir(exist_ok=True)
        file.write_text(told)
    assert told == file.read_text(), "the story has changed: GOLDEN=rewrite writes it anew, and the diff shows how"


def test_no_transcript_is_left_over() -> None:
    assert {file.stem for file in HERE.glob("*.txt")} == set(STORIES)

"""How is a scenario of `rollouts simulate` played on a real API server? People act, pods act by their images.

Each of the files in traces/ holds a scenario and the manifests of its Rollout and Services. Pods there act as their
images' names say (`e2e/acting.py`), and the scenario says the same of them for the simulation.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from e2e.stories.story import Story
from e2e.tracing import Tracing
from e2e.waiting import eventually
from rollouts.cli.manifests import Document, read_documents
from rollouts.cli.rehearsal import Cast, cast, stage
from rollouts.sim.course import Asked, Condition, Course, Word, read_course
from rollouts.sim.director import holds
from rollouts.sim.trace import Trace, trace_of

Json = dict[str, Any]
TRACES = Path(__file__).parent / "traces"
# The controller answers a patch within this time; where it has nothing to answer, nothing more is waited for.
ANSWER = 10.0
QUIET = 2.5
_WORDS = {
    Word.PROMOTE: ("promote", "web"),
    Word.PROMOTE_FULL: ("promote", "web", "--full"),
    Word.ABORT: ("abort", "web"),
    Word.RETRY: ("retry", "rollout", "web"),
    Word.PAUSE: ("pause", "web"),
    Word.UNDO: ("undo", "web"),
    Word.RESTART: ("restart", "web"),
}


@dataclass(frozen=True)
class Play:
    """One file: what happens, and the objects that it begins with."""

    course: Course
    documents: tuple[Document, ...]

    @property
    def cast(self) -> Cast:
        """The objects, sorted."""
        return cast(self.documents)

    def simulated(self) -> Trace:
        """Return the trace of the simulation."""
        simulation, director = stage(self.cast, self.course, lasts=timedelta(hours=1))
        trace = trace_of(simulation.run(), self.cast.name)
        assert not director.never_happened, director.never_happened
        return trace


def read_play(file: Path) -> Play:
    """Read a file."""
    documents = list(read_documents(str(file)))
    (scenario,) = (each.content for each in documents if "kind" not in each.content)
    return Play(read_course(scenario), tuple(each for each in documents if "kind" in each.content))


async def recorded(play: Play, story: Story) -> Trace:
    """Play it on the API server, and return the trace of what came of it."""
    assert isinstance(play.course.until, Condition), "a play has an end that can be waited for"
    objects = play.cast
    async with Tracing(story.api, story.namespace, objects.name).recording() as tracing:
        await story.kubectl.apply([*objects.services, objects.rollout])
        for happening in play.course.happens:
            assert happening.at is None, "times differ here: wait for a state"
            await _comes_to_rest(story, tracing, happening.when, happening.after.total_seconds())
            await tracing.act()
            await _do(story, happening.do)
            await _answered(tracing)
        await _comes_to_rest(story, tracing, play.course.until)
        return tracing.trace()


async def _comes_to_rest(story: Story, tracing: Tracing, condition: Condition | None, after: float = 0.0) -> None:
    """Wait until a condition holds, for a time from then on, and until nothing happens any more and it holds still."""

    async def holds_now() -> bool:
        rollout = await story.rollout()
        status = rollout.get("status") or {}
        assert status.get("observedGeneration") == str(rollout["metadata"]["generation"]), "not observed"
        assert condition is None or holds(condition, rollout), f"{condition}: {status}"
        return True

    async def is_quiet() -> bool:
        await holds_now()
        return asyncio.get_running_loop().time() - tracing.latest > QUIET

    await eventually(holds_now, what=str(condition))
    await asyncio.sleep(after)
    await eventually(is_quiet, every=0.2, what=f"{condition}, and nothing happens any more")


async def _answered(tracing: Tracing) -> None:
    """Wait until the controller has written something after us, or long enough for it to have had nothing to write."""

    async def look() -> bool:
        return tracing.writes_since_the_act() > 1

    try:
        await eventually(look, within=ANSWER)
    except AssertionError:
        return


async def _do(story: Story, deed: Word | Asked) -> None:
    if isinstance(deed, Word):
        await (story.resume() if deed is Word.RESUME else story.cli(*_WORDS[deed]))
    elif isinstance(deed.set_image, str):
        await story.cli("set", "image", "web", f"*={deed.set_image}")
    elif deed.patch_spec is not None:
        await story.patch(deed.patch_spec)
    elif deed.patch_status is not None:
        await story.patch_status(deed.patch_status)
    elif deed.scale is not None:
        await story.kubectl("scale", "rollout", "web", f"--replicas={deed.scale}")
    elif deed.undo is not None:
        await story.cli("undo", "web", f"--to-revision={deed.undo}")
    elif deed.apply is not None:
        await story.kubectl.apply(deed.apply)
    else:
        raise AssertionError(f"nobody knows how to do {json.dumps(deed.model_dump(exclude_none=True))} here")

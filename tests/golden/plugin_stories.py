"""Which whole rollouts with step plugins are told? What a plugin says is the story's; nothing is sent."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from rollouts.plan.calls import Call
from rollouts.ports import Answer
from rollouts.sim.scenario import Change, Scenario, abort, create, promote_full, retry, set_image
from rollouts.sim.world import World
from tests.calling import Answers, plugin
from tests.golden.stories import Story
from tests.plan.given import START, rollout

STORIES: dict[str, Story] = {}
DONE = Answer("Successful", "approved by everybody")
WAITS = Answer("Running", "two more people must approve", timedelta(minutes=2), {"seen": ["ann"]})
LOST = Answer("Error", "gate.example: no connection")
REFUSES = Answer("Failed", "bob said no")


def story(function: Story) -> Story:
    """Register a story."""
    STORIES[function.__name__] = function
    return function


def _told(answers: Callable[[Call], Answer], *script: Change) -> Scenario:
    steps = [{"setWeight": 20}, plugin(), {"setWeight": 60}, plugin("another")]
    first = create(0, rollout(steps=steps))
    return Scenario(World(START, answer=answers), (first, set_image(10, "web", "app:2"), *script))


def _by_plugin(first: Sequence[Answer], second: Sequence[Answer]) -> Callable[[Call], Answer]:
    answers = {"gatekeeper": Answers(first), "another": Answers(second)}

    def answer(call: Call) -> Answer:
        return answers[call.plugin](call) if call.operation == "Run" else Answer("Successful", "undone")

    return answer


@story
def plugin_is_called_until_it_is_done() -> Scenario:
    """A step plugin is called until it says that it is done: after its own pause, and half a minute after an error"""
    return _told(_by_plugin([WAITS, LOST, DONE], [DONE]))


@story
def plugin_says_no() -> Scenario:
    """A step plugin that fails aborts the update, and what the one before it did is undone; a retry begins anew"""
    return _told(_by_plugin([DONE], [REFUSES, DONE]), retry(60, "web"))


@story
def plugin_is_aborted() -> Scenario:
    """An abort asks the plugins to undo what they did, the latest first"""
    return _told(_by_plugin([DONE], [WAITS]), abort(60, "web"))


@story
def plugin_is_passed_over() -> Scenario:
    """Full promotion stops the plugin that is still at it"""
    return _told(_by_plugin([WAITS], [DONE]), promote_full(60, "web"))

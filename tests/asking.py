"""A traffic router for tests that has to ask outside of the cluster whether its traffic has followed."""

from dataclasses import replace

from rollouts.ports import Answers, Asked, Asking, Found, Objects, Owner, Question, Request, Route
from rollouts.registry import load_kit
from tests.plan.given import Raw
from tests.routing import KEY, Recording, RecordingRouter

URL = "http://balancer.example.com/"


class AskingRouter(RecordingRouter):
    """Asks for the weight, and tells what it has heard."""

    states = frozenset({"alb"})

    def questions(self, spec: Recording, owner: Owner, route: Route, objects: Objects) -> tuple[Question, ...]:
        del spec, owner, objects
        return (weighs(route.canary.weight),)

    def ask(self, question: Question, asked: Asked) -> Asking:
        del asked
        response = yield Request("GET", URL)
        (weight,) = question.facts
        followed = response.body == str(weight).encode()
        return Found(followed, f"it says {response.body.decode()}", "Heard")

    def state(self, spec: Recording, answers: Answers) -> Raw:
        del spec
        (found,) = answers.values()
        return {"alb": {"ingress": found.because}, "phase": "not its business"}


def weighs(weight: int) -> Question:
    """Return the question whether the canary has a weight by now."""
    return Question(KEY, "the balancer", (weight,))


KIT = replace(load_kit(), routers={KEY: AskingRouter()})

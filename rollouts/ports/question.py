"""What does a router have to ask outside of the cluster before it is known whether traffic follows its objects?

A router stays pure: it names a question, and says how it is asked, as a generator of requests like a metric provider's.
Whoever runs it sends the requests beside the passes, asks again until the answer is yes, and shows the answer to a
later pass. An answer belongs to its question: as long as nothing of the question changes, neither does a yes.

A router whose objects somebody else writes tells instead of asking (`Router.tells`): whoever answers its question has
brought about what it is about.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.ports.objects import ListObjects
from rollouts.ports.provider import Request


@dataclass(frozen=True, slots=True)
class Question:
    """Whether something has followed. `router` is the key of the router that asks.

    `about` is what is asked, for people, such as "the load balancer of Ingress shop". `facts` are all that the answer
    depends on and that the router knows: the weights that are wanted, above all. `again` is after how many seconds a
    yes is asked for anew, for a router that tells.
    """

    router: str
    about: str
    facts: tuple[Any, ...] = ()
    again: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a question. `because` says what is still missing, or what was seen.

    `verified` is None where it was told, and nobody can know whether traffic follows.
    `reason` names the event that tells of it; without one there is none. `error` tells that nobody could say, and why.
    `facts` are whatever the router wants to know of it afterwards.
    """

    verified: bool | None
    because: str = ""
    reason: str = ""
    error: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


Asking = Generator[Request | ListObjects, Any, Found]
Answers = Mapping[Question, Found]

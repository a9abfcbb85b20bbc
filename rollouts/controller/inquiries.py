"""Who asks outside of the cluster whether traffic has followed? Tasks beside the passes, again and again until it has.

What was answered may be lost: it is asked again then. A yes is in the Rollout's status soon, and isn't asked again,
unless the question says so: that of a router that tells.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.controller.beside import Beside
from rollouts.controller.key import Key
from rollouts.ports import Answers, Found, Question

Raw = Mapping[str, Any]
Ask = Callable[[Question, Raw], Awaitable[Found]]
"""Asks a question for a Rollout. Never raises."""

Tell = Callable[[Raw, Found], None]
"""Tells people of an answer that is news."""

Count = Callable[[str, Found], None]
"""Counts an answer to a question of a router, news or not."""

AGAIN = 10.0
"""Seconds between two times that the same is asked: AWS counts what it is asked."""

LONGEST = 300.0
"""The same, where nobody could say and the time doubles."""

MOST_AT_ONCE = 10
"""Questions of one router under way in the whole controller; the rest waits."""


@dataclass(slots=True)
class _Open:
    """The questions of one Rollout, as it was seen last, and what was answered. `is_news` until a pass has seen it."""

    rollout: Raw
    under_way: dict[Question, asyncio.Task[None]] = field(default_factory=dict)
    answers: dict[Question, Found] = field(default_factory=dict)
    is_news: bool = False


class Inquiries(Beside[_Open]):
    """Asks as long as it is wanted."""

    def __init__(
        self,
        ask: Ask,
        wake: Callable[[Key, float], None],
        tell: Tell,
        *,
        count: Count = lambda *_: None,
        most: int = MOST_AT_ONCE,
    ) -> None:
        super().__init__(most)
        self._limits = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(most))
        self._count = count
        self._ask = ask
        self._wake = wake
        self._tell = tell

    def answers(self, key: Key) -> Answers:
        """Return what was answered for a Rollout, of what is still asked; from now on it is no news."""
        here = self._work.get(key)
        if here is None:
            return {}
        here.is_news = False
        return dict(here.answers)

    def has_news(self, key: Key) -> bool:
        """Whether there are answers that no pass has seen."""
        here = self._work.get(key)
        return here is not None and here.is_news

    def want(self, key: Key, questions: Collection[Question], rollout: Raw) -> None:
        """Ask these questions from now on, and no others."""
        if not questions:
            self.forget(key)
            return
        here = self._work.setdefault(key, _Open(rollout))
        here.rollout = rollout
        for question in here.under_way.keys() - set(questions):
            here.under_way.pop(question).cancel()
            here.answers.pop(question, None)
        for question in questions:
            if question not in here.under_way:
                here.under_way[question] = asyncio.create_task(self._inquire(key, here, question))

    async def _inquire(self, key: Key, here: _Open, question: Question) -> None:
        """Ask until the answer is yes, and where the question says so again and again."""
        trouble = AGAIN
        while True:
            async with self._limits[question.router]:
                found = await self._ask(question, here.rollout)
            self._count(question.router, found)
            if here.answers.get(question) != found:
                here.answers[question] = found
                here.is_news = True
                self._tell(here.rollout, found)
                self._wake(key, 0.0)
            trouble = min(trouble * 2, LONGEST) if found.error else AGAIN
            if found.verified is not False and not question.again:
                return
            await asyncio.sleep(question.again if found.verified is not False else trouble)

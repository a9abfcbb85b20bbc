"""Who asks outside of the cluster whether traffic has followed? Tasks beside the passes, again and again until it has.

What was answered may be lost: it is asked again then. A yes is in the Rollout's status soon, and isn't asked again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.controller.beside import Beside
from rollouts.controller.key import Key
from rollouts.ports import Answers, Found, Question

Raw = Mapping[str, Any]
Ask = Callable[[Question, str], Awaitable[Found]]
"""Asks a question for a Rollout in a namespace. Never raises."""

Tell = Callable[[Raw, Found], None]
"""Tells people of an answer that is news."""

Count = Callable[[str, Found], None]
"""Counts an answer to a question of a router, news or not."""

AGAIN = 10.0
"""Seconds between two times that the same is asked: AWS counts what it is asked."""

LONGEST = 300.0
"""The same, where nobody could say and the time doubles."""

MOST_AT_ONCE = 10
"""Questions under way in the whole controller; the rest waits."""


@dataclass(slots=True)
class _Open:
    """The questions of one Rollout, and what was answered. `is_news` until a pass has seen it."""

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
        here = self._work.setdefault(key, _Open())
        for question in here.under_way.keys() - set(questions):
            here.under_way.pop(question).cancel()
            here.answers.pop(question, None)
        for question in questions:
            if question not in here.under_way:
                here.under_way[question] = asyncio.create_task(self._inquire(key, here, question, rollout))

    async def _inquire(self, key: Key, here: _Open, question: Question, rollout: Raw) -> None:
        """Ask until the answer is yes."""
        pause = AGAIN
        while True:
            async with self._limit:
                found = await self._ask(question, key.namespace)
            self._count(question.router, found)
            if here.answers.get(question) != found:
                here.answers[question] = found
                here.is_news = True
                self._tell(rollout, found)
                self._wake(key, 0.0)
            if found.verified:
                return
            pause = min(pause * 2, LONGEST) if found.error else AGAIN
            await asyncio.sleep(pause)

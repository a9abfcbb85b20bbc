"""By which words do people name our kinds? As kubectl takes them: singular, plural, short, with the group."""

from collections.abc import Callable
from dataclasses import dataclass

import typer

from rollouts.api.names import GROUP


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that commands are about; `noun` is what sentences call it."""

    singular: str
    plural: str
    short: str
    noun: str

    @property
    def words(self) -> tuple[str, ...]:
        """Everything that people type for it."""
        both = (self.singular, self.plural)
        return (*both, self.short, *(f"{word}.{GROUP}" for word in both))

    def name_of(self, text: str) -> str:
        """Take `KIND/NAME` for NAME, as kubectl does."""
        kind, slash, name = text.partition("/")
        if not slash:
            return text
        if kind not in self.words or not name:
            raise typer.BadParameter(f"{text!r} names no {self.noun}: write NAME or {self.singular}/NAME")
        return name


ROLLOUT = Kind("rollout", "rollouts", "ro", "rollout")
ANALYSIS_RUN = Kind("analysisrun", "analysisruns", "ar", "analysis run")
EXPERIMENT = Kind("experiment", "experiments", "exp", "experiment")
KINDS = (ROLLOUT, ANALYSIS_RUN, EXPERIMENT)


def kind_of(word: str) -> Kind | None:
    """Return the kind that a word names; None for any other word."""
    return next((kind for kind in KINDS if word in kind.words), None)


def kind_and_name(verb: str, kinds: tuple[Kind, ...]) -> Callable[[list[str]], list[str]]:
    """Return the reader of `[KIND] NAME`, also written KIND/NAME, for a verb: it gives [singular, name].

    Without a kind the first of `kinds` is meant.
    """

    def read(words: list[str]) -> list[str]:
        if not words:  # completion asks before anything is typed
            return words
        *front, name = words
        if len(front) > 1:
            raise typer.BadParameter(f"one at a time: {' '.join(words)!r} names more")
        word, slash, below = name.partition("/")
        written = front[0] if front else word if slash else kinds[0].singular
        kind = kind_of(written)
        if kind not in kinds:
            known = ", ".join(f"`{verb} {each.singular} NAME`" for each in kinds)
            raise typer.BadParameter(f"{written!r} can't be named here: write {known}")
        return [kind.singular, kind.name_of(name) if front else below or name]

    return read

"""What must a person know about a conversion? One sentence each, by what it is about."""

from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    """The headings under which notes are told, in this order."""

    CHANGED = "Changed"
    KEPT = "Left as it is"
    LOST = "Not carried over"
    MIND = "Mind"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know."""

    about: About
    text: str


def changed(text: str) -> Note:
    """Say what is different in the new object."""
    return Note(About.CHANGED, text)


def kept(text: str) -> Note:
    """Say what stays, where one might wonder."""
    return Note(About.KEPT, text)


def lost(text: str) -> Note:
    """Say what the new kind can't do."""
    return Note(About.LOST, text)


def mind(text: str) -> Note:
    """Say what may surprise."""
    return Note(About.MIND, text)

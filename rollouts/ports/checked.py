"""Does a stranger's plugin do what its port says? Whatever it does instead ends here, with its name in a sentence.

Ours are tested with the conformance classes, strangers' may not be. What they raise and what they return is looked at
before anybody builds on it. Nothing here protects from malice: who installs a plugin trusts its author to mean well.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

MOST_PROBLEMS = 50
LONGEST_TEXT = 4096
LONGEST_NOTES = 32 * 1024
_LONGEST_NAME = 80

T = TypeVar("T")


class PluginError(Exception):
    """A plugin has broken the promises of its port; the message names it and where it is from."""


class Interrupted(BaseException):
    """Raised in the midst of a plugin's code, whose time is over."""


class Checks:
    """Runs the code of one plugin, and looks at what it returns."""

    def __init__(self, kind: str, name: str, origin: str) -> None:
        self.title = f"the {kind} {name!r} (of {origin})"

    def broken(self, what: str) -> PluginError:
        """Return the error that says what the plugin did."""
        return PluginError(f"{self.title} is broken: {what}; tell its authors, or install another version")

    def call(
        self, what: str, kinds: type[T], work: Callable[[], Any], passes: tuple[type[BaseException], ...] = ()
    ) -> T:
        """Return what the plugin's code returns, if it is one of `kinds`. Raises PluginError, or one that `passes`."""
        try:
            value = work()
        except BaseException as error:
            if isinstance(error, (Interrupted, KeyboardInterrupt, *passes)):
                raise
            raise self.broken(f"{what} raised {_name(error)}") from error
        if not isinstance(value, kinds):
            raise self.broken(f"{what} returned a {_name(value)}")
        return value

    def problems(self, work: Callable[[], Iterable[Any]]) -> list[tuple[str, str]]:
        """Return the problems that the plugin sees; that it can't look is one, too."""
        try:
            found = self.call("problems", list, lambda: list(islice(work(), MOST_PROBLEMS)))
            for each in found:
                path, message = each if isinstance(each, tuple) and len(each) == 2 else (None, None)
                if not isinstance(path, str) or not isinstance(message, str):
                    raise self.broken("problems yielded something else than pairs of texts")
        except PluginError as error:
            return [("", str(error))]
        return [(cut(path), cut(message)) for path, message in found]

    def text(self, what: str, value: object) -> str:
        """Return a text that isn't endless. Raises PluginError.

        It is cut far behind what anybody gets to see: secrets are masked first, and one cut in two would stay.
        """
        if not isinstance(value, str):
            raise self.broken(f"{what} is a {_name(value)}")
        return cut(value, LONGEST_NOTES)

    def notes(self, what: str, notes: object) -> dict[str, str]:
        """Return notes for a status that aren't endless. Raises PluginError."""
        if not isinstance(notes, Mapping):
            raise self.broken(f"{what} is a {_name(notes)}")
        kept = {self.text(what, name): self.text(what, value) for name, value in islice(notes.items(), LONGEST_NOTES)}
        if sum(len(name) + len(value) for name, value in kept.items()) > LONGEST_NOTES:
            raise self.broken(f"{what} has more than {LONGEST_NOTES} characters")
        return kept


class CheckedModel:
    """Reads a part of the spec as a stranger's model does, from a copy; it may have validators of its own."""

    def __init__(self, model: type[BaseModel], checks: Checks) -> None:
        self._model = model
        self._checks = checks
        self.model_fields = dict(model.model_fields)

    def model_validate(self, spec: Any, **how: Any) -> BaseModel:
        """Return the model's view of a spec. Raises pydantic.ValidationError, whatever goes wrong."""
        try:
            return self._checks.call("model", BaseModel, lambda: self._read(deepcopy(spec), how), (ValidationError,))
        except PluginError as error:
            wrong = PydanticCustomError("broken_plugin", "{problem}", {"problem": str(error)})
            raise ValidationError.from_exception_data(
                self._model.__name__, [{"type": wrong, "loc": (), "input": spec}]
            ) from None

    def _read(self, spec: Any, how: Mapping[str, Any]) -> BaseModel:
        return self._model.model_validate(spec, **how)


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text that people can still read."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def _name(value: object) -> str:
    return type(value).__name__[:_LONGEST_NAME]

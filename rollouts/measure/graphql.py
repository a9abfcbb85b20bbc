"""Why does a GraphQL server refuse? It answers 200 and says so in the body."""

from typing import Any

from rollouts.measure.answers import at, list_at


def refusals(answer: Any) -> str:
    """Return the errors in an answer in one line; nothing where there are none."""
    messages = [" ".join(str(at(error, "message") or error)[:300].split()) for error in list_at(answer, "errors")[:5]]
    return "; ".join(messages)

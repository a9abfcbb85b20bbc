"""Which actions do the writes of traffic routers become? Each on the version of its object that was seen."""

from collections.abc import Iterable

from rollouts.plan.actions import Action, CreateObject, DeleteObject, ObjectAction, PatchObject
from rollouts.plan.contested import in_words
from rollouts.plan.observed import Observed, Refusal
from rollouts.ports import Create, Objects, Patch, Write


def as_actions(here: Observed, due: Iterable[Write]) -> tuple[list[Action], list[str]]:
    """Return the writes as actions on what was seen, and what is against them: the API server, or somebody else."""
    actions: list[Action] = []
    against: list[str] = []
    for write in due:
        said = next((each.message for each in here.refusals if _is_about(each, write)), None)
        if said is not None:
            against.append(f"the API server refuses {write.reference}: {said}")
        else:
            actions.append(as_action(write, here.objects or {}))
            if (writer := here.contested.get(write.reference)) is not None:
                against.append(in_words(write.reference, writer))
    return actions, against


def _is_about(refusal: Refusal, write: Write) -> bool:
    place = write.reference
    return (refusal.kind, refusal.namespace, refusal.subject) == (place.kind, place.namespace, place.name)


def as_action(write: Write, objects: Objects) -> ObjectAction:
    """Return a write as an action on what was seen."""
    if isinstance(write, Create):
        return CreateObject(write.reference, write.body)
    metadata = (objects.get(write.reference) or {})["metadata"]
    if isinstance(write, Patch):
        return PatchObject(write.reference, metadata["uid"], metadata["resourceVersion"], write.body, write.needs)
    return DeleteObject(write.reference, metadata["uid"], metadata["resourceVersion"])

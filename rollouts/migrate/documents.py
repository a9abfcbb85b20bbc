"""What do manifests, or the live objects around one workload, become? Objects to write, and what to tell of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rollouts.api import keys
from rollouts.api.selectors import selector_matches
from rollouts.api.services import service_names
from rollouts.migrate.backward import grown, notes_of, stable_template, to_deployment
from rollouts.migrate.course import Course, course
from rollouts.migrate.forward import to_rollout
from rollouts.migrate.holding import can_be_held
from rollouts.migrate.notes import Note, changed, kept, mind
from rollouts.migrate.objects import (
    DEPLOYMENT,
    ROLLOUT,
    ConversionError,
    Json,
    Raw,
    are_neighbours,
    group_of,
    is_deployment,
    is_rollout,
    name_of,
    namespace_of,
    part,
    title,
    without_server_fields,
)
from rollouts.migrate.scalers import is_made_by_another, retargeted, scalers_of, scales
from rollouts.migrate.steps import Seen
from rollouts.migrate.wish import Wish

_MOST_TITLES = 5


@dataclass(frozen=True, slots=True)
class Move:
    """One workload on its way: what to tell, and the steps."""

    workload: Raw
    wish: Wish
    notes: tuple[Note, ...]
    course: Course


@dataclass(frozen=True, slots=True)
class Conversion:
    """The objects to write, in their order, and the moves among them."""

    objects: tuple[Json, ...]
    moves: tuple[Move, ...]


def convert(objects: Sequence[Raw], wish: Wish) -> Conversion:
    """Convert manifests: workloads and what scales them; all else passes through. Raises ConversionError."""
    wish.check()
    is_source = is_rollout if wish.is_reverse else is_deployment
    sources = [each for each in objects if is_source(each)]
    if not sources:
        raise ConversionError(_nothing_found(objects, wish))
    written: list[Json] = []
    moves = []
    for each in objects:
        if is_source(each):
            made, move = _move(each, objects, wish)
            written += made
            moves.append(move)
        elif not (wish.is_reverse and _is_referred_to(each, sources)):
            written.append(_pointed(each, sources, wish))
    return Conversion(tuple(written), tuple(moves))


def _nothing_found(objects: Sequence[Raw], wish: Wish) -> str:
    """Say what is there instead: a kind that can't be migrated, or what already has been."""
    titles = [title(each) for each in objects]
    more = [f"{len(titles) - _MOST_TITLES} more"] if len(titles) > _MOST_TITLES else []
    found = ", ".join([*titles[:_MOST_TITLES], *more]) or "no object at all"
    if wish.is_reverse:
        way = "; leave --reverse out to make Rollouts" if any(map(is_deployment, objects)) else ""
        return f"no {ROLLOUT} found, but {found}: there is nothing to migrate back{way}"
    way = "; --reverse makes Deployments" if any(map(is_rollout, objects)) else ""
    return f"no {DEPLOYMENT} found, but {found}: there is nothing to migrate{way}"


def convert_live(seen: Seen, wish: Wish) -> Conversion:
    """Convert what was read of one workload."""
    wish.check()
    workload = seen.rollout if wish.is_reverse else seen.deployment
    if workload is None:
        raise ConversionError(f"there is no such {ROLLOUT if wish.is_reverse else DEPLOYMENT}")
    made, notes = _named(workload, wish, seen)
    around = (*seen.scalers, *seen.services, *seen.budgets)
    kind = DEPLOYMENT if wish.is_reverse else ROLLOUT
    source = ROLLOUT if wish.is_reverse else DEPLOYMENT
    scalers = [
        without_server_fields(retargeted(each, kind, counterpart_name(workload)))
        for each in scalers_of(seen.scalers, source, workload)
    ]
    move = Move(workload, wish, (*notes, *_around(workload, around, wish, seen, is_live=True)), course(seen, wish))
    return Conversion((*made, *scalers), (move,))


def _move(workload: Raw, objects: Sequence[Raw], wish: Wish) -> tuple[tuple[Json, ...], Move]:
    other = _counterpart(workload, objects, wish)
    services = tuple(_held(workload, objects)) if wish.is_reverse else ()
    around = [each for each in objects if are_neighbours(each, workload)]
    seen = Seen(
        deployment=other if wish.is_reverse else workload,
        rollout=workload if wish.is_reverse else other,
        scalers=tuple(around),
        services=services,
    )
    made, notes = _named(workload, wish, seen)
    if wish.workload_ref is not None:
        made = (dict(workload), *made)
    move = Move(workload, wish, (*notes, *_around(workload, around, wish, seen)), course(seen, wish))
    return made, move


def _named(workload: Raw, wish: Wish, seen: Seen) -> tuple[tuple[Json, ...], tuple[Note, ...]]:
    """Convert a workload; an error says which one it is about."""
    try:
        if not wish.is_reverse:
            made, notes = to_rollout(workload, wish)
        elif part(workload, "spec", "workloadRef"):
            made, notes = grown(workload, seen.deployment), notes_of(workload)
        else:
            made, notes = to_deployment(workload, stable_template(workload, seen.replica_sets))
    except ConversionError as error:
        raise ConversionError(f"{title(workload)}: {error}") from error
    return (made,), notes


def _counterpart(workload: Raw, objects: Sequence[Raw], wish: Wish) -> Raw | None:
    """Return the object of the other kind that goes with a workload; one that is in the way is an error."""
    reference = part(workload, "spec", "workloadRef") if wish.is_reverse else {}
    name = counterpart_name(workload)
    is_other = is_deployment if wish.is_reverse else is_rollout
    for each in objects:
        if is_other(each) and name_of(each) == name and are_neighbours(each, workload):
            if reference:
                return each
            raise ConversionError(f"{title(workload)}: {title(each)} is there already: remove one of the two")
    return None


def counterpart_name(workload: Raw) -> str:
    """Return the name that a workload has as the other kind."""
    return str(part(workload, "spec", "workloadRef").get("name") or name_of(workload))


def _is_referred_to(obj: Raw, rollouts: Iterable[Raw]) -> bool:
    return is_deployment(obj) and any(
        part(each, "spec", "workloadRef").get("name") == name_of(obj) and are_neighbours(each, obj) for each in rollouts
    )


def _pointed(obj: Raw, sources: Iterable[Raw], wish: Wish) -> Json:
    """Return an object as it is; an autoscaler of a workload that moves names its other kind."""
    kind, source = (DEPLOYMENT, ROLLOUT) if wish.is_reverse else (ROLLOUT, DEPLOYMENT)
    for each in sources:
        if scalers_of((obj,), source, each):
            return retargeted(obj, kind, counterpart_name(each))
    return dict(obj)


def _held(rollout: Raw, objects: Sequence[Raw]) -> Iterator[Json]:
    """Yield the Services of a Rollout as its controller has left them in the cluster."""
    for name in sorted(service_names(rollout)):
        written = next(
            (each for each in objects if _is_service(each) and name_of(each) == name and are_neighbours(each, rollout)),
            {},
        )
        where = {"namespace": namespace_of(rollout)} if namespace_of(rollout) else {}
        selector = {**part(written, "spec", "selector"), keys.POD_TEMPLATE_HASH: ""}
        metadata = {"name": name, **where, "annotations": {keys.MANAGED_BY: name_of(rollout)}}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": selector}}


def _is_service(obj: Raw) -> bool:
    return obj.get("kind") == "Service" and not group_of(obj)


def _around(workload: Raw, objects: Iterable[Raw], wish: Wish, seen: Seen, *, is_live: bool = False) -> Iterator[Note]:
    """Yield what to know of autoscalers, Services and budgets."""
    source, kind = (ROLLOUT, DEPLOYMENT) if wish.is_reverse else (DEPLOYMENT, ROLLOUT)
    has_scaler = False
    template_holder = seen.deployment if part(workload, "spec", "workloadRef") else workload
    for each in objects:
        if scales(each, source, workload):
            has_scaler = True
            yield from _about_scaler(each, kind)
        elif selects(each, template_holder):
            verb = "counts" if each.get("kind") == "PodDisruptionBudget" else "reaches"
            yield kept(f"{title(each)} {verb} the pods of both, by their labels")
    if not has_scaler:
        elsewhere = "" if is_live else " here: one that does elsewhere must be pointed at the new kind as well"
        yield kept(f"no autoscaler names it{elsewhere}")


def _about_scaler(scaler: Raw, kind: str) -> Iterator[Note]:
    if is_made_by_another(scaler):
        yield mind(f"{title(scaler)} is made by another object: change that one")
        return
    yield changed(f"{title(scaler)} names the {kind}; it must do so before the old pods go (see the steps)")
    if can_be_held(scaler):
        yield mind(
            f"{title(scaler)} doesn't scale down from the first step to the last: while both run, each pod has half of"
            " the load"
        )
    elif scaler.get("kind") == "ScaledObject":
        yield mind(
            f"{title(scaler)} may scale down while both run, as each pod has half of the load then: set its"
            " minReplicaCount to the present size for the time of the migration"
        )


def selects(obj: Raw, workload: Raw | None) -> bool:
    """Whether a Service or a PodDisruptionBudget is about a workload's pods."""
    labels = part(workload, "spec", "template", "metadata", "labels")
    if not labels:
        return False
    if _is_service(obj):
        wanted = {key: value for key, value in part(obj, "spec", "selector").items() if key != keys.POD_TEMPLATE_HASH}
        return bool(wanted) and wanted.items() <= labels.items()
    if obj.get("kind") == "PodDisruptionBudget":
        try:
            return selector_matches(part(obj, "spec", "selector"), labels)
        except ValueError:
            return False
    return False

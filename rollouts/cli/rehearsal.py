"""What comes of these manifests? Documents become a simulated world, and its course a timeline with an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rollouts.api.services import service_names
from rollouts.cli.analysis_checks import CLUSTER_TEMPLATE, TEMPLATE, Templates
from rollouts.cli.checks import is_ours
from rollouts.cli.manifests import Document
from rollouts.cli.people import people
from rollouts.cli.router_documents import documents_read
from rollouts.guard import in_time
from rollouts.plan.actions import ANALYSIS_RUN
from rollouts.plan.analysis.references import closure, templates_of
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.strangers import stranger_routers
from rollouts.plan.workload import Reference, meant_spec, reference_in
from rollouts.ports import Reference as RouterReference
from rollouts.ports.checked import PluginError
from rollouts.registry import load_kit
from rollouts.sim.course import Asked, Condition, Course, Happening
from rollouts.sim.director import Director
from rollouts.sim.experimenting import Experimenting
from rollouts.sim.measuring import Measuring
from rollouts.sim.scenario import Change, Scenario, create
from rollouts.sim.simulation import Pass, RestlessError, Simulation
from rollouts.sim.world import World
from rollouts.view import fields
from rollouts.view.timeline import Frame, Timeline, frame

Json = dict[str, Any]

# The virtual clock begins here, so that the same manifests always tell the same story.
START = datetime(2026, 1, 1, tzinfo=UTC)
MOST_PASSES = 20_000
# As many looks in a row that show nothing new, with nothing else to come, are the end: a refusal is retried for ever.
MOST_REPEATED = 30
HEALTHY = Condition(state="healthy")

# What an API server adds, and a manifest that was read from one brings along.
_OF_SERVERS = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")

# What is used though nobody plays it.
_BESIDE = frozenset({"Service", TEMPLATE, CLUSTER_TEMPLATE})

Why = Literal["settled", "until", "limit", "passes", "restless"]


class NoCastError(Exception):
    """The documents don't hold one Rollout and what belongs to it; the message says how they would."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What the documents hold: one Rollout and what it refers to, later versions of both, and the rest."""

    rollout: Json
    workload: Json | None
    changes: tuple[Json, ...]
    services: tuple[Json, ...]
    templates: Mapping[TemplateKey, Mapping[str, Any]]
    objects: Mapping[RouterReference, Mapping[str, Any]]
    taken_for_granted: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def name(self) -> str:
        """The Rollout's name."""
        return fields.name_of(self.rollout)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a simulation ended: `at` so many seconds, in which phase, and `why` it went no further."""

    at: float
    phase: str
    message: str
    why: Why
    never_happened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A whole simulation."""

    name: str
    namespace: str
    start: datetime
    frames: tuple[Frame, ...]
    ended: Ending


def cast(documents: Sequence[Document]) -> Cast:
    """Sort the documents. Raises NoCastError."""
    rollouts = [_as_written(each.content) for each in documents if each.content.get("kind") == "Rollout"]
    if not rollouts:
        raise NoCastError("no Rollout in the files: there is nothing to simulate")
    names = list(dict.fromkeys(fields.name_of(each) for each in rollouts))
    if len(names) > 1:
        raise NoCastError(f"the files hold {len(names)} Rollouts ({', '.join(names)}): simulate one at a time")
    if not names[0]:
        raise NoCastError("the Rollout has no metadata.name: give it one")
    reference = reference_in(rollouts[0])
    workloads = [_as_written(each.content) for each in documents if _is(reference, each.content)]
    if reference is not None and not workloads:
        raise NoCastError(f"{reference}, which the Rollout refers to, is in none of the files: add it with -f")
    played = [each for each in documents if each.content.get("kind") == "Rollout" or _is(reference, each.content)]
    first = (rollouts[0], *workloads[:1])
    services = {
        fields.name_of(each.content): _as_written(each.content)
        for each in documents
        if each.content.get("kind") == "Service"
    }
    needed = dict.fromkeys(name for each in rollouts for name in service_names(each))
    missing = tuple(name for name in needed if name not in services)
    templates = Templates.among(each.content for each in documents if is_ours(each.content)).specs
    referred = (key for each in rollouts for key in templates_of(each))
    granted = [key for key, spec in closure(referred, templates.get).items() if spec is None]
    labels = meant_spec(rollouts[0]["spec"], next(iter(workloads), None)).get("selector", {}).get("matchLabels", {})
    objects = _of_routers(rollouts[0], documents)
    return Cast(
        rollout=rollouts[0],
        workload=next(iter(workloads), None),
        changes=tuple(each for each in map(_as_written, (each.content for each in played)) if each not in first),
        services=(*services.values(), *(_stand_in(name, labels) for name in missing)),
        templates={**templates, **{key: _stand_in_template(key) for key in granted}},
        objects={place: _as_written(each.content) for place, each in objects.items()},
        taken_for_granted=(*(f"Service {name}" for name in missing), *map(str, granted)),
        left_out=tuple(
            each.title
            for each in documents
            if each not in (*played, *objects.values()) and each.content.get("kind") not in _BESIDE
        ),
    )


def _of_routers(rollout: Json, documents: Sequence[Document]) -> dict[RouterReference, Document]:
    kit = load_kit()
    try:
        return in_time(stranger_routers(rollout, kit), lambda: documents_read(rollout, documents, kit))
    except PluginError:
        return {}  # the first pass says what is wrong with it


def _is(reference: Reference | None, content: Json) -> bool:
    return reference is not None and Reference(str(content.get("kind")), fields.name_of(content)) == reference


def _as_written(content: Json) -> Json:
    """Return a manifest without what only a server knows."""
    metadata = {key: value for key, value in fields.part(content, "metadata").items() if key not in _OF_SERVERS}
    return {key: value for key, value in {**content, "metadata": metadata}.items() if key != "status"}


def _stand_in(name: str, labels: Mapping[str, str]) -> Json:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"selector": dict(labels)}}


def _stand_in_template(key: TemplateKey) -> Json:
    """Return a template of one metric of its name: a scenario may say how that goes."""
    return {"metrics": [{"name": key.name, "provider": {"web": {"url": "http://in-none-of-the-files"}}}]}


def update_of(the_cast: Cast) -> Happening:
    """Return the update that is simulated where none is given: every container gets another tag."""
    spec = fields.part(meant_spec(the_cast.rollout["spec"], the_cast.workload), "template", "spec")
    containers = (*fields.items(spec, "initContainers"), *fields.items(spec, "containers"))
    images = {str(each["name"]): _next_tag(str(each.get("image", ""))) for each in containers if each.get("name")}
    return Happening(when=HEALTHY, do=Asked(setImage=images))


def _next_tag(image: str) -> str:
    name = image.partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return f"{repository}:{'next' if tag != 'next' else 'next2'}"


def with_resumption(course: Course | None, resume_after: timedelta | None) -> Course:
    """Return the course to run; without one, pauses that only a person ends are ended."""
    course = course or Course(resumeAfter=timedelta(seconds=60))
    return course if resume_after is None else course.model_copy(update={"resume_after": resume_after or None})


def stage(
    the_cast: Cast, course: Course, changes: Sequence[Happening] = (), *, lasts: timedelta
) -> tuple[Simulation, Director]:
    """Return the simulation of a course, with changes beside it, and who directs it."""
    world = World(START, {image: each.behaviour for image, each in course.images.items()})
    for service in the_cast.services:
        world.create_service(service)
    world.templates |= the_cast.templates
    for place, raw in the_cast.objects.items():
        world.create_object(place, raw)
    world.followers = (Measuring(load_kit(), course.metrics), Experimenting())
    director = Director(
        name=the_cast.name,
        people=people(),
        start=START,
        lists=(changes, course.happens),
        resume_after=course.resume_after,
        until=None if isinstance(course.until, timedelta) else course.until,
    )
    script = (create(0, the_cast.rollout),)
    if the_cast.workload is not None:
        world.create_workload({**the_cast.workload, "spec": {"replicas": 1, **the_cast.workload.get("spec", {})}})
    scenario = Scenario(world, script, lasts.total_seconds())
    return Simulation(scenario, load_kit(), director=director), director


def rehearse(the_cast: Cast, course: Course | None, *, limit: timedelta, resume_after: timedelta | None) -> Rehearsal:
    """Run it to its end; never longer than `limit` of virtual time, nor than so many passes."""
    plan = with_resumption(course, resume_after)
    has_time = isinstance(plan.until, timedelta)
    lasts = min(limit, plan.until) if isinstance(plan.until, timedelta) else limit
    changes = [Happening(when=HEALTHY, do=Asked(apply=each)) for each in the_cast.changes]
    if course is None and not changes:
        changes = [update_of(the_cast)]
    simulation, director = stage(the_cast, plan, changes, lasts=lasts)
    world = simulation.world
    timeline = Timeline()
    why = _play(simulation, the_cast.name, timeline)
    if why == "settled" and world.now > START + lasts:
        why = "until" if has_time and lasts < limit else "limit"
    elif why == "settled" and director.is_over(world):
        why = "until"
    last = timeline.frames[-1]
    never = tuple(f"{each.moment}: {_deed(each)}" for each in director.never_happened)
    at = last.at if why == "settled" else min((world.now - START).total_seconds(), lasts.total_seconds())
    namespace = fields.namespace_of(world.rollouts[the_cast.name])
    ended = Ending(at, last.phase, last.message, why, never_happened=never)
    return Rehearsal(the_cast.name, namespace, START, tuple(timeline.frames), ended)


def _play(simulation: Simulation, name: str, timeline: Timeline) -> Why:
    repeated, now, known, wakes = 0, START, None, simulation.wakes
    try:
        for moment in simulation.run():
            if isinstance(moment, Change):
                timeline.say(moment.says)
                continue
            if moment.now > now:
                latest = timeline.frames[-1]
                # While a pause lasts, for one, more of the same is not the end.
                is_waiting = bool(simulation.wakes) and simulation.wakes == wakes
                repeated = repeated + (not is_waiting) if latest is known else 0
                now, known, wakes = moment.now, latest, simulation.wakes
            if repeated > MOST_REPEATED and not simulation.expects_a_change:
                return "settled"
            timeline.add(_frame(moment, name))
            if simulation.passes > MOST_PASSES:
                return "passes"
    except RestlessError:
        return "restless"
    return "settled"


def _frame(moment: Pass, name: str) -> Frame:
    return frame(
        (moment.now - START).total_seconds(),
        moment.after.rollouts[name],
        moment.after.replica_sets.values(),
        runs=(raw for (kind, _), raw in moment.after.children.items() if kind == ANALYSIS_RUN),
        because=(*moment.plan.because, *moment.denied),
        events=moment.events,
    )


def _deed(happening: Happening) -> str:
    deed = happening.do
    if not isinstance(deed, Asked):
        return str(deed)
    field = next(iter(deed.model_fields_set))
    alias = Asked.model_fields[field].alias or field
    return alias if field == "apply" else f"{alias} {getattr(deed, field)}"

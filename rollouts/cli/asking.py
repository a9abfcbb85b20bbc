"""How does a verb (promote, abort, ...) become a written change? Read the Rollout, decide, send, tell."""

from collections.abc import Callable, Sequence

from rollouts.cli.console import say
from rollouts.cli.errors import CommandError
from rollouts.cli.kinds import ROLLOUT, Kind
from rollouts.cli.session import Session
from rollouts.kube.resources import ROLLOUTS, Resource
from rollouts.view.fields import Raw
from rollouts.view.requests import Answer, Change, Patch, kubectl_line


async def ask(session: Session, name: str, decide: Callable[[Raw], Answer], *, show_patch: bool) -> None:
    """Send what `decide` makes of the Rollout, and say what has happened."""
    await carry_out(session, name, decide(await session.rollout(name)), show_patch=show_patch)


async def ask_child(
    session: Session, kind: Kind, resource: Resource, name: str, decide: Callable[[Raw], Answer], *, show_patch: bool
) -> None:
    """Do the same with an analysis run or an experiment."""
    answer = decide(await session.api.get(resource, session.namespace, name))
    await carry_out(session, name, answer, show_patch=show_patch, written=(resource, name), noun=kind.noun)


async def carry_out(
    session: Session,
    name: str,
    answer: Answer,
    *,
    show_patch: bool,
    written: tuple[Resource, str] | None = None,
    noun: str = ROLLOUT.noun,
) -> None:
    """Send a change and say so; a refusal is an error, a change that is there already is not.

    `written` is the object that the patches are for, where that isn't the Rollout.
    """
    if isinstance(answer, Change):
        resource, target = written or (ROLLOUTS, name)
        if show_patch:
            show_patches(answer.patches, target, session.namespace, resource)
        await session.send(target, answer.patches, resource)
        say(f"{noun} {name!r} {answer.said}")
    elif answer.is_refusal:
        raise CommandError(f"{noun} {name!r} {answer.why}")
    else:
        say(f"{noun} {name!r} {answer.why}")


def show_patches(patches: Sequence[Patch], name: str, namespace: str, resource: Resource = ROLLOUTS) -> None:
    """Print the kubectl commands that send the same patches."""
    for patch in patches:
        say(kubectl_line(patch, name, namespace, resource.kind.lower()))

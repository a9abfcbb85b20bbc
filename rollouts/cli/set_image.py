"""`rollouts set image NAME CONTAINER=IMAGE ...`: change images, and so start an update."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.options import RolloutName, on_cluster
from rollouts.view import fields
from rollouts.view.requests import ImagesSet, set_images

if TYPE_CHECKING:
    from rollouts.cli.session import Session

_ATTEMPTS = 5


def _images(assignments: list[str]) -> list[str]:
    for text in assignments:
        container, equals, image = text.partition("=")
        if not container or not equals or not image:
            raise typer.BadParameter(f"{text!r} sets no image: write CONTAINER=IMAGE, or '*=IMAGE' for all containers")
    return assignments


@on_cluster
async def set_image(
    session: "Session",
    rollout: RolloutName,
    images: Annotated[
        list[str], typer.Argument(metavar="CONTAINER=IMAGE...", help="'*' means all containers.", callback=_images)
    ],
) -> None:
    """Change the images of containers by name; init and ephemeral containers count too."""
    from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

    from rollouts.cli.console import say
    from rollouts.kube.errors import Conflict

    wanted = dict(text.split("=", 1) for text in images)
    # Somebody else wrote in between, most likely the controller: read and write again.
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Conflict),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random(0, 0.1),
        reraise=True,
    )
    changed: tuple[str, ...] = await retrying(_write, session, rollout, wanted)
    if changed:
        say(f"rollout {rollout!r} image updated ({', '.join(dict.fromkeys(changed))})")
    else:
        say(f"rollout {rollout!r} has these images already")


async def _write(session: "Session", rollout: str, images: dict[str, str]) -> tuple[str, ...]:
    """Write the images into the object that holds the pod template; return the containers that changed."""
    resource, workload = await session.workload(await session.rollout(rollout))
    holder: dict[str, Any] = workload if resource.kind == "PodTemplate" else workload["spec"]
    result = set_images(fields.part(holder, "template"), images)
    _check(rollout, result)
    if result.changed:
        holder["template"] = result.template
        await session.api.replace(resource, session.namespace, fields.name_of(workload), workload)
    return result.changed


def _check(rollout: str, result: ImagesSet) -> None:
    from rollouts.cli.errors import CommandError

    if result.unknown:
        unknown, known = ", ".join(result.unknown), ", ".join(result.known) or "none"
        raise CommandError(f"rollout {rollout!r} has no container {unknown}; it has: {known}")

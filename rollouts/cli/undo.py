"""`rollouts undo NAME [--to-revision N]`: bring back an earlier pod template."""

from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.options import RolloutName, ShowPatchOption, on_cluster
from rollouts.view import fields

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def undo(
    session: "Session",
    rollout: RolloutName,
    *,
    to_revision: Annotated[
        int,
        typer.Option(
            "--to-revision", min=0, metavar="N", help="The revision; 0: stable in mid-update, else the one before."
        ),
    ] = 0,
    show_patch: ShowPatchOption = False,
) -> None:
    """Bring back the pod template of an earlier revision."""
    from rollouts.cli.asking import carry_out
    from rollouts.plan.equality import templates_equal
    from rollouts.view.undo import undo as undo_to

    raw = await session.rollout(rollout)
    resource, workload = await session.workload(raw)
    inside = ("template",) if resource.kind == "PodTemplate" else ("spec", "template")
    present = fields.part(workload, *inside)
    answer = undo_to(
        raw,
        await session.replica_sets(raw),
        present,
        to_revision,
        is_same=templates_equal,
        path="/" + "/".join(inside),
    )
    await carry_out(session, rollout, answer, show_patch=show_patch, written=(resource, fields.name_of(workload)))

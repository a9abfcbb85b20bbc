"""How does a command talk to the cluster? A namespace, the few reads that commands need, and patches."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.cli.errors import CommandError
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import Forbidden, Gone, NotFound, Unreachable
from rollouts.kube.patches import PatchType
from rollouts.kube.resources import DEPLOYMENTS, POD_TEMPLATES, PODS, REPLICA_SETS, ROLLOUTS, Resource
from rollouts.view import fields
from rollouts.view.requests import Patch

Json = dict[str, Any]

FIELD_MANAGER = "rollouts-cli"
_WORKLOADS = {each.kind: each for each in (DEPLOYMENTS, REPLICA_SETS, POD_TEMPLATES)}


@dataclass(frozen=True, slots=True)
class Where:
    """What the global options say; None where they say nothing."""

    namespace: str | None = None
    kubeconfig: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """An API server and the namespace that the command is about."""

    api: Api
    namespace: str

    async def rollout(self, name: str) -> Json:
        """Read a Rollout."""
        return await self.api.get(ROLLOUTS, self.namespace, name)

    async def rollouts(self, *, everywhere: bool = False, name: str = "") -> list[Json]:
        """Read the Rollouts of the namespace or of all namespaces, those of one name or all."""
        return await self.found(ROLLOUTS, everywhere=everywhere, name=name)

    async def found(
        self, resource: Resource, *, everywhere: bool = False, name: str = "", label_selector: str | None = None
    ) -> list[Json]:
        """Read the objects of a kind in the namespace or in all of them, those of one name or all."""
        selector = f"metadata.name={name}" if name else None
        namespace = None if everywhere else self.namespace
        listing = await self.api.list(resource, namespace, field_selector=selector, label_selector=label_selector)
        return listing.items

    async def readable(self, resource: Resource) -> list[Json]:
        """Read what there is of a kind; nothing where we may not read it, or where the kind isn't installed."""
        try:
            return await self.found(resource)
        except (Forbidden, NotFound):
            return []

    async def replica_sets(self, rollout: Json) -> list[Json]:
        """Read the ReplicaSets that the Rollout controls."""
        return [dict(each) for each in fields.controlled_by(rollout, await self.found(REPLICA_SETS))]

    async def pods(self) -> list[Json]:
        """Read the namespace's pods that belong to any Rollout."""
        from rollouts.api.keys import POD_TEMPLATE_HASH

        return await self.found(PODS, label_selector=POD_TEMPLATE_HASH)

    async def workload(self, rollout: Json) -> tuple[Resource, Json]:
        """Return the object that holds the pod template: the Rollout, or what its workloadRef names."""
        reference = fields.part(rollout, "spec", "workloadRef")
        if not reference:
            return ROLLOUTS, rollout
        resource = _WORKLOADS.get(str(reference.get("kind")))
        if resource is None:
            raise CommandError(
                f"spec.workloadRef.kind: {reference.get('kind')!r} is no workload; one of {', '.join(_WORKLOADS)} is"
            )
        return resource, await self.api.get(resource, self.namespace, str(reference.get("name")))

    async def follow(self, name: str) -> AsyncGenerator[Json, None]:
        """Yield the Rollout now and whenever it changes, until the server ends the stream; an error once it is gone."""
        raw = await self.rollout(name)
        yield raw
        events = self.api.watch(
            ROLLOUTS,
            self.namespace,
            resource_version=raw["metadata"].get("resourceVersion"),
            field_selector=f"metadata.name={name}",
        )
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    if event["type"] == "DELETED":
                        raise CommandError(f"rollout {name!r} was deleted")
                    if event["type"] != "BOOKMARK":
                        yield event["object"]
        except (Gone, Unreachable):
            # The stream broke or is too old to go on: the caller begins again with a fresh read, which tells more.
            return

    async def send(self, name: str, patches: Sequence[Patch], resource: Resource = ROLLOUTS) -> None:
        """Send patches in their order."""
        for patch in patches:
            await self._send(name, patch, resource)

    async def _send(self, name: str, patch: Patch, resource: Resource) -> None:
        patch_type = PatchType.JSON if patch.type == "json" else PatchType.MERGE
        try:
            await self.api.patch(
                resource, self.namespace, name, patch.body, patch_type=patch_type, subresource=patch.subresource or None
            )
        except NotFound:
            if not patch.subresource:
                raise
            # CRDs of long ago have no status subresource: there the main resource takes the same patch.
            await self.api.patch(resource, self.namespace, name, patch.body, patch_type=patch_type)


@contextlib.asynccontextmanager
async def open_session(where: Where, *, patience: float = 30.0) -> AsyncIterator[Session]:
    """Connect as the global options say; no request takes longer than `patience` seconds."""
    async with await connect(kubeconfig=where.kubeconfig, context=where.context) as connection:
        api = Api(connection, field_manager=FIELD_MANAGER, timeout=patience)
        yield Session(api, where.namespace or connection.namespace)

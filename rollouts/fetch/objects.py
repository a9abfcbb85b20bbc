"""What may a flow ask an API server? What its provider declares, where its provider is at home, and nothing else."""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from rollouts.ports.objects import CreateObject, Home, ObjectAnswer, ObjectRequest, ReadPath
from rollouts.ports.provider import AnyProvider, MeasurementError

Objects = Callable[[ObjectRequest, Home], Awaitable[ObjectAnswer]]
"""Answers a request about objects that are at a provider's home. Raises MeasurementError."""


async def not_available(request: ObjectRequest, home: Home) -> ObjectAnswer:
    """Stand in where there is no API server to ask."""
    del request, home
    raise MeasurementError("this metric is about objects of Kubernetes, and there is no cluster here to look at")


def checked(request: ObjectRequest, provider: AnyProvider, home: Home) -> ObjectRequest:
    """Return a request that its provider may make. Raises MeasurementError."""
    if not isinstance(request, ObjectRequest):
        raise MeasurementError(
            f"the metric provider {provider.key!r} is broken: it asked by a {type(request).__name__}"
        )
    if not home.namespace:
        raise MeasurementError(f"the metric provider {provider.key!r} is at home in no namespace")
    if isinstance(request, ReadPath):
        allowed = any(request.path.startswith(each.format(namespace=home.namespace)) for each in provider.paths)
        if not allowed or ".." in unquote(request.path).split("/"):
            raise MeasurementError(f"the metric provider {provider.key!r} may not read {request.path}")
        return request
    if request.verb not in provider.objects.get(request.kind, ()):
        raise MeasurementError(f"the metric provider {provider.key!r} may not {request.verb} {request.kind}")
    if isinstance(request, CreateObject):
        metadata = request.body.get("metadata") or {}
        if metadata.get("namespace", home.namespace) != home.namespace:
            raise MeasurementError(f"the metric provider {provider.key!r} may create objects in {home.namespace} only")
    return request

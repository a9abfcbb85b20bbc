"""Which credentials does a Secret hold? Who forgot a key, or the Secret, is told its name and the keys."""

from collections.abc import Iterator, Mapping

from rollouts.api.providers import TokenSecretRef
from rollouts.ports.provider import Asked, MeasurementError, SecretRef


def held_by(asked: Asked, reference: SecretRef, *keys: str) -> Mapping[str, str]:
    """Return the values of a Secret, in which these keys are not empty. Raises MeasurementError."""
    where = f"in namespace {reference.namespace}" if reference.namespace else "in the controller's namespace"
    values = asked.secrets.get(reference)
    wanted = ", ".join(keys)
    if values is None:
        raise MeasurementError(f"there is no Secret {reference.name} {where}: create it with the keys {wanted}")
    missing = [key for key in keys if not values.get(key, "").strip()]
    if missing:
        raise MeasurementError(f"the Secret {reference.name} {where} lacks {', '.join(missing)}: it needs {wanted}")
    return {key: value.strip() for key, value in values.items()}


def token_of(asked: Asked, reference: TokenSecretRef | None, key: str) -> str:
    """Return the token in a Secret of the run's namespace. Raises MeasurementError."""
    if reference is None:
        raise MeasurementError(f"no secretRef: name a Secret with the key {key}")
    return held_by(asked, SecretRef(reference.name, asked.namespace), key)[key]


def token_problems(address: str | None, reference: TokenSecretRef | None, key: str) -> Iterator[tuple[str, str]]:
    """Yield what is missing: who names a server says also which token is for it."""
    if address and reference is None:
        yield "secretRef", f"is missing: name a Secret with the key {key}"
    if reference is not None and not address:
        yield (
            "address",
            "is missing: a secretRef goes with an address; leave both out to use what is set for all metrics",
        )

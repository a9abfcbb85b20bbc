"""Which credentials does a Secret hold? Who forgot a key, or the Secret, is told its name and the keys."""

from collections.abc import Mapping

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

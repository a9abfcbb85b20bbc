"""Which settings of the controller do providers see? Those of its environment that they have a use for, and no more."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

_PASSED = (
    "ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG", "ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE",
    "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS",
    "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "AWS_ENDPOINT_URL_STS", "AWS_REGION",
    "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "DD_ADDRESS", "DD_API_KEY", "DD_APP_KEY",
)  # fmt: skip
_TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - the name of a variable


def settings_from(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings; call it for each measurement, because the token of a service account is renewed."""
    settings = {name: environment[name] for name in _PASSED if environment.get(name)}
    if environment.get(_TOKEN_FILE):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            settings["AWS_WEB_IDENTITY_TOKEN"] = Path(environment[_TOKEN_FILE]).read_text("utf-8").strip()
    return settings

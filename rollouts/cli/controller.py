"""`rollouts controller`: the controller process, with the flags that its installations know."""

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

_SCOPE, _SERVERS, _LEADING, _PACE = "What to look after", "Probes and metrics", "Leader election", "Pace"
_TRAFFIC, _PLUGINS = "Traffic", "Compiled plugins"

# Scripts pass these; they have no meaning here, or none yet.
_WITHOUT_MEANING = {
    "--qps": "requests are not limited on our side: the API server's own limits are honoured",
    "--burst": "requests are not limited on our side: the API server's own limits are honoured",
    "--kloglevel": "use --loglevel",
    "--rollout-threads": "use --workers",
    "--experiment-threads": "use --workers",
    "--analysis-threads": "use --workers",
    "--service-threads": "use --workers",
    "--ingress-threads": "use --workers",
    "--ephemeral-metadata-threads": "use --workers",
    "--ephemeral-metadata-update-pod-retries": "conflicts are observed again, as often as it takes",
    "--istio-api-version": "versions are discovered",
    "--ambassador-api-version": "versions are discovered",
    "--traffic-split-api-version": "versions are discovered",
    "--traefik-api-group": "versions are discovered",
    "--traefik-api-version": "versions are discovered",
    "--ingress-api-version": "versions are discovered",
    "--appmesh-crd-version": "versions are discovered",
    "--aws-target-group-binding-api-version": "versions are discovered",
    "--alb-ingress-classes": "an Ingress that a Rollout names is watched, whatever its class",
    "--nginx-ingress-classes": "an Ingress that a Rollout names is watched, whatever its class",
}


class LogLevel(StrEnum):
    """How much to say."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class LogFormat(StrEnum):
    """For whom to say it."""

    TEXT = "text"
    JSON = "json"


def _accepting_others(command: Callable[..., None]) -> Callable[..., None]:
    """Add the flags without meaning, hidden from the help."""
    signature = inspect.signature(command)
    parameters = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    kind = inspect.Parameter.KEYWORD_ONLY
    for flag in _WITHOUT_MEANING:
        annotation = Annotated[str | None, typer.Option(flag, hidden=True)]
        name = flag.removeprefix("--").replace("-", "_")
        parameters.append(inspect.Parameter(name, kind, default=None, annotation=annotation))

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        command(**arguments)

    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _seconds(text: str) -> float:
    from rollouts.api.durations import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@_accepting_others
def controller(
    *,
    invocation: typer.Context,
    namespace: Annotated[
        str | None, typer.Option(help="Look after one namespace; without it: after all.", rich_help_panel=_SCOPE)
    ] = None,
    namespaced: Annotated[
        bool,
        typer.Option("--namespaced", help="Look after the controller's own namespace only.", rich_help_panel=_SCOPE),
    ] = False,
    instance_id: Annotated[
        str,
        typer.Option(
            help="Look after objects with the label argo-rollouts.argoproj.io/controller-instance-id of this value; "
            "without it: after those that lack the label.",
            rich_help_panel=_SCOPE,
        ),
    ] = "",
    kubeconfig: Annotated[
        str | None, typer.Option(metavar="FILE", help="The kubeconfig; in a pod, its service account needs none.")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="The kubeconfig's context to use.")] = None,
    loglevel: Annotated[LogLevel, typer.Option(help="How much to say.")] = LogLevel.INFO,
    logformat: Annotated[LogFormat, typer.Option(help="For people, or for machines.")] = LogFormat.TEXT,
    bind_address: Annotated[
        str, typer.Option(help="The address of both servers.", rich_help_panel=_SERVERS)
    ] = "0.0.0.0",  # noqa: S104 - probes and Prometheus come from outside the pod
    healthz_port: Annotated[
        int,
        typer.Option(
            "--healthzPort",
            "--healthzport",
            help="The port of /healthz and /readyz; 0 takes a free one.",
            min=0,
            max=65535,
            rich_help_panel=_SERVERS,
        ),
    ] = 8080,
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metricsPort",
            "--metricsport",
            help="The port of /metrics; 0 takes a free one.",
            min=0,
            max=65535,
            rich_help_panel=_SERVERS,
        ),
    ] = 8090,
    workers: Annotated[
        int, typer.Option(help="How many Rollouts are worked on at once.", min=1, rich_help_panel=_PACE)
    ] = 32,
    rollout_resync: Annotated[
        int,
        typer.Option(
            help="Seconds after which a Rollout is looked at although nothing has changed.",
            min=1,
            rich_help_panel=_PACE,
        ),
    ] = 900,
    status_delay: Annotated[
        float,
        typer.Option(
            parser=_seconds,
            metavar="DURATION",
            help="How long a change of counts may wait, so that several share a write.",
            rich_help_panel=_PACE,
        ),
    ] = "5s",  # type: ignore[assignment]
    disable_step_plugin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Take steps of this plugin as complete, as long as it is out of order; may be given several times.",
            rich_help_panel=_PACE,
        ),
    ] = None,
    plugin_environment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Let compiled plugins see this environment variable; may be given several times.",
            rich_help_panel=_PLUGINS,
        ),
    ] = None,
    aws_verify_target_group: Annotated[
        bool,
        typer.Option(
            "--aws-verify-target-group",
            "--alb-verify-weight",
            help="Ask AWS whether a load balancer does what its Ingress says before the next step of a canary.",
            rich_help_panel=_TRAFFIC,
        ),
    ] = False,
    alb_tag_key_resource_id: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="The tag that names the Service of a target group, where it isn't the one that AWS' controller gives.",
            rich_help_panel=_TRAFFIC,
        ),
    ] = "",
    leader_elect: Annotated[
        bool, typer.Option(help="Work only while holding the lease.", rich_help_panel=_LEADING)
    ] = True,
    leader_election_lease_duration: Annotated[
        float,
        typer.Option(
            parser=_seconds,
            metavar="DURATION",
            help="How long a leader may be silent before another takes its place.",
            rich_help_panel=_LEADING,
        ),
    ] = "15s",  # type: ignore[assignment]
    leader_election_renew_deadline: Annotated[
        float,
        typer.Option(
            parser=_seconds,
            metavar="DURATION",
            help="How long a leader that can't renew goes on.",
            rich_help_panel=_LEADING,
        ),
    ] = "10s",  # type: ignore[assignment]
    leader_election_retry_period: Annotated[
        float,
        typer.Option(
            parser=_seconds, metavar="DURATION", help="How long to wait between attempts.", rich_help_panel=_LEADING
        ),
    ] = "2s",  # type: ignore[assignment]
    **others: str | None,
) -> None:
    """Run the controller."""
    import gc

    gc.disable()  # loading modules makes no garbage, and looking for some takes a tenth of the time; main turns it on
    import structlog

    from rollouts.controller.app import main
    from rollouts.controller.logs import configure_logs
    from rollouts.controller.options import DEFAULT_NAMESPACE, Options, find_controller_namespace

    configure_logs(loglevel.value, logformat.value)
    for flag, hint in _WITHOUT_MEANING.items():
        if others[flag.removeprefix("--").replace("-", "_")] is not None:
            structlog.get_logger(__name__).warning("flag without effect", flag=flag, hint=hint)
    in_front: dict[str, str | None] = invocation.obj or {}
    home = find_controller_namespace()
    options = Options(
        namespace=namespace or in_front.get("namespace") or (home or DEFAULT_NAMESPACE if namespaced else None),
        instance_id=instance_id,
        kubeconfig=kubeconfig or in_front.get("kubeconfig"),
        context=context or in_front.get("context"),
        address=bind_address,
        health_port=healthz_port,
        metrics_port=metrics_port,
        workers=workers,
        resync=float(rollout_resync),
        status_delay=status_delay,
        disabled_steps=frozenset(disable_step_plugin or ()),
        settings=_set(AWS_VERIFY_TARGET_GROUP=aws_verify_target_group, ALB_TAG_KEY_RESOURCE_ID=alb_tag_key_resource_id),
        plugin_environment=tuple(plugin_environment or ()),
        leader_elect=leader_elect,
        lease_duration=leader_election_lease_duration,
        renew_deadline=leader_election_renew_deadline,
        retry_period=leader_election_retry_period,
        controller_namespace=home,
    )
    raise typer.Exit(main(options))


def _set(**flags: str | bool) -> dict[str, str]:
    """Return the settings of routers that flags give, by the flags' names."""
    return {name: str(value) for name, value in flags.items() if value}

"""Which parts of the reference does the code itself write? Commands, their options, flags, metrics, routers."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer
from typer.core import TyperGroup

from rollouts.cli.main import app
from rollouts.controller.metrics import Metrics
from rollouts.ports import Ability, Router
from rollouts.ports.router import AnyRouter
from tests.docs.router_pages import HOW_TO, examples
from tests.docs.routers import declared

_BEGIN, _END = "<!-- generated: {} -->", "<!-- end -->"
_HELP = "help"
_SHARED = ("namespace", "kubeconfig", "context")
_ROLLOUT = {
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {"replicas": 1, "strategy": {"canary": {"trafficRouting": {"istio": {}}}}},
    "status": {"canary": {"weights": {"canary": {"weight": 0}}}},
}


def _text(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(parameter: Any) -> str:
    default = parameter.default
    if default is None or default is False or default == "" or callable(default):
        return ""
    if default is True:
        return f"`{parameter.opts[0]}`"
    return f"`{getattr(default, 'value', default)}`"


def _option(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return f"| {names} | {_value(parameter)} | {_default(parameter)} | {_text(parameter.help or '')} |"


def _value(parameter: Any) -> str:
    if parameter.is_flag:
        return ""
    if parameter.metavar:
        return str(parameter.metavar).lower()
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(each.value) for each in kind)
    return "number" if kind is int else "text"


def options_table(command: Any, *, without: tuple[str, ...] = ()) -> str:
    """Return the table of a command's visible options."""
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    rows = [_option(each) for each in options if each.name not in (*without, _HELP)]
    return "\n".join(["| option | value | default | |", "|---|---|---|---|", *rows]) if rows else ""


def _arguments(command: Any) -> str:
    names = [each.metavar or each.name.upper() for each in command.params if each.param_type_name == "argument"]
    return " ".join(names)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield f"{path} {name}", command
            yield from _commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command.real() if hasattr(command, "real") else command


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command of ours with its words."""
    yield from _commands(typer.main.get_command(app), "rollouts")


def command_line() -> str:
    """Return the part about all commands."""
    parts = []
    for words, command in commands():
        parts.append(f"## {words}\n\n`{' '.join(filter(None, (words, _arguments(command))))}`\n")
        parts.append(f"{_text(command.help or '')}\n")
        if words == "rollouts controller":
            parts.append("Its flags are in [controller](controller.md).\n")
        elif table := options_table(command, without=_SHARED if _is_on_cluster(command) else ()):
            parts.append(f"{table}\n")
    return "\n".join(parts).rstrip()


def _is_on_cluster(command: Any) -> bool:
    return set(_SHARED) <= {each.name for each in command.params}


def controller_flags() -> str:
    """Return the table of the controller's flags."""
    return options_table(dict(commands())["rollouts controller"])


def metrics() -> str:
    """Return the table of the metrics."""
    metrics = Metrics()
    metrics.show(lambda: [_ROLLOUT])
    labels = {name: ", ".join(names) for name, names in _label_names(metrics)}
    rows = []
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        name = f"{name}_info" if family.type == "info" else name
        seen = sorted(family.samples[0].labels) if family.samples else ()
        told = labels.get(family.name) or ", ".join(seen)
        rows.append(f"| `{name}` | {family.type} | {told} | {_text(family.documentation)} |")
    return "\n".join(["| metric | type | labels | |", "|---|---|---|---|", *sorted(rows)])


def _label_names(metrics: Metrics) -> Iterator[tuple[str, tuple[str, ...]]]:
    collectors: Any = metrics.registry._collector_to_names
    for collector in collectors:
        if hasattr(collector, "_labelnames"):
            yield collector._name, collector._labelnames


_YES_OR_NO = (
    Ability.QUERY_PARAMETERS,
    Ability.MIRROR_ROUTES,
    Ability.EXPERIMENTS,
    Ability.SESSION_AFFINITY,
    Ability.PING_PONG,
)


def routers() -> str:
    """Return the table of what traffic routers can do."""
    rows = [_router(key, router) for key, router in declared().items()]
    head = "| router | weights | header routes | by query | mirrors | experiments | affinity | `pingPong` | waits |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


def _router(key: str, router: AnyRouter) -> str:
    weights = f"to {router.most_weight:,}" if router.most_weight else "any"
    can = router.abilities
    cells = [
        weights if Ability.MAX_WEIGHT in can else "percent",
        ", ".join(router.header_matches) if Ability.HEADER_ROUTES in can else "",
        *("yes" if each in can else "" for each in _YES_OR_NO),
        _waits(router),
    ]
    return f"| [{key}]({_page(key)}) | {' | '.join(cells)} |".replace("  ", " ")


def _waits(router: AnyRouter) -> str:
    if type(router).seen is not Router.seen:
        return "yes"
    return "if it may ask" if type(router).questions is not Router.questions else ""


def _page(key: str) -> str:
    """Return where a router's page is, seen from the reference: the first that has its manifests."""
    of_key: dict[str, str] = {}
    for each in examples():
        of_key.setdefault(each.router, each.page.relative_to(HOW_TO).as_posix())
    of_key["argoproj-labs/gatewayAPI"] = f"{of_key['gatewayAPI']}#from-the-plugin-of-argo-rollouts"
    return f"../how-to/{of_key[key]}"


PARTS = {
    "cli.md": {"commands": command_line},
    "routers.md": {"routers": routers},
    "controller.md": {"flags": controller_flags, "metrics": metrics},
}


def rewritten(page: str, text: str) -> str:
    """Return a page's text with its generated parts made anew."""
    for name, make in PARTS[page].items():
        begin = _BEGIN.format(name)
        before, _, rest = text.partition(f"{begin}\n")
        _, found, after = rest.partition(_END)
        if not found:
            raise ValueError(f"{page} has no part {begin} ... {_END}")
        text = f"{before}{begin}\n\n{make()}\n\n{_END}{after}"
    return text

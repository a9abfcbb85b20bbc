"""`rollouts completion SHELL`, and what to suggest: commands, flags, and the names of rollouts in the cluster.

kubectl asks `kubectl_complete-rollouts` for words, our own shell scripts ask `rollouts __complete`. Both get a word a
line and `:4` at the end, which tells a shell not to suggest files.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.console import say
from rollouts.cli.kinds import ROLLOUT, Kind, kind_of

if TYPE_CHECKING:
    from rollouts.cli.session import Where

COMPLETE = "__complete"
_NO_FILES = ":4"
_PATIENCE = 1.5  # seconds: who presses Tab won't wait longer

_BASH = """\
_rollouts_complete() {
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$(rollouts __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | sed '/^:[0-9]*$/d')" \\
        -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _rollouts_complete rollouts
"""
_ZSH = """\
#compdef rollouts
_rollouts_complete() {
    local -a words_found
    words_found=(${(f)"$(rollouts __complete "${(@)words[2,CURRENT]}" 2>/dev/null | sed '/^:[0-9]*$/d')"})
    compadd -a words_found
}
compdef _rollouts_complete rollouts
"""
_FISH = """\
function __rollouts_complete
    set -l typed (commandline -opc) (commandline -ct)
    rollouts __complete $typed[2..-1] 2>/dev/null | string match -v -r '^:[0-9]+$'
end
complete -c rollouts -f -a '(__rollouts_complete)'
"""


class Shell(StrEnum):
    """The shells that we know."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_SCRIPTS = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH}


def completion(shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")]) -> None:
    """Print a script that teaches a shell to complete; `source <(rollouts completion bash)` uses it."""
    say(_SCRIPTS[shell].rstrip("\n"))


def main() -> None:
    """Answer kubectl, which asks for `kubectl rollouts <Tab>`."""
    complete(sys.argv[1:])


def complete(words: Sequence[str]) -> None:
    """Print what may stand for the last of the words."""
    for word in suggestions(words):
        say(word)
    say(_NO_FILES)


def suggestions(words: Sequence[str]) -> list[str]:
    """Return the candidates for the last word, given those before it."""
    *before, incomplete = words or [""]
    try:
        found = list(_candidates(before, incomplete))
    except Exception:  # noqa: BLE001 - whatever goes wrong, a shell that is being typed at must see words or nothing
        return []
    return sorted({word for word in found if word.startswith(incomplete)})


def _candidates(before: Sequence[str], incomplete: str) -> Iterator[str]:
    command, rest = _walk(before)
    values, option, positional = _read(command, rest)
    if option is not None:
        yield from _values_of(option)
    elif incomplete.startswith("-"):
        yield from _flags(command)
    elif hasattr(command, "commands"):
        if not positional:
            yield from (name for name, each in command.commands.items() if not each.hidden)
    else:
        yield from _arguments(command, positional, values)


def _walk(words: Sequence[str]) -> tuple[Any, list[str]]:
    """Return the command that the words lead to, and the words that are left; options in between are carried along."""
    from rollouts.cli.main import app

    command: Any = typer.main.get_command(app)
    rest: list[str] = []
    expects_value = False
    for word in words:
        found = None if expects_value or not hasattr(command, "commands") else command.get_command(None, word)
        expects_value = not expects_value and _takes_value(command, word)
        if found is None:
            rest.append(word)
        else:
            command = found.real() if hasattr(found, "real") else found
    return command, rest


def _option(command: Any, word: str) -> Any:
    return next((each for each in command.params if word.startswith("-") and word in each.opts), None)


def _takes_value(command: Any, word: str) -> bool:
    option = _option(command, word)
    return option is not None and not option.is_flag


def _read(command: Any, words: Sequence[str]) -> tuple[dict[str, str], Any, list[str]]:
    """Return the options' values, the option whose value is being typed (or None), and the other words."""
    values: dict[str, str] = {}
    positional: list[str] = []
    pending: Any = None
    for word in words:
        if pending is not None:
            values[pending.name], pending = word, None
        elif word.startswith("--") and "=" in word:
            flag, _, value = word.partition("=")
            option = _option(command, flag)
            values.update({option.name: value} if option is not None else {})
        elif word.startswith("-"):
            pending = _option(command, word) if _takes_value(command, word) else None
        else:
            positional.append(word)
    return values, pending, positional


def _flags(command: Any) -> Iterator[str]:
    for each in command.params:
        if each.param_type_name == "option" and not getattr(each, "hidden", False):
            yield from (flag for flag in each.opts if flag.startswith("--"))
    yield "--help"


def _values_of(option: Any) -> Iterator[str]:
    if option.name == "output":
        from rollouts.cli.options import Output

        yield from Output


def _arguments(command: Any, positional: Sequence[str], values: dict[str, str]) -> Iterator[str]:
    from rollouts.cli.session import Where

    names = [each.name for each in command.params if each.param_type_name == "argument"]
    if names[:1] == ["shell"] and not positional:
        yield from Shell
    kind = _kind_wanted(names, positional)
    if kind is not None:
        where = {name: values.get(name) for name in ("namespace", "kubeconfig", "context")}
        yield from asyncio.run(_names_of(kind, Where(**where)))


def _kind_wanted(names: Sequence[str], positional: Sequence[str]) -> Kind | None:
    """Return whose names to suggest: the argument's kind; where there is a choice, the kind typed before it."""
    if names[:1] == ["subject"]:
        return ROLLOUT if not positional else kind_of(positional[0]) if len(positional) == 1 else None
    return kind_of(names[0].replace("_", "")) if names and not positional else None


async def _names_of(kind: Kind, where: "Where") -> list[str]:
    from rollouts.cli.session import open_session
    from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, ROLLOUTS

    resource = {each.plural: each for each in (ROLLOUTS, ANALYSIS_RUNS, EXPERIMENTS)}[kind.plural]
    async with asyncio.timeout(_PATIENCE), open_session(where, patience=_PATIENCE) as session:
        return [raw["metadata"]["name"] for raw in await session.found(resource)]

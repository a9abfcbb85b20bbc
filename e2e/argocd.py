"""What does Argo CD make of a Rollout, and of what it makes? Its own scripts, run and obeyed as it does both."""

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from lupa import lua51

Json = dict[str, Any]
HEALTHS = {"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"}
# Argo CD opens the base and table libraries, and of `os` what tells the time.
SANDBOX = """
local date, time = os.date, os.time
os = {date = date, time = time}
package.loaded.os = os
io, debug, dofile, loadfile, python = nil, nil, nil, nil, nil
"""


class Scripts:
    """Argo CD's scripts for one kind: `health.lua`, `actions/discovery.lua`, `actions/NAME/action.lua`."""

    def __init__(self, folder: Path) -> None:
        self._health = (folder / "health.lua").read_text()
        self._actions = {file.parent.name: file.read_text() for file in folder.glob("actions/*/action.lua")}
        self._discovery = (folder / "actions" / "discovery.lua").read_text() if self._actions else "return {}"

    @property
    def actions(self) -> frozenset[str]:
        """All of them, whether they can be pressed or not."""
        return frozenset(self._actions)

    def health(self, obj: Json) -> tuple[str, str]:
        """The health and its message."""
        result = _run(self._health, obj, {})
        status = result.get("status", "")
        return (status if status in HEALTHS else "Unknown"), result.get("message") or ""

    def offered(self, obj: Json) -> set[str]:
        """The actions whose buttons can be pressed."""
        found = _run(self._discovery, obj, {})
        assert set(found) == set(self._actions), found
        return {name for name, action in found.items() if not (action or {}).get("disabled")}

    def act(self, action: str, obj: Json) -> Json:
        """The object as an action wants it."""
        changed: Json = _run(self._actions[action], obj, obj)
        return changed


def patches(live: Json, wanted: Json) -> tuple[Json, Json]:
    """The merge patches that Argo CD sends: (to the status subresource, to the object)."""
    patch = _difference(live, wanted)
    return ({"status": patch.pop("status")} if "status" in patch else {}), patch


def _difference(live: Json, wanted: Json) -> Json:
    """What a merge patch has to say; lists are replaced whole."""
    patch: Json = dict.fromkeys(live.keys() - wanted.keys())
    for name, value in wanted.items():
        if name in live and isinstance(value, dict) and isinstance(live[name], dict):
            if inner := _difference(live[name], value):
                patch[name] = inner
        elif name not in live or value != live[name]:
            patch[name] = value
    return patch


def _run(script: str, obj: Json, model: Json) -> Any:
    """Run a script on an object in a Lua of its own; `model` says which empty tables are objects."""
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute(SANDBOX)
    lua.globals()["obj"] = _to_lua(lua, obj)
    return _to_json(lua.execute(script), model)


def _to_lua(lua: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        return lua.table_from({name: _to_lua(lua, inner) for name, inner in value.items() if inner is not None})
    if isinstance(value, list):
        return lua.table_from([_to_lua(lua, inner) for inner in value])
    return value


def _to_json(value: Any, model: Any) -> Any:
    if lua51.lua_type(value) != "table":
        return value
    names = list(value)
    if not names:
        return {} if isinstance(model, dict) else []
    if names == list(range(1, len(names) + 1)):
        in_list = model if isinstance(model, list) else []
        return [_to_json(inner, like) for inner, like in zip_longest(value.values(), in_list[: len(names)])]
    in_object = model if isinstance(model, dict) else {}
    return {name: _to_json(inner, in_object.get(name)) for name, inner in value.items()}

"""With what are measurements in this cluster taken, and step plugins called? Opened once, and closed in the end."""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from rollouts.compiled.config import Config
from rollouts.compiled.host import Host
from rollouts.compiled.program import ProgramError
from rollouts.controller.secrets import Secrets
from rollouts.fetch import open_session, settings_from
from rollouts.fetch.ask import perform_question
from rollouts.fetch.call import perform_call
from rollouts.fetch.perform import Bench, perform
from rollouts.guard import Guard
from rollouts.kube.client import Api
from rollouts.kube.objects import Objects
from rollouts.kube.resources import ANALYSIS_RUNS
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken
from rollouts.plan.calls import Call, Returned
from rollouts.ports import Found, Kit, MeasurementError, Question, SecretRef

Find = Callable[[str, str, str], Mapping[str, Any] | None]
"""Returns an object by its kind, namespace and name, if it is there."""


class ClusterBench:
    """Takes measurements and makes calls while its context lasts. `home` is the controller's own namespace.

    `settings` come from the controller's flags, and go before those of its environment. `plugins` are the compiled ones
    that are configured, `passed_on` names what these may see of the environment. `find` finds objects.
    """

    def __init__(
        self,
        api: Api,
        kit: Kit,
        home: str,
        guard: Guard,
        settings: Mapping[str, str],
        *,
        plugins: Config,
        passed_on: Sequence[str],
        find: Find,
    ) -> None:
        self._find = find
        self._home = home
        self._host = Host(plugins.entries, os.environ, passed_on, self._headers)
        self._objects = Objects(api)
        self._secrets = Secrets(api, home, monotonic=time.monotonic)
        self._kit = kit
        self._guard = guard
        self._settings = settings
        self._open = contextlib.AsyncExitStack()
        self._bench: Bench | None = None

    async def __aenter__(self) -> Self:
        self._open.push_async_callback(self._objects.close)
        session = await self._open.enter_async_context(open_session())
        self._bench = Bench(
            self._kit,
            "",
            session,
            self._secrets.read,
            lambda: {**settings_from(os.environ), **self._settings},
            lambda: datetime.now(UTC),
            self._objects,
            guard=self._guard,
            compiled=self._host.call,
        )
        await self._open.enter_async_context(self._host)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def take(self, namespace: str, measure: Measure) -> Taken:
        """Take a measurement for a run in a namespace."""
        run = self._find(ANALYSIS_RUNS.kind, namespace, measure.turn.run) or {}
        return await perform(measure, replace(self._in(namespace), run=run))

    async def ask(self, question: Question, rollout: Mapping[str, Any]) -> Found:
        """Ask a traffic router's question for a Rollout."""
        return await perform_question(question, rollout, self._in(rollout["metadata"]["namespace"]))

    async def call(self, call: Call, rollout: Mapping[str, Any]) -> Returned:
        """Call a step plugin for a Rollout."""
        return await perform_call(call, rollout, self._in(rollout["metadata"]["namespace"]))

    async def _headers(self, secret: str) -> Mapping[str, str]:
        """Return what is sent along where a plugin is downloaded. Raises ProgramError."""
        try:
            held = await self._secrets.read(SecretRef(secret))
        except MeasurementError as error:
            raise ProgramError(str(error)) from error
        if held is None:
            raise ProgramError(f'the Secret "{secret}" of headersFrom does not exist in namespace {self._home}')
        return held

    def _in(self, namespace: str) -> Bench:
        if self._bench is None:
            raise RuntimeError("measurements are taken inside the context only")
        return replace(self._bench, namespace=namespace)

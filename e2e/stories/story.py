"""How does a story look at its rollouts, and act on them as people do: by kubectl and by `rollouts`?"""

import asyncio
import json
import sysconfig
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from e2e.kubectl import DEADLINE, Kubectl
from e2e.program import ask
from e2e.waiting import PATIENCE, eventually
from tests.wire.objects import rollout

Json = dict[str, Any]
PROGRAM = Path(sysconfig.get_path("scripts")) / "rollouts"
HASH = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
GOOD, BETTER, BEST = (f"example.test/web:{number}" for number in (1, 2, 3))
CRASH = "example.test/web:crash"
STEPS: list[Json] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {}}, {"setWeight": 80}]


class Story:
    """One namespace and its rollouts. It looks by requests of its own and acts by kubectl."""

    def __init__(self, api: aiohttp.ClientSession, kubectl: Kubectl) -> None:
        self.api = api
        self.kubectl = kubectl
        self.namespace = kubectl.namespace

    # --- looking ----------------------------------------------------------------------------------------------------

    async def read(self, prefix: str, resource: str, name: str = "", **query: str) -> Json:
        """Read an object or a list; empty when it isn't there."""
        path = f"{prefix}/namespaces/{self.namespace}/{resource}/{name}".rstrip("/")
        async with self.api.get(path, params=query) as answer:
            body: Json = json.loads(await answer.read())
            # A server that has only just come back may say that it isn't ready: an assertion is asked again.
            assert answer.status in (200, 404), body
            return {} if answer.status == 404 else body

    async def rollout(self, name: str = "web") -> Json:
        """Read a Rollout."""
        return await self.read("/apis/argoproj.io/v1alpha1", "rollouts", name)

    async def replica_sets(self, name: str = "web") -> list[Json]:
        """Read a Rollout's ReplicaSets, the newest revision last."""
        listed = await self.read("/apis/apps/v1", "replicasets", labelSelector=f"app={name}")
        return sorted(listed["items"], key=lambda each: int(each["metadata"]["annotations"].get(REVISION, "0")))

    async def pods(self, name: str = "web") -> list[Json]:
        """Read a Rollout's pods that are not on their way out."""
        listed = await self.read("/api/v1", "pods", labelSelector=f"app={name}")
        return [pod for pod in listed["items"] if "deletionTimestamp" not in pod["metadata"]]

    async def images(self, name: str = "web") -> dict[str, int]:
        """Count the pods of each image."""
        found = [pod["spec"]["containers"][0]["image"] for pod in await self.pods(name)]
        return {image: found.count(image) for image in sorted(set(found))}

    async def events(self, name: str = "web") -> list[str]:
        """Read the reasons of a Rollout's events, in the order in which they were written."""
        listed = await self.read(
            "/api/v1", "events", fieldSelector=f"involvedObject.kind=Rollout,involvedObject.name={name}"
        )
        return [
            each["reason"]
            for each in sorted(listed["items"], key=lambda each: int(each["metadata"]["resourceVersion"]))
        ]

    async def tells(self, *reasons: str, name: str = "web") -> None:
        """Wait until events with these reasons are there, as often as they are named here at least."""

        async def look() -> bool:
            found = await self.events(name)
            assert Counter(reasons) <= Counter(found), found
            return True

        await eventually(look, what=f"events of {name}")

    async def until(self, check: Callable[[Json], Any], name: str = "web", within: float = PATIENCE) -> Json:
        """Wait until something holds of a Rollout whose controller has seen its latest spec."""

        async def look() -> Json:
            found = await self.rollout(name)
            status = found.get("status") or {}
            observed = status.get("observedGeneration") == str(found["metadata"]["generation"])
            assert observed, found
            assert check(status), status
            return found

        return await eventually(look, within=within, what=f"rollout {name}")

    async def reaches(self, phase: str, name: str = "web", within: float = PATIENCE, **fields: Any) -> Json:
        """Wait for a phase, and for fields of the status; return the status."""
        wanted = {"phase": phase, **fields}
        found = await self.until(lambda status: wanted.items() <= status.items(), name, within)
        status: Json = found["status"]
        return status

    async def comes_to(self, images: dict[str, int], name: str = "web", within: float = PATIENCE) -> None:
        """Wait for the pods of each image."""

        async def look() -> bool:
            found = await self.images(name)
            assert found == images, found
            return True

        await eventually(look, within=within, what=f"pods of {name}")

    # --- acting -----------------------------------------------------------------------------------------------------

    async def create(self, name: str = "web", replicas: int = 5, **spec: Any) -> Json:
        """Apply a Rollout and wait until it is healthy; return its status."""
        await self.kubectl.apply(rollout(name, replicas, **{"steps": STEPS, "image": GOOD, **spec}))
        return await self.reaches("Healthy", name)

    async def set_image(self, image: str, name: str = "web") -> None:
        """Change the image, by kubectl."""
        operation = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
        await self.kubectl("patch", "rollout", name, "--type=json", "-p", json.dumps(operation))

    async def patch(self, spec: Json, name: str = "web") -> None:
        """Patch the spec, by kubectl."""
        await self.kubectl("patch", "rollout", name, "--type=merge", "-p", json.dumps({"spec": spec}))

    async def patch_status(self, status: Json, name: str = "web") -> None:
        """Patch the status, by kubectl."""
        patch = json.dumps({"status": status})
        await self.kubectl("patch", "rollout", name, "--subresource=status", "--type=merge", "-p", patch)

    async def resume(self, name: str = "web") -> None:
        """End a pause, by kubectl."""
        await self.patch_status({"pauseConditions": None}, name)

    async def cli(self, *words: str, code: int = 0, within: float = DEADLINE) -> str:
        """Run `rollouts` as a person does; return what it printed, errors last."""
        at = (f"--kubeconfig={self.kubectl.kubeconfig}", f"--namespace={self.namespace}")
        answer = await ask(PROGRAM, *at, *words, within=within)
        assert answer.code == code, f"rollouts {' '.join(words)}: exit code {answer.code}\n{answer.text}"
        return answer.text

    async def killed_after(self, lines: int, *words: str) -> bool:
        """Run `rollouts` and kill it when it has printed so many lines; tell whether it came to its end before."""
        child = await asyncio.create_subprocess_exec(
            PROGRAM,
            f"--kubeconfig={self.kubectl.kubeconfig}",
            f"--namespace={self.namespace}",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert child.stdout is not None
        for _ in range(lines):
            if not await child.stdout.readline():
                assert await child.wait() == 0, words
                return True
        child.kill()
        await child.wait()
        return False

    async def shell(self, line: str, within: float = DEADLINE) -> str:
        """Run a command line as it stands on a page, with our kubectl in this namespace."""
        at = f"--kubeconfig={self.kubectl.kubeconfig} --namespace={self.namespace}"
        script = f'exec 2>&1; set -e -o pipefail\nkubectl() {{ "{PROGRAM.with_name("kubectl")}" {at} "$@"; }}\n{line}\n'
        answer = await ask("bash", "-c", script, within=within)
        assert answer.code == 0, f"{line}\n{answer.text}"
        return answer.text

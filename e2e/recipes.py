"""Which real programs and files are needed, and from which Go modules do they come?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.toolchain import BuildError

HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Recipe:
    """A go.mod of ours: it names one version of one module, from which programs are compiled or a folder is taken."""

    title: str
    module: Path  # where go.mod and go.sum are
    source: str  # the module whose version counts
    takes: str  # how long, cold, on two idle cores
    prefix: str = ""  # of the build's name in the cache
    programs: Mapping[str, str] = field(default_factory=dict)  # name -> Go package
    stamps: tuple[str, ...] = ()  # what the linker writes into them
    folder: str = ""  # of the module, taken as it is

    @property
    def products(self) -> tuple[str, ...]:
        """What is there when it is done."""
        return (*self.programs, *((Path(self.folder).name,) if self.folder else ()))

    @property
    def version(self) -> str:
        """The version in go.mod, as v1.35.4."""
        go_mod = self.module / "go.mod"
        match = re.search(rf"^(?:require)?\s*{re.escape(self.source)} (v\S+)", go_mod.read_text(), re.MULTILINE)
        if match is None:
            raise BuildError(f"{go_mod} does not require {self.source}")
        return match[1]

    @property
    def linker_flags(self) -> str:
        """The linker's flags: no symbols, and what the program answers when it is asked for its version."""
        number = self.version.removeprefix("v")
        major, minor, *_ = number.split(".")
        facts = {"version": self.version, "number": number, "major": major, "minor": minor}
        stamps = [f"-X {stamp.format_map(facts)}" for stamp in self.stamps]
        return " ".join(["-s", "-w", *stamps])


_KUBERNETES = "k8s.io/component-base/version"
_ARGO_ROLLOUTS = "github.com/argoproj/argo-rollouts"

CONTROL_PLANE = Recipe(
    title="Kubernetes",
    module=HERE / "controlplane",
    source="k8s.io/kubernetes",
    takes="about 8 minutes on two cores",
    programs={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    stamps=(
        f"{_KUBERNETES}.gitVersion={{version}}",
        f"{_KUBERNETES}.gitMajor={{major}}",
        f"{_KUBERNETES}.gitMinor={{minor}}",
        # Modules come from the read-only module cache, so the tree is clean by construction.
        f"{_KUBERNETES}.gitTreeState=clean",
    ),
)
ARGO_ROLLOUTS = Recipe(
    title="the kubectl plugin of Argo Rollouts",
    module=HERE / "clients" / "argo-rollouts",
    source=_ARGO_ROLLOUTS,
    takes="about 4 minutes on two cores",
    prefix="argo-rollouts-",
    programs={"kubectl-argo-rollouts": f"{_ARGO_ROLLOUTS}/cmd/kubectl-argo-rollouts"},
    stamps=(f"{_ARGO_ROLLOUTS}/utils/version.version={{number}}",),
)
ARGO_CD = Recipe(
    title="the scripts of Argo CD",
    module=HERE / "clients" / "argo-cd",
    source="github.com/argoproj/argo-cd/v3",
    takes="a download of 56 MB",
    prefix="argo-cd-",
    folder="resource_customizations/argoproj.io",
)
ORACLE = Recipe(
    title="the real conditions' language and JSONPath",
    module=HERE / "oracle",
    source="github.com/expr-lang/expr",
    takes="half a minute",
    prefix="oracle-",
    programs={"oracle": "."},
)
ALL = (CONTROL_PLANE, ARGO_ROLLOUTS, ARGO_CD, ORACLE)

"""What are the API's kinds called? Group, version, plural, short names, scope."""

from dataclasses import dataclass

GROUP = "argoproj.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, slots=True)
class Kind:
    """The names of one kind, as its CustomResourceDefinition declares them."""

    name: str
    plural: str
    singular: str
    short: str
    namespaced: bool = True

    @property
    def list_name(self) -> str:
        """The kind of a list of these."""
        return f"{self.name}List"

    @property
    def crd_name(self) -> str:
        """The name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"


ROLLOUT = Kind("Rollout", "rollouts", "rollout", "ro")
ANALYSIS_TEMPLATE = Kind("AnalysisTemplate", "analysistemplates", "analysistemplate", "at")
CLUSTER_ANALYSIS_TEMPLATE = Kind(
    "ClusterAnalysisTemplate", "clusteranalysistemplates", "clusteranalysistemplate", "cat", namespaced=False
)
ANALYSIS_RUN = Kind("AnalysisRun", "analysisruns", "analysisrun", "ar")
EXPERIMENT = Kind("Experiment", "experiments", "experiment", "exp")

KINDS = (ROLLOUT, ANALYSIS_TEMPLATE, CLUSTER_ANALYSIS_TEMPLATE, ANALYSIS_RUN, EXPERIMENT)

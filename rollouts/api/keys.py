"""By which labels and annotations do a Rollout and its objects know each other? Their keys and values."""

POD_TEMPLATE_HASH = "rollouts-pod-template-hash"
"""Label that tells revisions apart: on ReplicaSets, pods, Service selectors, analysis runs and experiments."""

SCALE_DOWN_DEADLINE = "scale-down-deadline"
"""ReplicaSet annotation: when it is to be scaled down (RFC 3339, UTC, whole seconds). It has no prefix."""

REVISION = "rollout.argoproj.io/revision"
"""Annotation with the revision number: on the Rollout, its ReplicaSets, analysis runs and experiments."""

REVISION_HISTORY = "rollout.argoproj.io/revision-history"
"""ReplicaSet annotation: the earlier revision numbers of a template that came back, separated by commas."""

DESIRED_REPLICAS = "rollout.argoproj.io/desired-replicas"
"""ReplicaSet annotation: the Rollout's size when the ReplicaSet was last scaled."""

WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
"""Rollout annotation: the generation of the workload that spec.workloadRef names."""

WORKLOAD_REPLICAS = "rollout.argoproj.io/workload-replicas"
"""Rollout annotation of ours: how many pods the Deployment that spec.workloadRef names had when we began to scale it
down; 0 once that is done, and for good."""

EPHEMERAL_METADATA = "rollout.argoproj.io/ephemeral-metadata"
"""ReplicaSet annotation: the labels and annotations (JSON) that its role as canary or stable has added to its pods."""

OVERRIDDEN_METADATA = "rollout.argoproj.io/overridden-metadata"
"""ReplicaSet annotation of ours: what the template itself says (JSON) where its role's metadata says something else."""

PENDING_METADATA = "rollout.argoproj.io/pending-metadata"
"""ReplicaSet annotation of ours: the keys (JSON) of metadata that its pods may not show yet as the template does."""

MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
"""Annotation on Services and DestinationRules: the name of the Rollout that manages them."""

INSTANCE_ID = "argo-rollouts.argoproj.io/controller-instance-id"
"""Label that says which controller instance looks after an object."""

EXPERIMENT_NAME = "experiment.argoproj.io/name"
"""Annotation on an experiment's ReplicaSets and Services: the experiment."""

EXPERIMENT_TEMPLATE_NAME = "experiment.argoproj.io/template-name"
"""Annotation on an experiment's ReplicaSets and Services: which of its templates they run."""

EXPERIMENT_AVAILABLE_AT = "experiment.argoproj.io/available-at"
"""Annotation of ours on an experiment's analysis runs: its status.availableAt when they began. A retry has another."""

ROLLOUT_TYPE = "rollout-type"
"""Analysis run label: why it runs; one of the values below."""

ROLLOUT_TYPE_STEP = "Step"
ROLLOUT_TYPE_BACKGROUND = "Background"
ROLLOUT_TYPE_PRE_PROMOTION = "PrePromotion"
ROLLOUT_TYPE_POST_PROMOTION = "PostPromotion"

STEP_INDEX = "step-index"
"""Analysis run label: the canary step that it belongs to."""

JOB_ANALYSIS_RUN_UID = "analysisrun.argoproj.io/uid"
"""Label on a metric's Job and its pods: the uid of the analysis run."""

JOB_ANALYSIS_RUN_NAME = "analysisrun.argoproj.io/name"
"""Annotation on a metric's Job: the name of the analysis run."""

JOB_ANALYSIS_RUN_NAMESPACE = "analysisrun.argoproj.io/namespace"
"""Annotation on a metric's Job: the namespace of the analysis run."""

JOB_METRIC_NAME = "analysisrun.argoproj.io/metric-name"
"""Annotation on a metric's Job: the metric that it measures."""

SCALE_DOWN_HELD = "rollout.argoproj.io/scale-down-held"
"""HorizontalPodAutoscaler annotation of ours, during a migration: its spec.behavior (JSON) of before."""

TEMPLATE_DIGEST = "rollout.argoproj.io/template-digest"
"""ReplicaSet annotation of ours: the SHA-256 of the pod template that it was created from. Decides equality."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation of kubectl apply's; never copied to a ReplicaSet."""

NOTIFIED = "notified.notifications.argoproj.io"
"""Rollout annotation: which notifications have been sent; never copied to a ReplicaSet."""

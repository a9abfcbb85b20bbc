"""What does each metric provider want to know? One model per provider that the API knows by name."""

from typing import Literal

from pydantic import Field

from rollouts.api.base import Bool, Int32, Int64, IntOrString, Model
from rollouts.api.meta import JobSpec, Metadata, OpenObject, Strings


class BasicAuth(Model):
    """A user name and a password, as in HTTP basic authentication."""

    username: str | None = Field(None, description="The user's name.")
    password: str | None = Field(None, description="The password. Take it from a Secret by an argument.")


class OAuth2(Model):
    """A token by the client credentials flow of OAuth 2."""

    token_url: str | None = Field(None, description="Where to ask for a token.")
    client_id: str | None = Field(None, description="Id of the client.")
    client_secret: str | None = Field(None, description="Secret of the client. Take it from a Secret by an argument.")
    scopes: tuple[str, ...] = Field((), description="The scopes to ask for.")


class Sigv4(Model):
    """A signature by AWS, version 4."""

    region: str | None = Field(None, description="The AWS region.")
    profile: str | None = Field(None, description="The profile with the credentials.")
    role_arn: str | None = Field(None, description="Amazon resource name of the role to assume.")


class Authentication(Model):
    """How to authenticate. Set one field."""

    basic_auth: BasicAuth | None = Field(None, description="By user name and password.")
    oauth2: OAuth2 | None = Field(None, description="By a token of OAuth 2.")
    sigv4: Sigv4 | None = Field(None, description="By a signature of AWS.")


class Header(Model):
    """A header that is sent with the request."""

    key: str = Field(description="Name of the header.")
    value: str = Field(description="Its value.")


class PrometheusRangeQuery(Model):
    """Asks for values over a span of time instead of for one instant."""

    start: str | None = Field(None, description='Expression for the beginning, for example now() - duration("1h").')
    end: str | None = Field(None, description="Expression for the end, for example now().")
    step: str | None = Field(None, description="Time between two values, for example 1m.")


class PrometheusMetric(Model):
    """A query to Prometheus or something that speaks its language."""

    address: str | None = Field(None, description="URL of the server. Defaults to the one that is set for all metrics.")
    query: str | None = Field(None, description="The query in PromQL.")
    timeout: Int64 | None = Field(None, description="Seconds to wait for the answer. Defaults to 30.")
    insecure: Bool | None = Field(None, description="Don't verify the server's certificate.")
    headers: tuple[Header, ...] = Field((), description="Headers to send.")
    authentication: Authentication | None = Field(None, description="How to authenticate.")
    range_query: PrometheusRangeQuery | None = Field(None, description="Ask for values over a span of time.")


class JobMetric(Model):
    """A Job that measures: its exit decides, conditions aren't looked at."""

    metadata: Metadata | None = Field(None, description="Labels and annotations for the Job.")
    spec: JobSpec = Field(description="The Job's specification, as `kubectl explain job.spec` shows it.")


class WebMetric(Model):
    """A request to an HTTP service."""

    url: str = Field(description="Where to send the request.")
    method: str | None = Field(None, description="GET, POST or PUT. Defaults to GET.")
    headers: tuple[Header, ...] = Field((), description="Headers to send.")
    body: str | None = Field(None, description="Text to send by POST or PUT. Not together with jsonBody.")
    json_body: OpenObject | None = Field(None, description="JSON to send by POST or PUT. Not together with body.")
    json_path: str | None = Field(
        None, description="JSONPath of the value in the answer, for example {$.data.ok}. Defaults to the whole answer."
    )
    timeout_seconds: Int64 | None = Field(None, description="Seconds to wait for the answer. Defaults to 10.")
    insecure: Bool | None = Field(None, description="Don't verify the server's certificate.")
    authentication: Authentication | None = Field(None, description="How to authenticate.")


class DatadogSecretRef(Model):
    """The Secret with Datadog's address and keys."""

    name: str | None = Field(None, description="Name of the Secret. Defaults to datadog.")
    namespaced: Bool | None = Field(
        None, description="Look in the namespace of the analysis run instead of in the controller's."
    )


class DatadogMetric(Model):
    """A query to Datadog. Set query, or queries and formula."""

    api_version: Literal["v1", "v2"] = Field("v1", description="Version of Datadog's API.")
    query: str | None = Field(None, description="The query.")
    queries: Strings | None = Field(None, description="Several queries by name, for use in formula. Version v2 only.")
    formula: str | None = Field(None, description="Arithmetic over the names in queries. Version v2 only.")
    aggregator: Literal["avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"] | None = Field(
        None, description="How the values over the interval become one. Defaults to last. Version v2 only."
    )
    interval: str = Field("5m", description="The span of time to look at, up to now.")
    request_timeout: str = Field("10s", description="How long to wait for the answer, for example 10s.")
    secret_ref: DatadogSecretRef | None = Field(None, description="The Secret with Datadog's address and keys.")


class NewRelicMetric(Model):
    """A query to New Relic."""

    query: str = Field(description="The query in NRQL.")
    profile: str | None = Field(
        None,
        description="Name of the Secret with account and key, in the controller's namespace. Defaults to newrelic.",
    )
    timeout: Int64 | None = Field(None, description="Seconds to wait for the answer. Defaults to 5.")


class WavefrontMetric(Model):
    """A query to Wavefront."""

    address: str | None = Field(None, description="Host name of the server. The token is found by it.")
    query: str | None = Field(None, description="The query in Wavefront's language.")


class GraphiteMetric(Model):
    """A query to Graphite."""

    address: str | None = Field(None, description="URL of the server.")
    query: str | None = Field(None, description="The target to render.")


class InfluxdbMetric(Model):
    """A query to InfluxDB."""

    profile: str | None = Field(
        None, description="Name of the Secret with address, organisation and token. Defaults to influxdb."
    )
    query: str | None = Field(None, description="The query in Flux.")


class SkyWalkingMetric(Model):
    """A query to Apache SkyWalking."""

    address: str | None = Field(None, description="URL of the server.")
    query: str | None = Field(None, description="The query in GraphQL.")
    interval: str | None = Field(None, description="The span of time to look at, up to now, for example 5m.")


class CloudWatchDimension(Model):
    """One dimension of a CloudWatch metric."""

    name: str | None = Field(None, description="Name of the dimension.")
    value: str | None = Field(None, description="Its value.")


class CloudWatchMetricId(Model):
    """Which CloudWatch metric is meant."""

    namespace: str | None = Field(None, description="Namespace of the metric.")
    metric_name: str | None = Field(None, description="Name of the metric.")
    dimensions: tuple[CloudWatchDimension, ...] = Field((), description="The dimensions that tell it apart.")


class CloudWatchMetricStat(Model):
    """A statistic of a CloudWatch metric."""

    metric: CloudWatchMetricId | None = Field(None, description="The metric.")
    stat: str | None = Field(None, description="The statistic, for example Average or p99.")
    period: IntOrString | None = Field(None, description="Seconds that one value stands for.")
    unit: str | None = Field(None, description="The unit of the values.")


class CloudWatchMetricDataQuery(Model):
    """One of the queries that are sent together. Set metricStat or expression."""

    id: str | None = Field(None, description="Name by which other queries refer to this one.")
    label: str | None = Field(None, description="A label for people.")
    metric_stat: CloudWatchMetricStat | None = Field(None, description="The statistic to get.")
    expression: str | None = Field(None, description="Arithmetic over the results of other queries.")
    period: IntOrString | None = Field(None, description="Seconds that one value of the expression stands for.")
    return_data: Bool | None = Field(
        None, description="False keeps the values to other queries' expressions. Defaults to true."
    )


class CloudWatchMetric(Model):
    """A query to Amazon CloudWatch."""

    interval: str | None = Field(None, description="The span of time to look at, up to now. Defaults to 5m.")
    metric_data_queries: tuple[CloudWatchMetricDataQuery, ...] = Field((), description="The queries to send together.")


class KayentaThreshold(Model):
    """From which score on a canary is good enough."""

    pass_: Int64 = Field(alias="pass", description="From this score on the canary is successful.")
    marginal: Int64 = Field(description="From this score on it is inconclusive, below it has failed.")


class KayentaScope(Model):
    """Which pods, where and when."""

    scope: str = Field(description="The scope, for example an application's name.")
    region: str = Field(description="The region.")
    step: Int64 = Field(description="Seconds between two values.")
    start: str | None = Field(None, description="When to begin, as an RFC 3339 time.")
    end: str | None = Field(None, description="When to end, as an RFC 3339 time.")


class KayentaScopePair(Model):
    """A baseline and what is compared with it."""

    name: str = Field(description="Name of the pair.")
    control_scope: KayentaScope | None = Field(None, description="The baseline.")
    experiment_scope: KayentaScope | None = Field(None, description="What is compared with the baseline.")


class KayentaMetric(Model):
    """A canary judgement by Kayenta."""

    address: str = Field(description="URL of the server.")
    application: str = Field(description="Name of the application.")
    canary_config_name: str = Field(description="Name of the canary configuration.")
    metrics_account_name: str = Field(description="Account that metrics are read with.")
    configuration_account_name: str = Field(description="Account that the configuration is read with.")
    storage_account_name: str = Field(description="Account that results are stored with.")
    threshold: KayentaThreshold = Field(description="From which score on the canary is good enough.")
    scopes: tuple[KayentaScopePair, ...] = Field(description="What is compared with what.")
    lookback: Bool | None = Field(
        None, description="Judge from the beginning each time instead of from the last judgement on."
    )


class TokenSecretRef(Model):
    """A Secret with a token, in the namespace of the analysis run."""

    name: str = Field(description="Name of the Secret.")


class DynatraceMetric(Model):
    """A query to Dynatrace."""

    address: str | None = Field(
        None, description="URL of the environment, for example https://abc12345.live.dynatrace.com."
    )
    query: str = Field(description="The metric selector.")
    interval: str | None = Field(None, description="The span of time to look at, up to now. Defaults to 5m.")
    secret_ref: TokenSecretRef | None = Field(
        None, description="The Secret with the token, under the key dynatrace_token."
    )


class StackdriverMetric(Model):
    """A query to Google Cloud Monitoring, with the identity of the controller's own service account."""

    project: str = Field(description="Id of the project.")
    query: str = Field(description="The query in the Monitoring Query Language.")


class SplunkMetric(Model):
    """A computation of Splunk Observability Cloud."""

    address: str | None = Field(
        None, description="URL of the realm's stream, for example https://stream.us1.signalfx.com."
    )
    query: str = Field(description="The program in SignalFlow.")
    interval: str | None = Field(None, description="The span of time to look at, up to now. Defaults to 5m.")
    secret_ref: TokenSecretRef | None = Field(
        None, description="The Secret with the token, under the key sf_token_key."
    )


class ExternalMetric(Model):
    """A metric by Kubernetes' external metrics API, as cluster agents and KEDA serve it."""

    address: str | None = Field(
        None,
        description=(
            "URL of the server, for example https://datadog-cluster-agent.datadog:8443. Without it, the cluster's own "
            "API server is asked, which passes it on."
        ),
    )
    metric_name: str = Field(description="Name of the metric, in the namespace of the analysis run.")
    label_selector: str | None = Field(None, description="Which of its values are meant, for example app=shop.")
    insecure: Bool | None = Field(None, description="Don't verify the certificate of the server at address.")
    secret_ref: TokenSecretRef | None = Field(
        None, description="The Secret with the token for the server at address, under the key token."
    )


class PodHealthMetric(Model):
    """How healthy the pods of the canary are, beside the stable ones. Only the API server is asked.

    Each limit says how many more are tolerated than stable pods had in the same time, pod for pod; -1 tolerates all.
    """

    canary_hash: str = Field(description="Pod template hash of the canary, for example {{args.canary-hash}}.")
    stable_hash: str | None = Field(
        None, description="That of the stable version. Without it, the canary's pods are compared with none."
    )
    max_restarts: Int32 | None = Field(None, description="Restarts of containers. Defaults to 1.")
    max_oom_kills: Int32 | None = Field(None, description="Containers that ran out of memory. Defaults to 0.")
    max_readiness_flaps: Int32 | None = Field(
        None, description="How often pods that had been ready were so no longer. Defaults to 1."
    )
    max_waiting: Int32 | None = Field(
        None, description="Pods that can't run, such as in CrashLoopBackOff or ImagePullBackOff. Defaults to 0."
    )
    max_warning_events: Int32 | None = Field(
        None, description="Warning events of pods, those of their start left out. Defaults to 20."
    )

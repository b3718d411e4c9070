"""What the service counts: Prometheus metrics by model, never by request or prompt.

It knows names and numbers, not engines.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_TTFT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5, 10, 30, 60)
_WAKE_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
_TOKEN_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 5)


class Telemetry:
    """The metrics of one running service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def named(name: str) -> str:
            return f"preferendum_inference_{name}"

        self.first_token = Histogram(
            named("time_to_first_token_seconds"),
            "From the arrival of a request to its first token, waiting included.",
            ["model"],
            buckets=_TTFT_BUCKETS,
            registry=self.registry,
        )
        self.between_tokens = Histogram(
            named("inter_token_seconds"),
            "Between two tokens of one answer.",
            ["model"],
            buckets=_TOKEN_BUCKETS,
            registry=self.registry,
        )
        self.tokens = Counter(
            named("tokens"),
            "Tokens by kind: prompt, completion, or scored (log-likelihood of a given text).",
            ["model", "kind"],
            registry=self.registry,
        )
        self.requests = Counter(
            named("requests"),
            "Ended requests by outcome: stop, length, scored, cancelled, failed, refused.",
            ["model", "outcome"],
            registry=self.registry,
        )
        self.running = Gauge(
            named("requests_running"), "In the batch.", ["model"], registry=self.registry
        )
        self.waiting = Gauge(
            named("requests_waiting"), "Admitted, not yet begun.", ["model"], registry=self.registry
        )
        self.isolated_running = Gauge(
            named("isolated_requests"),
            "Seeded or scored apart from the batch, running or waiting.",
            ["model"],
            registry=self.registry,
        )
        self.cache_tokens = Gauge(
            named("kv_cache_tokens"),
            "Size of the batch's key-value cache in tokens; 0 while asleep.",
            ["model"],
            registry=self.registry,
        )
        self.cache_used = Gauge(
            named("kv_cache_reserved_ratio"),
            "Share of the key-value cache that running requests have reserved.",
            ["model"],
            registry=self.registry,
        )
        self.load_seconds = Gauge(
            named("model_load_seconds"),
            "From the start of loading to the first possible request.",
            ["model"],
            registry=self.registry,
        )
        self.wake_seconds = Histogram(
            named("model_wake_seconds"),
            "From a request for a model that is asleep to the moment when it can be computed.",
            ["model"],
            buckets=_WAKE_BUCKETS,
            registry=self.registry,
        )
        self.awake = Gauge(
            named("model_awake"),
            "1 while weights and cache are on the device, else 0.",
            ["model"],
            registry=self.registry,
        )
        self.restarts = Counter(
            named("restarts"),
            "Batching threads that died and were started anew.",
            ["model"],
            registry=self.registry,
        )
        self.memory_used = Gauge(
            named("memory_used_bytes"),
            "Weights and caches of the models that are awake.",
            registry=self.registry,
        )
        self.memory_limit = Gauge(
            named("memory_limit_bytes"),
            "What weights and caches may take together.",
            registry=self.registry,
        )

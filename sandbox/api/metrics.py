"""What the API counts and measures about itself, for Prometheus."""

import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from sandbox.asgi import App, Message, Receive, Scope, Send
from sandbox.releases import Release

LABELS = ("method", "route", "status")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The API's instruments, in a registry of their own."""

    def __init__(self, release: Release) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        Info("openpolicy_build", "What is running.", registry=self._registry).info(
            {"release": release.version, "revision": release.revision}
        )
        self._requests = Counter(
            "http_requests", "Requests answered.", LABELS, registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time until a request was answered.",
            LABELS,
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        labels = (method if method in METHODS else "other", route, str(status))
        self._requests.labels(*labels).inc()
        self._seconds.labels(*labels).observe(seconds)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class MetricsLayer:
    """Measures each request from outside, faults included."""

    def __init__(self, app: App, metrics: Metrics, template_of: Callable[[Scope], str]) -> None:
        self._app = app
        self._metrics = metrics
        self._template_of = template_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.note(
                    scope["method"],
                    self._template_of(scope),
                    message["status"],
                    time.perf_counter() - started,
                )
            await send(message)

        await self._app(scope, receive, send_and_note)

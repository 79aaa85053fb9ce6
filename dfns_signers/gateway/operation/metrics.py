"""Metrics in the format of Prometheus; no id, path or address of a peer is a label."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    exposition,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from dfns_signers.errors import DfnsSignersError
from dfns_signers.gateway.configuration.certificates import expiry_of
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.requests.observing import Exchange
from dfns_signers.hook_registration import hookimpl
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.signing_key import Evidence
from dfns_signers.user_action.token_claims import read_claims

PREFIX: Final = "dfns_gateway_"
UNKNOWN: Final = "unknown"
"""Label in the place of what strangers choose, so that they make no series."""

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All metrics of one gateway; an ``Observer`` of requests, and of signatures by its hooks.

    Args:
        backend: of the key, such as ``aws-kms``.
        token: sent to Dfns; when it ends is read from its claims, if it is a JWT.

    Attributes:
        connections: those that are open, by ``listener``.
        audit_failures: records that could not be written.
        hooks_may_block: they only count.
    """

    hooks_may_block: Final = False

    def __init__(self, backend: str = UNKNOWN, token: Secret | None = None) -> None:
        self.registry: Final = CollectorRegistry()
        self._backend = backend
        self._under_way: set[str] = set()
        ProcessCollector(registry=self.registry)
        self._expiries = _Expiries(token)
        self.registry.register(self._expiries)
        self._requests = self._counter(
            "requests", "Requests that were answered.", "caller", "rule", "method", "outcome"
        )
        self._request_seconds = self._histogram(
            "request_seconds", "Seconds from a whole request to its answer.", "method"
        )
        self._upstream_seconds = self._histogram(
            "upstream_seconds",
            "Of them, those for announcing, signing, exchanging and sending on.",
            "method",
        )
        self._sign_seconds = self._histogram(
            "sign_seconds", "Seconds that the key took for a signature.", "backend"
        )
        self._sign_failures = self._counter(
            "sign_failures", "Signatures that failed, or were refused.", "backend"
        )
        self._refusals = self._counter(
            "refusals", "Requests that the gateway did not let through.", "caller", "check"
        )
        self._authentication_failures = self._counter(
            "authentication_failures", "Requests of callers that are not known.", "listener"
        )
        self._rate_limited = self._counter(
            "rate_limited", "Requests over a limit of the gateway.", "caller"
        )
        self._gauge("in_flight", "Requests that are being answered.").set_function(
            lambda: len(self._under_way)
        )
        self.connections = self._gauge("connections", "Open connections.", "listener")
        self.audit_failures = self._counter(
            "audit_failures", "Records of the audit trail that could not be written."
        )
        self._reload_success = self._gauge(
            "config_reload_success", "1 if the last configuration that was read was taken, else 0."
        )
        self._reload_time = self._gauge(
            "config_reload_timestamp_seconds", "When a configuration was last taken."
        )

    def began(self, exchange: Exchange) -> None:
        """See ``Observer``."""
        self._under_way.add(exchange.id)

    def finished(self, exchange: Exchange) -> None:
        """See ``Observer``."""
        self._under_way.discard(exchange.id)
        caller = exchange.caller or UNKNOWN
        method = exchange.method if exchange.method in _METHODS else UNKNOWN
        self._requests.labels(caller, exchange.rule or "", method, _outcome(exchange)).inc()
        self._request_seconds.labels(method).observe(exchange.seconds)
        if exchange.upstream_seconds is not None:
            self._upstream_seconds.labels(method).observe(exchange.upstream_seconds)
        if exchange.check:
            self._refusals.labels(caller, exchange.check).inc()
        if exchange.check and exchange.status == HTTPStatus.UNAUTHORIZED:
            self._authentication_failures.labels(exchange.peer.listener).inc()
        if exchange.check and exchange.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._rate_limited.labels(caller).inc()

    @hookimpl
    def after_sign(self, evidence: Evidence) -> None:
        """Take note of a signature."""
        self._sign_seconds.labels(self._backend).observe(evidence.duration)

    @hookimpl
    def sign_failed(self) -> None:
        """Take note of a signature that there is not."""
        self._sign_failures.labels(self._backend).inc()

    def configured(self, settings: GatewaySettings) -> None:
        """Take note of a configuration that was taken, at the start or by a reload."""
        self._expiries.certificates = {
            name: expiry_of(table.certificate) for name, table in settings.tls.items()
        }
        self._reload_success.set(1)
        self._reload_time.set(time.time())

    def not_configured(self) -> None:
        """Take note of a configuration that was refused; the one before goes on."""
        self._reload_success.set(0)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics, and the media type of their format.

        Args:
            accept: header of the request; OpenMetrics if it names that, else the text format.
        """
        if "application/openmetrics-text" in accept:
            body: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return body, openmetrics.CONTENT_TYPE_LATEST
        return exposition.generate_latest(self.registry), exposition.CONTENT_TYPE_LATEST

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(PREFIX + name, what, labels, registry=self.registry, buckets=_SECONDS)


class _Expiries(Collector):
    """When the token and the certificates end; no series for what has no end that is known."""

    def __init__(self, token: Secret | None) -> None:
        self._token = token
        self.certificates: dict[str, float] = {}

    def collect(self) -> Iterator[Metric]:
        certificates = GaugeMetricFamily(
            f"{PREFIX}certificate_expiry_timestamp_seconds",
            "When the certificate of a table [gateway.tls.NAME] ends.",
            labels=("tls",),
        )
        for name, expiry in self.certificates.items():
            certificates.add_metric((name,), expiry)
        yield certificates
        token = GaugeMetricFamily(
            f"{PREFIX}token_expiry_timestamp_seconds",
            "When the token for Dfns ends, if it is a JWT that says so.",
        )
        if (end := self._token_expiry()) is not None:
            token.add_metric((), end)
        yield token

    def _token_expiry(self) -> float | None:
        try:
            claims = read_claims(Sealed(self._token.reveal())) if self._token else None
        except DfnsSignersError:  # readiness says so
            return None
        return claims.expires_at if claims else None


def _outcome(exchange: Exchange) -> str:
    """That of the exchange; the status says what Dfns rejected and rules of the profile refused."""
    if exchange.outcome == "failed" and exchange.status == HTTPStatus.FORBIDDEN:
        return "refused"
    if exchange.outcome == "answered" and exchange.status >= HTTPStatus.BAD_REQUEST:
        return "rejected"
    return exchange.outcome

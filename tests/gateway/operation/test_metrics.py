"""Metrics of a gateway: what is counted, and that nobody else decides how many series there are."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from dfns_signers.algorithms import Algorithm
from dfns_signers.evidence import Evidence
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.operation.metrics import Metrics
from dfns_signers.gateway.requests.messages import Peer
from dfns_signers.secrets import Secret
from tests.gateway.requests.observed_exchanges import AT_THE_DOOR, OF_A_STRANGER, PEER, exchange
from tests.support.certificates import Authority

REQUESTS = "dfns_gateway_requests_total"


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"dfns_gateway_{name}", labels)


def series(metrics: Metrics) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in metrics.registry.collect()
        for sample in family.samples
    }


def jwt(claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{middle}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("members", "outcome"),
    [
        ({"status": 200}, "answered"),
        ({"status": 202}, "answered"),
        ({"status": 404}, "rejected"),
        ({"check": "no-rule", "status": 403, "upstream_seconds": None}, "refused"),
        ({"check": "conditions", "status": 403}, "refused"),  # by rules of the profile
        ({"check": "timeout", "status": 504}, "failed"),
    ],
)
def test_request_is_counted_by_caller_rule_method_and_outcome(
    members: dict[str, object], outcome: str
) -> None:
    metrics = Metrics()

    metrics.finished(exchange(**members))

    labels = {"caller": "payments", "rule": "wallets", "method": "POST", "outcome": outcome}
    assert value(metrics, "requests_total", **labels) == 1


def test_times_are_observed_in_seconds() -> None:
    metrics = Metrics("aws-kms")

    metrics.finished(exchange(seconds=0.2, upstream_seconds=0.15))
    metrics.after_sign(Evidence(Algorithm.ES256, "key", None, "sha256:00", 0.03, 1, None, True))

    assert value(metrics, "request_seconds_sum", method="POST") == 0.2
    assert value(metrics, "upstream_seconds_sum", method="POST") == 0.15
    assert value(metrics, "sign_seconds_sum", backend="aws-kms") == 0.03


def test_refusals_are_counted_by_what_refused() -> None:
    metrics = Metrics()

    metrics.finished(exchange(**AT_THE_DOOR))
    metrics.finished(exchange(check="rate", status=429, upstream_seconds=None))
    metrics.finished(exchange(**OF_A_STRANGER))

    assert value(metrics, "refusals_total", caller="payments", check="no-rule") == 1
    assert value(metrics, "rate_limited_total", caller="payments") == 1
    assert value(metrics, "authentication_failures_total", listener=PEER.listener) == 1


def test_answer_401_or_429_of_dfns_is_no_refusal_of_the_gateway() -> None:
    metrics = Metrics()

    metrics.finished(exchange(status=429))

    assert value(metrics, "rate_limited_total", caller="payments") is None


def test_requests_under_way_are_those_that_began_and_have_not_finished() -> None:
    metrics = Metrics()
    first, second = exchange(), exchange()

    metrics.began(first)
    metrics.began(second)
    metrics.finished(first)
    metrics.finished(exchange(**OF_A_STRANGER))

    assert value(metrics, "in_flight") == 1


@given(
    st.lists(
        st.tuples(st.text(max_size=12), st.text(max_size=30), st.text(max_size=20)), max_size=30
    )
)
def test_strangers_make_no_series_of_their_own(
    sent: list[tuple[str, str, str]],
) -> None:
    metrics = Metrics()
    metrics.finished(exchange(**{**OF_A_STRANGER, "method": "BREW", "path": ""}))
    before = series(metrics)

    for method, path, address in sent:
        made = {"method": f"X{method}", "path": path, "peer": Peer(PEER.listener, address=address)}
        metrics.finished(exchange(**{**OF_A_STRANGER, **made}))

    assert series(metrics) == before


def test_configuration_says_when_it_was_taken_and_when_certificates_end(tmp_path: Path) -> None:
    Authority(tmp_path).issue("server", "localhost")
    settings = GatewaySettings.model_validate(
        {
            "listen": ["localhost:8788?tls=here"],
            "tls": {
                "here": {"certificate": tmp_path / "server.pem", "key": "not read for metrics"}
            },
        }
    )
    metrics = Metrics()

    metrics.configured(settings)
    taken = value(metrics, "config_reload_timestamp_seconds")
    metrics.not_configured()

    assert value(metrics, "config_reload_success") == 0
    assert value(metrics, "config_reload_timestamp_seconds") == taken
    assert taken is not None
    expiry = value(metrics, "certificate_expiry_timestamp_seconds", tls="here")
    assert expiry is not None
    assert taken < expiry < taken + 2 * 86_400


def test_token_that_is_a_jwt_shows_when_it_ends() -> None:
    metrics = Metrics(token=Secret.literal(jwt({"exp": 1_900_000_000})))

    assert value(metrics, "token_expiry_timestamp_seconds") == 1_900_000_000


@pytest.mark.parametrize(
    "token",
    [
        "opaque",
        "a.b.c",
        jwt({}),
        jwt([]),
        jwt({"exp": "tomorrow"}),
        jwt({"exp": True}),
        jwt({"exp": 10**400}),
        jwt({"exp": float("nan")}),
        "e30." + base64.urlsafe_b64encode(b"[" * 99_999).decode().rstrip("=") + ".e30",
    ],
)
def test_token_that_says_no_end_has_no_series(token: str) -> None:
    assert value(Metrics(token=Secret.literal(token)), "token_expiry_timestamp_seconds") is None


def test_token_that_cannot_be_read_has_no_series(tmp_path: Path) -> None:
    metrics = Metrics(token=Secret.from_file(tmp_path / "absent"))

    assert value(metrics, "token_expiry_timestamp_seconds") is None


def test_both_formats_can_be_read() -> None:
    metrics = Metrics()
    metrics.finished(exchange())

    text, text_type = metrics.exposition("*/*")
    opened, open_type = metrics.exposition("application/openmetrics-text; version=1.0.0,*/*;q=0.1")

    assert text_type.startswith("text/plain")
    assert open_type.startswith("application/openmetrics-text")
    read = text_metrics(text.decode()), open_metrics(opened.decode())  # type: ignore[no-untyped-call]
    for families in read:
        counted = [s.value for f in families for s in f.samples if s.name == REQUESTS]
        assert counted == [1]

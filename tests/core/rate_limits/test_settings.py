"""A rate limit that can never work is refused when it is made."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from dfns_signers import DfnsClient, RateLimit
from dfns_signers.errors import ConfigurationError
from dfns_signers.rate_limits import stores


@pytest.mark.parametrize("requests", [0, 2, -1000, 1000.0, "1000", True, None])
def test_number_of_requests_that_no_signed_call_fits_into_is_refused(requests: Any) -> None:
    with pytest.raises(ConfigurationError, match="'rate_limit' must be an integer of 3 or more"):
        RateLimit(requests)


@pytest.mark.parametrize("requests", [2, 2.5, "1000", True])
def test_client_refuses_it_too(requests: Any) -> None:
    with pytest.raises(ConfigurationError, match="'rate_limit' must be an integer of 3 or more"):
        DfnsClient("token", rate_limit=requests)


@pytest.mark.parametrize(
    "store", ["", "http://127.0.0.1/", "memory://", "redis://", "localhost:6379", 7]
)
def test_store_that_is_not_redis_or_valkey_is_refused(store: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a URL of Redis or Valkey"):
        RateLimit(1000, store=store)


@pytest.mark.parametrize(
    "store", ["redis://h", "rediss://u:p@h:1/2", "valkey://h", "valkeys://h", "redis+unix:///s"]
)
def test_store_may_be_a_function_that_returns_the_url(store: str) -> None:
    limit = RateLimit(1000, store=lambda: store)

    assert limit.store is not None
    assert limit.store.open() == store


def test_store_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "find_spec", lambda name: None)

    with pytest.raises(ConfigurationError, match=r"pip install 'dfns-signers\[valkey\]'"):
        RateLimit(1000, store="valkey://h")


@pytest.mark.parametrize("name", ["", 7])
def test_name_that_is_not_a_string_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a string that is not empty"):
        RateLimit(1000, name=name)


@pytest.mark.parametrize("fallback", [-0.1, 1.1, "0.5", True, None, float("nan")])
def test_fallback_that_is_not_a_share_is_refused(fallback: Any) -> None:
    with pytest.raises(ConfigurationError, match="a number from 0 to 1"):
        RateLimit(1000, store="redis://h", fallback=fallback)


def test_fallback_that_no_signed_call_fits_into_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"less than the 3 requests of a signed call"):
        RateLimit(1000, store="redis://h", fallback=0.002)


def test_fallback_without_a_store_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no meaning without a store"):
        RateLimit(1000, fallback=0.5)


def test_rate_limit_shows_no_url_and_does_not_pickle() -> None:
    limit = RateLimit(1000, store="redis://:hidden@h", name="acme")

    assert repr(limit) == "<RateLimit of 1000 requests in 60 seconds, shared as acme>"
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(limit)

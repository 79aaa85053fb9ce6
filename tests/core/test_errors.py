"""The tree of errors: one root, told apart by type, safe to send between processes."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from dfns_signers import errors
from dfns_signers.errors import (
    ApiError,
    ChallengeError,
    ConfigurationError,
    CredentialNotAllowedError,
    DfnsSignersError,
    EncodingError,
    FingerprintMismatchError,
    InvalidSignatureError,
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    PluginError,
    SigningError,
    SigningKeyError,
    SigningRefusedError,
    TransportError,
    UnsupportedKeyError,
)

ALL = [
    member
    for _, member in inspect.getmembers(errors, inspect.isclass)
    if member.__module__ == errors.__name__
]

RETRIABLE = {
    "NoPermitError",
    "KeyStoreThrottledError",
    "KeyStoreUnavailableError",
    "RateLimitedError",
    "RequestTimeoutError",
    "ServerError",
    "TransportError",
    "TransportTimeoutError",
}


def plain_value(name: str) -> Any:
    return {"status": 429, "headers": {"x-request-id": "1"}, "retry_after": 1.5}.get(name, name)


def instance(kind: type[DfnsSignersError]) -> DfnsSignersError:
    """An error with a value for every keyword of its constructor, and one more attribute."""
    keywords = {
        name: plain_value(name)
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    error = kind("what happened and what to do", **keywords)
    vars(error)["noted_later"] = True
    return error


@pytest.mark.parametrize("kind", ALL)
def test_every_error_derives_from_the_root(kind: type[Exception]) -> None:
    assert issubclass(kind, DfnsSignersError)


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_what_it_means(kind: type[Exception]) -> None:
    assert kind.__doc__
    assert kind.__doc__ != (kind.__mro__[1].__doc__ or "")


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles_with_its_type_message_and_attributes(
    kind: type[DfnsSignersError], protocol: int
) -> None:
    error = instance(kind)

    restored = pickle.loads(pickle.dumps(error, protocol))

    assert type(restored) is kind
    assert str(restored) == str(error)
    assert str(error).startswith("what happened and what to do")
    assert restored.args == error.args
    assert vars(restored) == vars(error)


def test_api_error_keeps_what_the_api_said_through_pickling() -> None:
    error = ApiError(
        "refused", status=409, error_id="e-1", details={"a": [1]}, headers={"x": "y"}, body="{}"
    )

    restored = pickle.loads(pickle.dumps(error))

    assert (restored.status, restored.error_id, restored.details) == (409, "e-1", {"a": [1]})
    assert (restored.headers, restored.body) == ({"x": "y"}, "{}")


@pytest.mark.parametrize("kind", ALL)
def test_retriable_is_what_may_succeed_without_a_change(kind: type[DfnsSignersError]) -> None:
    assert kind.retriable is (kind.__name__ in RETRIABLE)


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (UnsupportedKeyError, SigningKeyError),
        (FingerprintMismatchError, SigningKeyError),
        (KeyNotFoundError, SigningKeyError),
        (KeyAccessError, SigningKeyError),
        (KeyStateError, SigningKeyError),
        (KeyStoreUnavailableError, SigningKeyError),
        (KeyStoreThrottledError, KeyStoreUnavailableError),
        (InvalidSignatureError, SigningKeyError),
        (ChallengeError, SigningError),
        (CredentialNotAllowedError, SigningError),
        (SigningRefusedError, SigningError),
        (EncodingError, ValueError),
        (errors.TransportTimeoutError, TransportError),
        (errors.BadRequestError, ApiError),
        (errors.AuthenticationError, ApiError),
        (errors.PermissionDeniedError, ApiError),
        (errors.NotFoundError, ApiError),
        (errors.ConflictError, ApiError),
        (errors.RateLimitedError, ApiError),
        (errors.ServerError, ApiError),
    ],
)
def test_error_can_be_caught_by_its_family(kind: type[Exception], parent: type[Exception]) -> None:
    assert issubclass(kind, parent)


@pytest.mark.parametrize("kind", [ConfigurationError, PluginError, SigningError, ApiError])
def test_families_are_apart(kind: type[Exception]) -> None:
    assert not issubclass(kind, (SigningKeyError, TransportError))

"""What is answered to calls that have no answer of Dfns which could be passed on.

A message names no key, host or setting: those are for the operator.
"""

from __future__ import annotations

from typing import Final

from dfns_signers.errors import (
    CallError,
    ConfigurationError,
    DfnsSignersError,
    KeyStoreUnavailableError,
    NoPermitError,
    PolicyRefusedError,
    RequestError,
    SigningError,
    SigningKeyError,
    SigningRefusedError,
    TokenProviderError,
    TransportError,
    TransportTimeoutError,
)
from dfns_signers.gateway.requests.messages import Refusal
from dfns_signers.rate_limits.stores import PAUSE
from dfns_signers.retries import retry_after

# Of each kind of error the status, the check and the message; the first that fits counts.
_FAILURES: Final[tuple[tuple[type[DfnsSignersError], int, str, str], ...]] = (
    (SigningRefusedError, 403, "guard", "a guard of the gateway refuses the call"),
    (TransportTimeoutError, 504, "upstream-timeout", "Dfns did not answer in time"),
    (TransportError, 502, "upstream-connection", "Dfns cannot be reached"),
    (CallError, 502, "upstream-answer", "the answer is not one of the Dfns API"),
    (KeyStoreUnavailableError, 503, "key-store", "the key store of the gateway is not available"),
    (SigningKeyError, 503, "key", "the key of the gateway cannot sign"),
    (SigningError, 502, "signing", "the challenge of Dfns cannot be signed"),
    (NoPermitError, 429, "upstream-rate", "the requests that the gateway may send are used up"),
    (TokenProviderError, 503, "upstream-token", "the gateway has no token for Dfns"),
    (ConfigurationError, 503, "upstream-token", "the gateway has no usable token for Dfns"),
)


def advice(*, uncertain: bool) -> str:
    """What follows for the caller of a call that failed."""
    if uncertain:
        return "the call may have taken effect: look before you repeat it"
    return "the call took no effect"


def refusal_of(error: DfnsSignersError) -> Refusal:
    """The refusal for an error of a call that was sent on, or was about to be."""
    if isinstance(error, PolicyRefusedError):
        if error.check == "rate-store":
            return store_failure(error)
        if error.check == "audit":
            return _failure(error, 503, "audit", "the audit trail of the gateway cannot be written")
        status = 403 if error.retry_after is None else 429
        return Refusal(
            status, error.check, str(error), rule=error.rule, retry_after=error.retry_after
        )
    if isinstance(error, RequestError):
        return Refusal(400, "request", f"{error}; nothing was sent", detail=str(error))
    for kind, status, check, message in _FAILURES:
        if isinstance(error, kind):
            return _failure(error, status, check, message)
    return _failure(error, 502, "upstream", "the call failed")


def store_failure(error: DfnsSignersError) -> Refusal:
    """The refusal where the store that replicas share does not answer."""
    return Refusal(
        503,
        "rate-store",
        "the gateway cannot count the call, for its store fails; the call took no effect",
        retry_after=PAUSE,
        detail=str(error),
    )


def _failure(error: DfnsSignersError, status: int, check: str, message: str) -> Refusal:
    uncertain = bool(getattr(error, "may_have_taken_effect", False))
    return Refusal(
        status,
        check,
        f"{message}; {advice(uncertain=uncertain)}",
        retry_after=retry_after(error),
        may_have_taken_effect=uncertain,
        detail=str(error),
    )

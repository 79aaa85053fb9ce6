"""What Vault's answers mean, as one table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests
from hvac.exceptions import VaultError  # type: ignore[import-untyped]
from urllib3.exceptions import LocationParseError

from dfns_signers.errors import (
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_vault_transit.algorithms import SUPPORTED

_SHOWN: Final = 300

FAILURES: Final = (VaultError, OSError, LocationParseError, UnicodeError, OverflowError)
"""What a request raises; an OSError is also a file of certificates that cannot be read."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for: the half of an error message that the server cannot know.

    Attributes:
        doing: such as ``sign with the key transit/dfns``.
        remedy: what helps when it is forbidden.
        mount: what must be mounted for it, if anything.
        is_login: whether it is to come by a token.
    """

    doing: str
    remedy: str
    mount: str | None = None
    is_login: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of answer means; the first that fits counts.

    Attributes:
        statuses: HTTP status codes, as a range.
        text: regular expression that one of the answer's errors matches.
        error: what is raised.
        meaning: what happened, and what to do; ``{mount}`` and ``{remedy}`` are filled in.
        only_login: whether it counts for logins alone.
    """

    statuses: range
    text: str
    error: type[SigningKeyError]
    meaning: str
    only_login: bool = False

    def fits(self, status: int, said: str, purpose: Purpose) -> bool:
        """Whether an answer is of this kind."""
        return (
            status in self.statuses
            and re.search(self.text, said, re.IGNORECASE) is not None
            and (purpose.is_login or not self.only_login)
        )


def _only(status: int) -> range:
    return range(status, status + 1)


RULES: Final[Sequence[Rule]] = (
    Rule(
        range(200, 300),
        "",
        SigningKeyError,
        "the answer is no JSON object. Check that 'address' is Vault's, not a proxy's or its web "
        "page's",
    ),
    Rule(
        range(300, 400),
        "",
        KeyStoreUnavailableError,
        "it answered with a redirect, which is not followed, so that the token goes nowhere else. "
        "A standby does so: set 'address' to the active node or to its load balancer",
    ),
    Rule(
        _only(400),
        r"signing key not found",
        KeyNotFoundError,
        "there is no such key. Check 'mount' and 'key'",
    ),
    Rule(
        _only(400),
        r"does not support signing",
        UnsupportedKeyError,
        f"the key does not sign; {SUPPORTED}",
    ),
    Rule(
        _only(400),
        "",
        KeyAccessError,
        "it refused the login. {remedy}",
        only_login=True,
    ),
    Rule(
        range(401, 404),
        "",
        KeyAccessError,
        "permission denied. {remedy}",
    ),
    Rule(
        _only(404),
        r"namespace not found",
        KeyNotFoundError,
        "there is no such namespace. Check 'namespace' and VAULT_NAMESPACE",
    ),
    Rule(
        _only(404),
        "",
        KeyNotFoundError,
        "nothing is mounted at '{mount}'. {remedy}",
        only_login=True,
    ),
    Rule(
        _only(404),
        r"no handler for route",
        KeyNotFoundError,
        "nothing is mounted at '{mount}'. Check 'mount' and 'namespace'; "
        "'vault secrets list' shows what is mounted",
    ),
    Rule(_only(404), "", KeyNotFoundError, "there is no such key. Check 'mount' and 'key'"),
    Rule(
        _only(412),
        "",
        KeyStoreUnavailableError,
        "this node has not caught up with its cluster yet. Try again",
    ),
    Rule(
        _only(413),
        "",
        SigningKeyError,
        "the request is too large for it, or for a proxy before it. Sign less at once, or raise "
        "'max_request_size' of its listener",
    ),
    Rule(
        _only(429),
        "",
        KeyStoreThrottledError,
        "a rate limit quota is used up. Sign less often, gather signatures ('batch'), or raise "
        "the quota",
    ),
    Rule(
        range(472, 474),
        "",
        KeyStoreUnavailableError,
        "the node is a standby that does not serve this. Set 'address' to the active node or to "
        "its load balancer",
    ),
    Rule(
        range(400, 501),
        r"requested version for signing is higher",
        KeyNotFoundError,
        "the key has no such version. Check 'key_version'",
    ),
    Rule(
        range(400, 501),
        r"less than the minimum (en|de)cryption key version",
        KeyStateError,
        "the version is below the key's min_encryption_version or min_decryption_version, so that "
        "it does not sign. Lower that minimum, or enrol a newer version with Dfns",
    ),
    Rule(
        range(400, 501),
        r"soft.deleted",
        KeyStateError,
        "the key is deleted; restore it, or use another key",
    ),
    Rule(
        range(500, 504),
        r"not active|standby",
        KeyStoreUnavailableError,
        "the node is a standby and finds no active node. Try again",
    ),
    Rule(
        _only(501),
        "",
        KeyStoreUnavailableError,
        "the server is not initialised. Run 'vault operator init'",
    ),
    Rule(
        _only(503),
        r"sealed",
        KeyStoreUnavailableError,
        "the server is sealed. Run 'vault operator unseal'",
    ),
    Rule(range(500, 600), "", KeyStoreUnavailableError, "the server failed. Try again"),
    Rule(range(1000), "", SigningKeyError, "it refused. {remedy}", only_login=True),
    Rule(range(1000), "", SigningKeyError, "it refused, for the reason that it gives, if any"),
)


_UNKNOWN: Final[tuple[type[SigningKeyError], str]] = (
    SigningKeyError,
    "the request cannot be sent",
)
_BAD_ADDRESS: Final[tuple[type[SigningKeyError], str]] = (
    KeyStoreUnavailableError,
    "there is no such host. Check 'address'",
)
# In order: SSLError and ProxyError are ConnectionErrors, too.
_TRANSPORT_RULES: Final[dict[type[Exception], tuple[type[SigningKeyError], str]]] = {
    requests.exceptions.SSLError: (
        SigningKeyError,
        (
            "TLS failed. Set 'ca_cert' (or VAULT_CACERT) to the CA that signed the server's "
            "certificate, check the name in it, and set 'client_cert' and 'client_key' if the "
            "server asks for a certificate"
        ),
    ),
    requests.exceptions.ProxyError: (
        KeyStoreUnavailableError,
        "the proxy cannot be used. Check HTTPS_PROXY and VAULT_PROXY_ADDR",
    ),
    requests.exceptions.Timeout: (
        KeyStoreUnavailableError,
        "no answer in time. Check 'address', and 'connect_timeout' and 'read_timeout'",
    ),
    requests.exceptions.ConnectionError: (
        KeyStoreUnavailableError,
        "it cannot be reached. Check 'address' and that the server runs",
    ),
    requests.exceptions.ChunkedEncodingError: (
        KeyStoreUnavailableError,
        "the connection broke. Try again",
    ),
    requests.exceptions.InvalidURL: _BAD_ADDRESS,
    LocationParseError: _BAD_ADDRESS,
    UnicodeError: _BAD_ADDRESS,
}


def missing_policy(policy: str) -> str:
    """The remedy where a policy is what may be missing."""
    return (
        "Either its token is not valid (any more), or the policies of the token lack:\n\n"
        f"{policy.rstrip()}\n"
    )


def from_batch_item(error: str, purpose: Purpose, server: str) -> SigningKeyError:
    """The error that a failed item of a batch stands for; it has no status of its own."""
    return _from_rule(400, [error], purpose, server, shown="in a batch")


def malformed(purpose: Purpose, server: str) -> SigningKeyError:
    """The error for JSON that is not what the API documents."""
    return SigningKeyError(
        f"{server} did not {purpose.doing}: its answer is not what Vault's API documents. "
        "Check that 'address' is Vault's, and that 'mount' is a Transit secrets engine"
    )


def _from_rule(
    status: int, errors: Sequence[str], purpose: Purpose, server: str, *, shown: str
) -> SigningKeyError:
    found = " ".join(" ".join(errors).split())[:_SHOWN]
    rule = next(one for one in RULES if one.fits(status, found, purpose))
    said = f"{shown}: {found}" if found else shown
    meaning = rule.meaning.format(mount=purpose.mount, remedy=purpose.remedy)
    return rule.error(f"{server} did not {purpose.doing} ({said}): {meaning}")


def from_exception(error: Exception, purpose: Purpose, server: str) -> SigningKeyError:
    """The error that an exception of hvac or of its HTTP library stands for."""
    status = getattr(error, "status", None)
    if status is not None:
        said = getattr(error, "errors", None) or ()
        return _from_rule(status, said, purpose, server, shown=f"HTTP {status}")
    rules = (rule for base, rule in _TRANSPORT_RULES.items() if isinstance(error, base))
    kind, meaning = next(rules, _UNKNOWN)
    reason = _reason(error) if harmless(error) else "a header is malformed"
    return kind(f"{server} did not {purpose.doing}: {meaning} ({reason})")


def harmless(error: Exception) -> Exception | None:
    """An exception that may be shown as a cause; None for one that repeats a header's value."""
    return None if isinstance(error, requests.exceptions.InvalidHeader) else error


def _reason(error: BaseException) -> str:
    """The innermost reason, which is the one that says what happened."""
    inner: Any = error
    while True:
        below = getattr(inner, "reason", None) or next(
            (one for one in getattr(inner, "args", ()) if isinstance(one, BaseException)), None
        )
        if not isinstance(below, BaseException):
            return " ".join(str(inner).split())[:_SHOWN] or type(inner).__name__
        inner = below

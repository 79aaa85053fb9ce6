"""What Vault's answers and broken connections mean, as tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

import requests
from hvac.exceptions import VaultError  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError, LocationParseError, ReadTimeoutError

from dfns_signers.plugin import Attempt, Failure, Meaning, errors, explained
from dfns_signers_vault_transit.algorithms import SUPPORTED
from dfns_signers_vault_transit.answers import VaultRefusalError

PROVIDER: Final = "Vault"
DENIALS: Final = range(401, 404)
"""Statuses that mean the token: it is not valid, or a policy is missing."""

_Denied = errors.KeyAccessError
_Missing = errors.KeyNotFoundError
_State = errors.KeyStateError
_Down = errors.KeyStoreUnavailableError
_Failed = errors.SigningKeyError

# {mount} and {remedy} stand for what the Purpose of a request says.
_FORBIDDEN: Final = Meaning(_Denied, "{remedy}")
_ACTIVE: Final = "set 'address' to the active node or to its load balancer"
_STANDBY: Final = Meaning(_Down, f"the node is a standby that does not serve this: {_ACTIVE}")

BY_TEXT: Final[Mapping[str, Meaning]] = {
    r"signing key not found": Meaning(_Missing, "there is no such key: check 'mount' and 'key'"),
    r"does not support signing": Meaning(
        errors.UnsupportedKeyError, f"the key does not sign: {SUPPORTED}"
    ),
    r"namespace not found": Meaning(
        _Missing, "there is no such namespace: check 'namespace' and VAULT_NAMESPACE"
    ),
    r"no handler for route": Meaning(
        _Missing,
        "nothing is mounted at '{mount}': check 'mount', 'auth.path' and 'namespace'; 'vault "
        "secrets list' and 'vault auth list' show what is mounted",
    ),
    r"requested version for signing is higher": Meaning(
        _Missing, "the key has no such version: check 'key_version'"
    ),
    r"less than the minimum (en|de)cryption key version": Meaning(
        _State,
        "the version is below the key's min_encryption_version or min_decryption_version, so that "
        "it does not sign: lower that minimum, or register a newer version with Dfns",
    ),
    r"soft.deleted": Meaning(_State, "the key is deleted: restore it, or use another key"),
    r"node not active|standby": Meaning(
        _Down, "the node is a standby and finds no active node: try again"
    ),
    r"is sealed": Meaning(_Down, "the server is sealed: run 'vault operator unseal'"),
}
"""What an error's text means; the first that matches counts, before the status."""

BY_STATUS: Final[Mapping[int, Meaning]] = {
    **dict.fromkeys(DENIALS, _FORBIDDEN),
    404: Meaning(_Missing, "there is no such key: check 'mount' and 'key'"),
    412: Meaning(_Down, "this node has not caught up with its cluster yet: try again"),
    413: Meaning(
        _Failed,
        "the request is too large for the server, or for a proxy before it: sign less at once, or "
        "raise 'max_request_size' of its listener",
    ),
    429: Meaning(
        errors.KeyStoreThrottledError,
        "a rate limit quota is used up: sign less often, or raise the quota",
    ),
    472: _STANDBY,
    473: _STANDBY,
    501: Meaning(_Down, "the server is not initialised: run 'vault operator init'"),
}
OF_LOGINS: Final = {**BY_STATUS, 400: _FORBIDDEN, 404: Meaning(_Missing, "{remedy}")}
"""What a status means where a token is asked for."""

BY_CLASS: Final[Mapping[int, Meaning]] = {
    2: Meaning(_Failed, "check that 'address' is Vault's, not a proxy's or its web page's"),
    3: Meaning(
        _Down,
        "the answer is a redirect, which is not followed, so that the token goes nowhere else: a "
        f"standby does so; {_ACTIVE}",
    ),
    5: Meaning(_Down, "the server failed: try again"),
}
"""By the first digit of the status."""

_REFUSED: Final = Meaning(
    _Failed, "the server refused, for the reason that it gives, if any: see its logs"
)
_NO_LOGIN: Final = Meaning(_Failed, "{remedy}")
_URLS: Final = "check 'address', and the proxy in VAULT_PROXY_ADDR or HTTPS_PROXY"
_MALFORMED: Final = Meaning(
    _Failed, "check that 'address' is Vault's, and that 'mount' is a Transit secrets engine"
)
BY_EXCEPTION: Final[Mapping[type[Exception], Meaning]] = {
    requests.exceptions.InvalidHeader: Meaning(
        _Failed, "a header is malformed: check those of the hvac client's session", may_quote=False
    ),
    requests.exceptions.SSLError: Meaning(
        _Failed,
        "TLS failed: set 'ca_cert' (or VAULT_CACERT) to the CA that signed the server's "
        "certificate, check the name in it, and set 'client_cert' and 'client_key' if the "
        "server asks for a certificate",
    ),
    requests.exceptions.ProxyError: Meaning(
        _Down, "the proxy cannot be used: check HTTPS_PROXY and VAULT_PROXY_ADDR"
    ),
    # What reads the body of an answer raises urllib3's errors.
    **dict.fromkeys(
        (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError),
        Meaning(
            _Down,
            "there was no answer in time: check 'address', 'connect_timeout', 'read_timeout' and "
            "'timeout'",
        ),
    ),
    requests.exceptions.ConnectionError: Meaning(
        _Down, "the server cannot be reached: check 'address' and that the server runs"
    ),
    # What they say may repeat a part of a password.
    **dict.fromkeys(
        (requests.exceptions.InvalidURL, LocationParseError, UnicodeError),
        Meaning(_Down, f"there is no such host: {_URLS}", may_quote=False),
    ),
    **dict.fromkeys(
        (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema),
        Meaning(_Failed, f"the scheme of a URL cannot be used: {_URLS}", may_quote=False),
    ),
    HTTPError: Meaning(_Down, "the connection broke: try again"),
    # An OSError is also a file of certificates that cannot be read.
    **dict.fromkeys(
        (VaultError, OSError),
        Meaning(
            _Failed,
            "the request cannot be sent: check the files of certificates and the other options",
        ),
    ),
    # Whatever reading an answer of another shape raises.
    **dict.fromkeys(
        (LookupError, TypeError, AttributeError, ValueError, OverflowError, RecursionError),
        _MALFORMED,
    ),
}
"""In order: SSLError and ProxyError are ConnectionErrors, UnicodeError is a ValueError, and
LocationParseError and ReadTimeoutError are HTTPErrors."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for: the half of an error's sentence that the server cannot know.

    Attributes:
        task: such as ``sign with the key transit/dfns``.
        server: names the server.
        remedy: what to do when it is forbidden, as a clause without a full stop.
        mount: what must be mounted for it.
        is_login: whether it asks for a token.
    """

    task: str
    server: str
    remedy: str
    mount: str
    is_login: bool = False

    def explained(self, attempt: Attempt) -> AbstractContextManager[None]:
        """Raise what comes from the server, or from reading its answer, as errors of ours."""
        return explained(self.task, provider=PROVIDER, explain=self.explain, attempt=attempt)

    def explain(self, error: Exception) -> Failure | None:
        """What an exception of hvac, of its HTTP library or of an answer's reader means."""
        if isinstance(error, VaultRefusalError):
            said = f"{self.server} answered {error}"
            return Failure(self._meaning(error), said, retry_after=error.retry_after)
        found = (m for kind, m in BY_EXCEPTION.items() if isinstance(error, kind))
        if (meaning := next(found, None)) is None:
            return None
        if meaning is _MALFORMED:
            return Failure(
                meaning, f"the answer of {self.server} is not what Vault's API documents"
            )
        reason = f": {_innermost(error)}" if meaning.may_quote else ""
        return Failure(meaning, f"{self.server}{reason}")

    def _meaning(self, refusal: VaultRefusalError) -> Meaning:
        said, status = " ".join(refusal.errors), refusal.status
        # Of a denial the text may also be that of the login for another token.
        texts = {} if status in DENIALS else BY_TEXT
        by_text = (m for text, m in texts.items() if re.search(text, said, re.IGNORECASE))
        by_status, otherwise = (OF_LOGINS, _NO_LOGIN) if self.is_login else (BY_STATUS, _REFUSED)
        by_class = BY_CLASS.get(status // 100, otherwise)
        meaning = next(by_text, None) or by_status.get(status, by_class)
        advice = meaning.advice.format(mount=self.mount, remedy=self.remedy)
        return replace(meaning, advice=advice)


def _innermost(error: BaseException) -> str:
    """The innermost reason, which is the one that says what happened."""
    reasons = (getattr(error, "reason", None), *error.args)
    inner = next((one for one in reasons if isinstance(one, BaseException)), None)
    return _innermost(inner) if inner else str(error) or type(error).__name__


def rule(path: str, *capabilities: str) -> str:
    """A rule of a policy for one path, in HCL."""
    listed = ", ".join(f'"{capability}"' for capability in capabilities)
    return f'path "{path}" {{ capabilities = [{listed}] }}'


def missing_policy(*rules: str) -> str:
    """The remedy where a policy may be what is missing: the smallest that allows the request."""
    return "the token is not valid, or its policies lack: " + "\n".join(rules)

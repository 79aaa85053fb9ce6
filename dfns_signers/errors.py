"""Every error this package raises, in one tree.

Each message says what happened, to which key, profile or file, and what to do next.
``retriable`` says whether the same call may succeed later without a change by the caller.
All errors pickle, so that they survive process pools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DfnsSignersError(Exception):
    """Root of every error of this package."""

    retriable: ClassVar[bool] = False


# Configuration and plugins


class ConfigurationError(DfnsSignersError):
    """The configuration cannot be used: a file, an environment variable or an argument."""


class ListeningError(ConfigurationError):
    """An address cannot be listened on: it is in use, or not permitted."""


class PluginError(DfnsSignersError):
    """A backend or hook plugin is unknown, offered twice or broken."""


# Keys


class SigningKeyError(DfnsSignersError):
    """A signing key cannot be opened or used."""


class UnsupportedKeyError(SigningKeyError):
    """The key exists, and is of a kind that Dfns does not accept."""


class FingerprintMismatchError(SigningKeyError):
    """The key behind a name is not the one that was pinned by its fingerprint."""


class KeyNotFoundError(SigningKeyError):
    """No key by that name."""


class KeyAccessError(SigningKeyError):
    """The key store denied access, or credentials for it are missing or expired."""


class SecretRefusedError(KeyAccessError):
    """The key store refused a PIN or another secret that locks after a few wrong tries.

    A signer that got it never tries that secret again by itself.
    """


class KeyStateError(SigningKeyError):
    """The key is disabled, pending deletion, destroyed or not ready."""


class KeyStoreUnavailableError(SigningKeyError):
    """The key store could not be reached or failed on its side.

    Attributes:
        retry_after: seconds to wait as the key store asked, if it did.
    """

    retriable = True
    retry_after: float | None = None


class KeyStoreThrottledError(KeyStoreUnavailableError):
    """The key store refused the call because of its rate."""


class InvalidSignatureError(SigningKeyError):
    """The key store returned an invalid signature for the message."""


# Signing


class SigningError(DfnsSignersError):
    """A challenge cannot be signed."""


class ChallengeError(SigningError):
    """The challenge is malformed."""


class CredentialNotAllowedError(SigningError):
    """The challenge does not allow the configured credential."""


class SigningRefusedError(SigningError):
    """A ``before_sign`` plugin refused."""


class PolicyRefusedError(SigningRefusedError):
    """The rules of the configuration do not allow the call.

    Attributes:
        check: what refused, such as ``no-rule``, ``read-only``, ``rate``.
        rule: the rule that came nearest, or whose rate is used up; None where none names the call.
        retry_after: seconds after which a rate has room again; None where time changes nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        check: str = "no-rule",
        rule: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.check = check
        self.rule = rule
        self.retry_after = retry_after


class AuditError(DfnsSignersError):
    """The audit trail cannot be written or read."""


class SigningCancelledError(SigningError):
    """The caller of ``asign`` was cancelled: what observers are shown instead of a signature."""


class EncodingError(DfnsSignersError, ValueError):
    """Bytes or text are not in the encoding that was expected."""


# Registrations


class RegistrationError(DfnsSignersError):
    """A key is not registered as was asked for: something is in the way, or a token went astray."""


# Requests and answers


class TokenProviderError(DfnsSignersError):
    """The function that returns the token failed. Nothing was sent with it."""


class RequestError(DfnsSignersError):
    """The request cannot be sent as it was asked for. Nothing was sent."""


class NoPermitError(DfnsSignersError):
    """The client's own rate limit has no permit for a call in its time, or its store fails.

    The attempt sent nothing.
    """

    retriable = True


class CallError(DfnsSignersError):
    """A request was sent, or was about to be, and did not succeed.

    Attributes:
        may_have_taken_effect: whether the API may have carried the call out all the same, at
            this attempt or an earlier one. False where it is certain that it did not: each time
            the failure came before the call itself was sent (while its user action was signed,
            say), or the API refused it, or it only reads.
    """

    may_have_taken_effect: bool = False

    def __str__(self) -> str:
        text = super().__str__()
        if self.may_have_taken_effect:
            return f"{text}. The call may have taken effect: look before you repeat it"
        return text


class TransportError(CallError):
    """The API could not be reached, or the connection broke."""

    retriable = True

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.may_have_taken_effect else f"{text}. The call took no effect"


class TransportTimeoutError(TransportError):
    """No answer within the configured timeout."""


class UnexpectedResponseError(CallError):
    """The answer is not what the Dfns API documents: a redirect, not JSON, a member missing."""


class ApiError(CallError):
    """The API refused the request.

    Attributes:
        status: HTTP status code.
        error_id: ``error.id`` of the envelope, where the API sent one.
        details: ``error.details`` of the envelope, whatever JSON it is.
        headers: response headers, names in lower case.
        body: response body as text, cut after 2,000 characters.
        retry_after: seconds to wait as the server asked, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        error_id: str | None = None,
        details: Any = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id
        self.details = details
        self.headers = dict(headers or {})
        self.body = body
        self.retry_after = retry_after


class ApprovalRequiredError(DfnsSignersError):
    """A member of a result was asked for that a policy still withholds: see ChangeRequest."""


class BadRequestError(ApiError):
    """400: the request, the challenge or the user action was not valid."""


class AuthenticationError(ApiError):
    """401: the token or the credential is missing, expired, foreign or of another region."""


class PermissionDeniedError(ApiError):
    """403: a permission is missing, or the user action is missing or does not match."""


class NotFoundError(ApiError):
    """404."""


class RequestTimeoutError(ApiError):
    """408: somebody on the way waited too long; the API may have carried the call out."""

    retriable = True


class ConflictError(ApiError):
    """409: for instance an ``externalId`` that was used with another body."""


class RateLimitedError(ApiError):
    """429: slow down."""

    retriable = True


class ServerError(ApiError):
    """5xx."""

    retriable = True

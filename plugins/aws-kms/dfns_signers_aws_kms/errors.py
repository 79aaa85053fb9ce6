"""What the errors of AWS and of its SDK mean, in this framework's classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from json import JSONDecodeError
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from dfns_signers.plugin import Failure, Meaning, errors, quoted
from dfns_signers_aws_kms.algorithms import WHAT_WORKS
from dfns_signers_aws_kms.bounded_http import AnswerError

PROVIDER: Final = "AWS"

_UNAVAILABLE: Final = Meaning(
    errors.KeyStoreUnavailableError,
    "AWS failed on its side: try again, and see the AWS Health Dashboard",
)
_THROTTLED: Final = Meaning(
    errors.KeyStoreThrottledError,
    "sign less often, or have the request quota of AWS KMS raised in Service Quotas",
)
_REFUSED: Final = Meaning(
    errors.SigningKeyError,
    "AWS refused the request as it was made: check the options of the key",
)
_UNREACHABLE: Final = Meaning(
    errors.KeyStoreUnavailableError,
    "check network, proxy, 'region' and 'endpoint_url', and try again",
)
_CREDENTIALS: Final = Meaning(
    errors.KeyAccessError,
    "give this process AWS credentials: a role of its instance, container or web identity, an AWS "
    "profile (option 'profile'), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
)


def _each(table: Mapping[str, Meaning]) -> Mapping[str, Meaning]:
    return {name: meaning for names, meaning in table.items() for name in names.split()}


# By error code, as AWS KMS and AWS STS send it; ``{action}`` stands for the IAM action of the
# request. With a status of 500 and up, no code is needed.
SERVICE_ERRORS: Final = _each(
    {
        "NotFoundException InvalidArnException": Meaning(
            errors.KeyNotFoundError,
            "check key id or alias, account and region; see 'dfns-signers keys list'",
        ),
        "AccessDeniedException AccessDenied": Meaning(
            errors.KeyAccessError,
            "allow {action} to these credentials, in the key policy or in an IAM policy",
        ),
        "DisabledException": Meaning(
            errors.KeyStateError,
            "the key is disabled: enable it (aws kms enable-key), or configure another",
        ),
        "KMSInvalidStateException": Meaning(
            errors.KeyStateError,
            "only a key in the state Enabled signs: cancel its deletion (aws kms "
            "cancel-key-deletion) and enable it, or configure another",
        ),
        "InvalidKeyUsageException UnsupportedOperationException": Meaning(
            errors.UnsupportedKeyError, WHAT_WORKS
        ),
        "ThrottlingException Throttling RequestLimitExceeded TooManyRequestsException "
        "RequestThrottledException ThrottledException PriorRequestNotComplete SlowDown": _THROTTLED,
        "RequestTimeout RequestTimeoutException": _UNAVAILABLE,
        "LimitExceededException": Meaning(
            errors.SigningKeyError, "a quota of AWS KMS is used up: delete keys or have it raised"
        ),
        "AlreadyExistsException": Meaning(
            errors.SigningKeyError, "choose another alias, or use the key that has it"
        ),
        "ExpiredTokenException ExpiredToken RequestExpired": Meaning(
            errors.KeyAccessError,
            "the credentials have expired: renew them (SSO: 'aws sso login'), and check the clock",
        ),
        "UnrecognizedClientException InvalidClientTokenId InvalidIdentityToken": Meaning(
            errors.KeyAccessError,
            "AWS does not know the credentials: check where they come from, and the profile",
        ),
        "MissingAuthenticationToken MissingAuthenticationTokenException": _CREDENTIALS,
        # The text of AWS repeats the headers of the request, the session token among them.
        "InvalidSignatureException SignatureDoesNotMatch "
        "IncompleteSignature IncompleteSignatureException": Meaning(
            errors.KeyAccessError,
            "the secret access key does not fit its access key id, the clock of this machine is "
            "wrong, or 'region' is not that of the address",
            may_quote=False,
        ),
    }
)

# By the name of a class of botocore or one of its bases; names, since not every version has all.
SDK_ERRORS: Final = _each(
    {
        "NoCredentialsError PartialCredentialsError CredentialRetrievalError "
        "MetadataRetrievalError RefreshWithMFAUnsupportedError": _CREDENTIALS,
        "TokenRetrievalError SSOError LoginError": Meaning(
            errors.KeyAccessError,
            "the sign-in of the AWS profile ended or failed: run 'aws sso login' or 'aws login'",
        ),
        "NoRegionError": Meaning(
            errors.ConfigurationError,
            "set 'region' beside the key, name the key by its ARN, or set AWS_REGION",
        ),
        "SSLError": Meaning(
            errors.SigningKeyError,
            "the TLS certificate is not trusted: check 'endpoint_url', proxy and AWS_CA_BUNDLE",
        ),
        "ConnectionError HTTPClientError": _UNREACHABLE,
        "BotoCoreError": Meaning(
            errors.ConfigurationError, "correct the setting, or the AWS configuration files"
        ),
    }
)

_NOT_AWS: Final = Meaning(errors.KeyStoreUnavailableError, "check 'endpoint_url' and proxy")


def explain(error: Exception) -> Failure:
    """What an exception means that came of a request to AWS."""
    if isinstance(error, ClientError):
        return _refusal(error)
    if type(error) is HTTPClientError:
        return _failure_of_http(error)
    if isinstance(error, BotoCoreError):
        names = (kind.__name__ for kind in type(error).__mro__)
        return Failure(next(SDK_ERRORS[name] for name in names if name in SDK_ERRORS), str(error))
    if isinstance(error, (OSError, EOFError)):
        # What concerns the network, botocore wraps: this comes out of the chain of credentials.
        no_terminal = "an MFA code is asked for, and there is no terminal to type it"
        return Failure(_CREDENTIALS, str(error) or no_terminal)
    if isinstance(error, JSONDecodeError):
        return explain_source(error)
    # What botocore's parser, or a look into its result, raises where something else answered.
    return Failure(_NOT_AWS, f"the answer is not what AWS sends ({_kind(error)})")


def explain_source(error: Exception) -> Failure:
    """Like ``explain``, where nothing but a source of credentials can raise a ValueError."""
    if isinstance(error, BotoCoreError) or not isinstance(error, ValueError):
        return explain(error)
    # The error of a JSON parser holds everything that a credential process printed.
    meaning = replace(_CREDENTIALS, may_quote=False)
    return Failure(meaning, f"the source of the AWS credentials is unusable: {error}")


def error_code(error: ClientError) -> str:
    """The code that AWS gave to an error."""
    return _said(error, "Code")


def request_id(details: Mapping[str, object]) -> str | None:
    """The id that AWS gave to a request, fit for a message; ``details`` are its metadata."""
    value = details.get("RequestId")
    return quoted(value) if isinstance(value, str) and value else None


def _said(error: ClientError, member: str) -> str:
    """A member of an error; empty where it is not a string, as those of AWS are."""
    details: Mapping[str, object] = {**error.response.get("Error", {})}
    value = details.get(member)
    return value if isinstance(value, str) else ""


def _kind(error: Exception) -> str:
    return str(error) if isinstance(error, AnswerError) else type(error).__name__


def _refusal(error: ClientError) -> Failure:
    details: Mapping[str, Any] = {**error.response.get("ResponseMetadata", {})}
    code = error_code(error)
    meaning = SERVICE_ERRORS.get(code) or _meaning_of_status(details.get("HTTPStatusCode", 0))
    service = "sts" if error.operation_name.startswith("AssumeRole") else "kms"
    advice = meaning.advice.format(action=f"{service}:{error.operation_name}")
    message = _said(error, "Message") if meaning.may_quote else ""
    return Failure(
        replace(meaning, advice=advice),
        f"{code}: {message}" if message else code,
        request_id=request_id(details),
    )


def _meaning_of_status(status: int) -> Meaning:
    if status == 429:  # noqa: PLR2004  # HTTP's Too Many Requests
        return _THROTTLED
    return _UNAVAILABLE if status >= 500 else _REFUSED  # noqa: PLR2004  # HTTP's server errors


def _failure_of_http(error: HTTPClientError) -> Failure:
    """Without the text of the error: it repeats a header that is refused, with what is in it."""
    wrapped = error.kwargs.get("error")
    if isinstance(wrapped, ValueError) and not isinstance(wrapped, HTTPError):
        meaning = Meaning(
            errors.KeyAccessError,
            "correct AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN, or where else they come from",
            may_quote=False,
        )
        return Failure(meaning, "a credential has a line break or other character no header takes")
    return Failure(
        replace(_UNREACHABLE, may_quote=False), f"the HTTP client failed ({type(wrapped).__name__})"
    )

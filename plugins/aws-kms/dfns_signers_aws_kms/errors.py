"""What the errors of AWS and of its SDK mean, in this framework's classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_aws_kms.algorithms import WHAT_WORKS

_SHOWN: Final = 600


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error of AWS means.

    Attributes:
        error: class of ours.
        advice: what to do next; ``{action}`` stands for the IAM action of the request.
        may_quote: whether the text of AWS is fit to be shown. Where a signature of a request does
            not fit, the text repeats its headers, the session token among them.
    """

    error: type[DfnsSignersError]
    advice: str
    may_quote: bool = True


_UNAVAILABLE: Final = Meaning(
    KeyStoreUnavailableError, "AWS failed on its side: try again, and see the AWS Health Dashboard"
)
_THROTTLED: Final = Meaning(
    KeyStoreThrottledError,
    "sign less often, or have the request quota of AWS KMS raised in Service Quotas",
)
_NOT_FOUND: Final = Meaning(
    KeyNotFoundError,
    "check key id or alias, account and region; 'dfns-signers keys list' shows what there is",
)
_DENIED: Final = Meaning(
    KeyAccessError,
    "allow {action} to these credentials, in the key policy or in an IAM policy",
)
_EXPIRED: Final = Meaning(
    KeyAccessError,
    "the credentials have expired: renew them ('aws sso login' for SSO), and check the clock",
)
_UNKNOWN_CREDENTIALS: Final = Meaning(
    KeyAccessError, "AWS does not know the credentials: check where they come from, and the profile"
)
_BAD_REQUEST_SIGNATURE: Final = Meaning(
    KeyAccessError,
    "the secret access key does not fit its access key id, or the clock of this machine is wrong",
    may_quote=False,
)
_UNUSABLE: Final = Meaning(UnsupportedKeyError, WHAT_WORKS)
_UNREACHABLE: Final = Meaning(
    KeyStoreUnavailableError,
    "check network, proxy, 'region' and 'endpoint_url', and try again",
)
_SIGN_IN: Final = Meaning(
    KeyAccessError,
    "the sign-in of the AWS profile has ended or failed: run 'aws sso login' or 'aws login'",
)
_CREDENTIALS: Final = Meaning(
    KeyAccessError,
    "give this process AWS credentials: a role of its instance, container or web identity, an AWS "
    "profile (option 'profile'), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
)
_SETTING: Final = Meaning(ConfigurationError, "correct the setting, or the AWS configuration files")

# By error code, as AWS KMS and AWS STS send it. With a status of 500 and up, no code is needed.
SERVICE_ERRORS: Final[Mapping[str, Meaning]] = {
    "NotFoundException": _NOT_FOUND,
    "InvalidArnException": _NOT_FOUND,
    "AccessDeniedException": _DENIED,
    "AccessDenied": _DENIED,
    "DisabledException": Meaning(
        KeyStateError, "the key is disabled: enable it (aws kms enable-key), or configure another"
    ),
    "KMSInvalidStateException": Meaning(
        KeyStateError,
        "only a key in the state Enabled signs: cancel its deletion (aws kms cancel-key-deletion) "
        "and enable it, or configure another",
    ),
    "InvalidKeyUsageException": _UNUSABLE,
    "UnsupportedOperationException": _UNUSABLE,
    "ThrottlingException": _THROTTLED,
    "Throttling": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "RequestThrottledException": _THROTTLED,
    "ThrottledException": _THROTTLED,
    "PriorRequestNotComplete": _THROTTLED,
    "SlowDown": _THROTTLED,
    "LimitExceededException": Meaning(
        SigningKeyError, "a quota of AWS KMS is used up: delete keys or have it raised"
    ),
    "AlreadyExistsException": Meaning(
        SigningKeyError, "choose another alias, or use the key that has it"
    ),
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "UnrecognizedClientException": _UNKNOWN_CREDENTIALS,
    "InvalidClientTokenId": _UNKNOWN_CREDENTIALS,
    "InvalidIdentityToken": _UNKNOWN_CREDENTIALS,
    "MissingAuthenticationToken": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "InvalidSignatureException": _BAD_REQUEST_SIGNATURE,
    "SignatureDoesNotMatch": _BAD_REQUEST_SIGNATURE,
    "IncompleteSignature": _BAD_REQUEST_SIGNATURE,
    "IncompleteSignatureException": _BAD_REQUEST_SIGNATURE,
}

_REFUSED: Final = Meaning(
    SigningKeyError, "AWS refused the request as it was made: check the options of the key"
)

# By the name of a class of botocore or one of its bases; names, since not every version has all.
SDK_ERRORS: Final[Mapping[str, Meaning]] = {
    "NoCredentialsError": _CREDENTIALS,
    "PartialCredentialsError": _CREDENTIALS,
    "CredentialRetrievalError": _CREDENTIALS,
    "MetadataRetrievalError": _CREDENTIALS,
    "RefreshWithMFAUnsupportedError": _CREDENTIALS,
    "TokenRetrievalError": _SIGN_IN,
    "SSOError": _SIGN_IN,
    "LoginError": _SIGN_IN,
    "NoRegionError": Meaning(
        ConfigurationError,
        "set 'region' beside the key, name the key by its ARN, or set AWS_REGION",
    ),
    "SSLError": Meaning(
        SigningKeyError,
        "the TLS certificate is not trusted: check 'endpoint_url', proxy and AWS_CA_BUNDLE",
    ),
    "ConnectionError": _UNREACHABLE,
    "HTTPClientError": _UNREACHABLE,
    "BotoCoreError": _SETTING,
}


# What botocore's parser, or a look into its result, raises where something else than AWS answered.
_UNREADABLE: Final = (ResponseParserError, ValueError, TypeError, AttributeError, LookupError)


@contextmanager
def translated(task: str) -> Iterator[None]:
    """Raise errors of AWS and of its SDK as ours, with their cause.

    Args:
        task: what is done to which key, such as ``sign with the key …``.
    """
    try:
        yield
    except ClientError as error:
        meaning = _meaning_of_answer(error)
        cause = error if meaning.may_quote else None
        raise meaning.error(_describe_answer(task, error, meaning)) from cause
    except BotoCoreError as error:
        if type(error) is HTTPClientError:
            raise _failure_of_http(task, error) from None
        meaning = next(
            SDK_ERRORS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in SDK_ERRORS
        )
        raise meaning.error(f"cannot {task}: {_cut(str(error))}; {meaning.advice}") from error
    except (OSError, EOFError) as error:
        # What concerns the network, botocore wraps: this comes out of the chain of credentials.
        told = _cut(str(error)) or "somebody is asked for a code, and nobody is there (MFA)"
        raise KeyAccessError(f"cannot {task}: {told}; {_CREDENTIALS.advice}") from error
    except JSONDecodeError as error:
        raise unreadable_credentials(task, error) from None
    except _UNREADABLE as error:
        raise KeyStoreUnavailableError(
            f"cannot {task}: the answer is not what AWS KMS sends ({type(error).__name__}); check "
            "'endpoint_url' and proxy"
        ) from error


def unreadable_credentials(task: str, error: ValueError) -> KeyAccessError:
    """The error for a source of credentials that gives something else.

    It must be raised without its cause: the error of a JSON parser has all that a process printed.
    """
    return KeyAccessError(
        f"cannot {task}: the source of the AWS credentials is unusable: {_cut(str(error))}; "
        f"{_CREDENTIALS.advice}"
    )


def _failure_of_http(task: str, error: HTTPClientError) -> DfnsSignersError:
    """Without the text of the error: it repeats a header that is refused, with what is in it."""
    wrapped = error.kwargs.get("error")
    if isinstance(wrapped, ValueError) and not isinstance(wrapped, HTTPError):
        return KeyAccessError(
            f"cannot {task}: a credential has a line break or other character that no header "
            "takes; correct AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN, or where else they come from"
        )
    return _UNREACHABLE.error(
        f"cannot {task}: the HTTP client failed ({type(wrapped).__name__}); {_UNREACHABLE.advice}"
    )


def error_code(error: ClientError) -> str:
    """The code that AWS gave to an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _meaning_of_answer(error: ClientError) -> Meaning:
    known = SERVICE_ERRORS.get(error_code(error))
    if known is not None:
        return known
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == 429:  # noqa: PLR2004  # HTTP's Too Many Requests
        return _THROTTLED
    return _UNAVAILABLE if status >= 500 else _REFUSED  # noqa: PLR2004  # HTTP's server errors


def _describe_answer(task: str, error: ClientError, meaning: Meaning) -> str:
    details = error.response.get("ResponseMetadata", {})
    code, request = error_code(error), details.get("RequestId") or "unknown"
    said = error.response.get("Error", {}).get("Message") if meaning.may_quote else None
    told = f"{code}: {_cut(said)}" if said else code
    advice = meaning.advice.format(action=_action(error.operation_name))
    attempts = details.get("RetryAttempts", 0) + 1
    tried = f", {attempts} attempts" if attempts > 1 else ""
    return f"cannot {task}: {told}; {advice} (AWS request id {request}{tried})"


def _action(operation: str) -> str:
    service = "sts" if operation.startswith("AssumeRole") else "kms"
    return f"{service}:{operation}"


def _cut(text: str) -> str:
    text = text.rstrip(". ")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

"""Each error of AWS and of its SDK, provoked, and read as a user would read it."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import botocore.exceptions
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    HTTPClientError,
    MetadataRetrievalError,
    PartialCredentialsError,
    ProxyConnectionError,
    RefreshWithMFAUnsupportedError,
    TokenRetrievalError,
)
from urllib3.exceptions import LocationParseError

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
from dfns_signers.plugin import explained
from dfns_signers_aws_kms.errors import explain
from dfns_signers_aws_kms.key import AwsKmsKey
from tests.plugins.aws_kms.kms_double import KmsDouble, answer, refuse
from tests.secrecy import CANARY

Open = Callable[..., AwsKmsKey]

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/payments/i-0abc"
DENIED = (
    f"User: {PRINCIPAL} is not authorized to perform: kms:Sign on resource: key because no "
    "identity-based policy allows the kms:Sign action"
)
RATE = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."

# code, status, text of AWS, class, retriable, advice
ANSWERS = [
    ("NotFoundException", 400, "Key does not exist", KeyNotFoundError, False, "keys list"),
    ("InvalidArnException", 400, "Invalid arn", KeyNotFoundError, False, "account and region"),
    ("AccessDeniedException", 400, DENIED, KeyAccessError, False, "allow kms:Sign to these"),
    ("DisabledException", 400, "x is disabled.", KeyStateError, False, "aws kms enable-key"),
    ("KMSInvalidStateException", 400, "x is pending import.", KeyStateError, False, "Enabled"),
    ("InvalidKeyUsageException", 400, "usage", UnsupportedKeyError, False, "SIGN_VERIFY"),
    ("UnsupportedOperationException", 400, "no", UnsupportedKeyError, False, "SIGN_VERIFY"),
    ("ThrottlingException", 400, RATE, KeyStoreThrottledError, True, "Service Quotas"),
    ("ExpiredTokenException", 400, "expired", KeyAccessError, False, "have expired: renew"),
    ("UnrecognizedClientException", 400, "invalid", KeyAccessError, False, "does not know"),
    ("MissingAuthenticationToken", 403, "Missing", KeyAccessError, False, "give this process"),
    ("LimitExceededException", 400, "limit", SigningKeyError, False, "quota"),
    ("ValidationException", 400, "1 validation error", SigningKeyError, False, "refused"),
    ("KeyUnavailableException", 500, "busy", KeyStoreUnavailableError, True, "try again"),
    ("DependencyTimeoutException", 500, "slow", KeyStoreUnavailableError, True, "try again"),
    ("KMSInternalException", 500, "oops", KeyStoreUnavailableError, True, "try again"),
    ("InternalFailure", 500, "oops", KeyStoreUnavailableError, True, "try again"),
    ("ServiceUnavailable", 503, "down", KeyStoreUnavailableError, True, "try again"),
    ("SomethingNew", 500, "new", KeyStoreUnavailableError, True, "try again"),
    ("SomethingNewToo", 400, "new", SigningKeyError, False, "refused"),
]


@pytest.mark.parametrize(
    ("code", "status", "text", "kind", "retriable", "advice"),
    ANSWERS,
    ids=[row[0] for row in ANSWERS],
)
def test_error_of_aws_is_reported_with_key_text_advice_and_request_id(
    double: KmsDouble,
    open_key: Open,
    code: str,
    status: int,
    text: str,
    kind: type[DfnsSignersError],
    retriable: bool,
    advice: str,
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", refuse(code, text, status))

    with pytest.raises(kind) as caught:
        key.sign(b"message")

    error = caught.value
    cause = error.__cause__
    assert type(error) is kind
    assert error.retriable is retriable
    assert isinstance(cause, ClientError)
    request_id = cause.response["ResponseMetadata"]["RequestId"]
    said = str(error)
    assert said.startswith(f"cannot sign with the key {key.reference}: {code}: {text.rstrip('.')};")
    assert advice in said
    assert said.endswith(f"(AWS request id {request_id})")
    assert str(pickle.loads(pickle.dumps(error))) == said


def test_access_denied_names_principal_and_action_as_aws_does(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", refuse("AccessDeniedException", DENIED))

    with pytest.raises(KeyAccessError) as caught:
        key.sign(b"message")

    assert PRINCIPAL in str(caught.value)
    assert "not authorized to perform: kms:Sign" in str(caught.value)


def test_access_denied_at_opening_names_the_action_that_is_missing(
    double: KmsDouble, open_key: Open
) -> None:
    double.fail("GetPublicKey", refuse("AccessDeniedException", "User is not authorized"))

    with pytest.raises(KeyAccessError, match="allow kms:GetPublicKey to these credentials"):
        open_key(double.add("ECC_NIST_P256"))


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        ("Throttling", KeyStoreThrottledError, "Service Quotas"),
        ("RequestLimitExceeded", KeyStoreThrottledError, "Service Quotas"),
        ("TooManyRequestsException", KeyStoreThrottledError, "Service Quotas"),
        ("RequestThrottledException", KeyStoreThrottledError, "Service Quotas"),
        ("ThrottledException", KeyStoreThrottledError, "Service Quotas"),
        ("PriorRequestNotComplete", KeyStoreThrottledError, "Service Quotas"),
        ("SlowDown", KeyStoreThrottledError, "Service Quotas"),
        ("AccessDenied", KeyAccessError, "allow kms:Sign"),
        ("ExpiredToken", KeyAccessError, "have expired"),
        ("RequestExpired", KeyAccessError, "have expired"),
        ("InvalidClientTokenId", KeyAccessError, "does not know the credentials"),
        ("InvalidIdentityToken", KeyAccessError, "does not know the credentials"),
        ("MissingAuthenticationTokenException", KeyAccessError, "give this process AWS"),
        ("AlreadyExistsException", SigningKeyError, "choose another alias"),
    ],
)
def test_other_code_for_the_same_thing_means_the_same(
    double: KmsDouble, open_key: Open, code: str, kind: type[DfnsSignersError], advice: str
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", refuse(code, "no"))

    with pytest.raises(kind, match=advice) as caught:
        key.sign(b"message")

    assert type(caught.value) is kind


SDK = [
    (PartialCredentialsError(provider="env", cred_var="SECRET"), KeyAccessError, "give this"),
    (MetadataRetrievalError(error_msg="timed out"), KeyAccessError, "give this process"),
    (RefreshWithMFAUnsupportedError(), KeyAccessError, "give this process"),
    (TokenRetrievalError(provider="sso", error_msg="expired"), KeyAccessError, "aws sso login"),
    (ConfigParseError(path="config", error="x"), ConfigurationError, "AWS configuration files"),
    (ProxyConnectionError(proxy_url="http://proxy"), KeyStoreUnavailableError, "check network"),
]


@pytest.mark.parametrize(
    ("error", "kind", "advice"), SDK, ids=[type(row[0]).__name__ for row in SDK]
)
def test_error_of_the_sdk_is_reported_with_its_text_and_advice(
    error: Exception, kind: type[DfnsSignersError], advice: str
) -> None:
    with (
        pytest.raises(kind, match=advice) as caught,
        explained("open the key alias/dfns", provider="AWS", explain=explain),
    ):
        raise error

    assert str(caught.value).startswith(f"cannot open the key alias/dfns: {str(error)[:20]}")
    assert caught.value.__cause__ is error


def test_sign_in_of_the_aws_command_line_that_ended_is_reported_with_the_command() -> None:
    login_error = getattr(botocore.exceptions, "LoginRefreshRequired", None)
    if login_error is None:  # botocore has it since 1.41
        login_error = type("LoginError", (BotoCoreError,), {})

    with (
        pytest.raises(KeyAccessError, match="aws sso login"),
        explained("open the key x", provider="AWS", explain=explain),
    ):
        raise login_error


@pytest.mark.parametrize(
    "code",
    [
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "IncompleteSignatureException",
    ],
)
def test_text_of_aws_that_repeats_the_headers_of_a_request_is_not_shown(
    double: KmsDouble, open_key: Open, code: str
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", refuse(code, f"canonical: x-amz-security-token:{CANARY}", 403))

    with pytest.raises(KeyAccessError, match=f"{code}; the secret access key does not fit") as info:
        key.sign(b"message")

    assert CANARY not in str(info.getrepr(chain=True))
    assert info.value.__cause__ is None


def test_status_429_is_throttling_whatever_the_code(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", answer(b"", 429))

    with pytest.raises(KeyStoreThrottledError, match="Service Quotas"):
        key.sign(b"message")


@pytest.mark.parametrize("wrapped", [OverflowError(CANARY), LocationParseError(CANARY)])
def test_text_of_an_unknown_failure_of_the_http_client_is_not_shown(wrapped: Exception) -> None:
    with (
        pytest.raises(KeyStoreUnavailableError, match=type(wrapped).__name__) as info,
        explained("open the key alias/dfns", provider="AWS", explain=explain),
    ):
        raise HTTPClientError(error=wrapped)

    assert CANARY not in str(info.getrepr(chain=True))


def test_long_text_of_aws_is_cut(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", refuse("ValidationException", "long " * 1000))

    with pytest.raises(SigningKeyError) as caught:
        key.sign(b"message")

    assert len(str(caught.value)) < 1200


def test_gateway_error_without_json_is_the_other_side_failing(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", answer(b"<html>bad gateway</html>", 502, "text/html"))

    with pytest.raises(KeyStoreUnavailableError, match="502"):
        key.sign(b"message")

"""What is sent to AWS KMS, and what of its answers is believed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfns_signers.errors import (
    InvalidSignatureError,
    KeyStoreUnavailableError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_aws_kms.algorithms import KEY_SPECS
from dfns_signers_aws_kms.key import AwsKmsKey
from tests.core.keys import is_signature, stranger
from tests.plugins.aws_kms.kms_double import Fault, KmsDouble, altered, answer
from tests.plugins.aws_kms.kms_keys import ALGORITHMS

Open = Callable[..., AwsKmsKey]

DIGESTED = {
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_SECG_P256K1": "ECDSA_SHA_256",
    "RSA_2048": "RSASSA_PKCS1_V1_5_SHA_256",
}
ED25519 = "ECC_NIST_EDWARDS25519"


@pytest.mark.parametrize(("spec", "signing_algorithm"), DIGESTED.items())
def test_ecdsa_and_rsa_send_the_digest_of_a_message_of_any_length(
    double: KmsDouble, open_key: Open, spec: str, signing_algorithm: str
) -> None:
    key = open_key(double.add(spec))
    message = b"x" * 4097

    signature = key.sign(message)

    sent = double.members("Sign")[-1]
    assert sent == {
        "KeyId": key.reference,
        "Message": base64.b64encode(hashlib.sha256(message).digest()).decode(),
        "MessageType": "DIGEST",
        "SigningAlgorithm": signing_algorithm,
    }
    assert is_signature(key.public_key, message, signature)


def test_ed25519_sends_the_message_itself_and_asks_for_the_plain_signature(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add(ED25519))

    signature = key.sign(b"message")

    assert double.members("Sign")[-1] == {
        "KeyId": key.reference,
        "Message": base64.b64encode(b"message").decode(),
        "MessageType": "RAW",
        "SigningAlgorithm": "ED25519_SHA_512",
    }
    assert is_signature(key.public_key, b"message", signature)


def test_ed25519_signs_a_message_as_long_as_aws_takes_it(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add(ED25519))

    assert is_signature(key.public_key, b"x" * 4096, key.sign(b"x" * 4096))


def test_ed25519_refuses_a_longer_message_before_the_call(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add(ED25519))
    calls = len(double.calls)

    with pytest.raises(SigningKeyError, match=r"at most 4096 bytes .* message has 4097"):
        key.sign(b"x" * 4097)

    assert len(double.calls) == calls


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.binary(max_size=6000))
def test_members_that_depend_on_the_message_are_within_the_limits_of_aws(message: bytes) -> None:
    for spec in KEY_SPECS.values():
        if spec.name == ED25519:
            continue
        assert spec.request("arn", message)["Message"] == hashlib.sha256(message).digest()


def test_every_key_spec_follows_the_key_and_no_default(double: KmsDouble, open_key: Open) -> None:
    for spec in ("ECC_NIST_EDWARDS25519", *DIGESTED):
        assert str(open_key(double.add(spec)).algorithm) == ALGORITHMS[spec]


def test_key_is_asked_for_by_the_name_given_and_then_by_its_arn(
    double: KmsDouble, open_key: Open
) -> None:
    arn = double.add("ECC_NIST_P256", alias="alias/dfns")

    open_key("alias/dfns").sign(b"message")

    assert [members["KeyId"] for _, members in double.calls] == ["alias/dfns", arn, arn]


def test_requests_name_the_program_and_botocore_as_the_aws_configuration_says(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "payments")

    open_key(double.add("ECC_NIST_P256")).sign(b"message")

    names = {request.headers["user-agent"] for request in double.http.requests}
    assert len(names) == 1
    assert re.match(r"Botocore/1\.\d+.* app/payments", names.pop())


NOT_A_SIGNATURE: dict[str, tuple[Fault, str]] = {
    "no Signature": (altered(Signature=None), "has no Signature"),
    "an empty Signature": (altered(Signature=""), "has no Signature"),
    "an empty object": (answer(b"{}"), "has KeyId None"),
    "an empty body": (answer(b""), "has KeyId None"),
    "HTML": (answer(b"<html>proxy</html>", content_type="text/html"), "has KeyId None"),
    "another key": (altered(KeyId="arn:aws:kms:eu-west-1:1:key/other"), "key/other"),
    "another algorithm": (altered(SigningAlgorithm="ECDSA_SHA_384"), "ECDSA_SHA_384"),
    "bytes that are no DER": (altered(Signature="AAAA"), "ASN.1 DER"),
}


@pytest.mark.parametrize("case", NOT_A_SIGNATURE)
def test_answer_200_without_a_signature_by_the_key_is_refused_with_what_is_wrong(
    double: KmsDouble, open_key: Open, case: str
) -> None:
    fault, said = NOT_A_SIGNATURE[case]
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", fault)

    with pytest.raises(InvalidSignatureError) as caught:
        key.sign(b"message")

    assert said in str(caught.value)
    assert key.reference in str(caught.value)
    assert is_signature(key.public_key, b"again", key.sign(b"again"))


def test_signature_by_another_key_is_refused(double: KmsDouble, open_key: Open) -> None:
    arn = double.add("ECC_NIST_P256")
    key = open_key(arn)
    double.keys[arn].private_key = stranger("ES256")

    with pytest.raises(InvalidSignatureError, match="whether the key was replaced"):
        key.sign(b"message")


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b'{"Signature": "A"}', b'{"Signature": 1}'])
def test_answer_that_is_not_shaped_as_that_of_aws_is_an_error_of_ours(
    double: KmsDouble, open_key: Open, body: bytes
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", answer(body))

    with pytest.raises(SigningKeyError) as caught:
        key.sign(b"message")

    assert key.reference in str(caught.value)


def test_public_key_of_another_key_than_the_one_asked_for_is_refused(
    double: KmsDouble, open_key: Open
) -> None:
    asked, other = double.add("ECC_NIST_P256"), double.add("ECC_NIST_P256")
    for name in (asked, asked.rpartition("/")[2]):
        double.fail("GetPublicKey", altered(KeyId=other))
        with pytest.raises(SigningKeyError, match=f"asked for .*{name}.* answered with .*{other}"):
            open_key(name)


def test_public_key_without_the_arn_of_its_key_is_refused(
    double: KmsDouble, open_key: Open
) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns")
    double.fail("GetPublicKey", altered(KeyId="12345678-1111-2222-3333-444444444444"))

    with pytest.raises(SigningKeyError, match="where the ARN of the key was expected"):
        open_key("alias/dfns")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"KeySpec": "ML_DSA_44"}, "key spec ML_DSA_44"),
        ({"KeySpec": None}, "key spec unknown"),
        ({"KeyUsage": None}, "key usage unknown"),
        ({"KeySpec": "ECC_SECG_P256K1"}, "which is for ES256K, and its public key is for ES256"),
        ({"SigningAlgorithms": ["ECDSA_SHA_384"]}, "ECDSA_SHA_256 is needed"),
        ({"SigningAlgorithms": None}, "the signing algorithms none"),
        ({"PublicKey": "AAAA"}, "not a public key"),
        ({"PublicKey": None}, "not a public key"),
    ],
)
def test_description_of_a_key_that_does_not_add_up_is_refused(
    double: KmsDouble, open_key: Open, changes: dict[str, object], said: str
) -> None:
    arn = double.add("ECC_NIST_P256")
    double.fail("GetPublicKey", altered(**changes))

    with pytest.raises(UnsupportedKeyError) as caught:
        open_key(arn)

    assert said in str(caught.value)
    assert arn in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "state", "fault"),
    [
        ("GetPublicKey", "Enabled", altered(PublicKey="A")),
        ("DescribeKey", "Disabled", answer(b"<html>proxy</html>")),
    ],
)
def test_key_whose_description_cannot_be_read_is_not_opened(
    double: KmsDouble, open_key: Open, operation: str, state: str, fault: Fault
) -> None:
    arn = double.add("ECC_NIST_P256", state=state)
    double.fail(operation, fault)

    with pytest.raises(KeyStoreUnavailableError, match="not what AWS sends"):
        open_key(arn)

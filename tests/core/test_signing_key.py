"""What comes back from a key is checked before anybody may use it."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable
from typing import Any, cast

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dfns_signers.encodings import ecdsa_raw_from_der
from dfns_signers.errors import (
    ConfigurationError,
    FingerprintMismatchError,
    InvalidSignatureError,
    KeyStoreUnavailableError,
    UnsupportedKeyError,
)
from dfns_signers.signing_key import KeyResponse, Signature, SigningKey
from tests.core.keys import (
    ALGORITHMS,
    ECDSA,
    AnsweringKey,
    is_signature,
    make_signature,
    private_key,
    public_der,
    public_key,
    stranger,
)

MESSAGE = b'{"type":"key.get","challenge":"Y2g"}'


CHECKED = [
    "sign",
    "asign",
    "sign_with_evidence",
    "asign_with_evidence",
    "require_fingerprint",
    "_respond",
    "_arespond",
    "_checked",
    "_sign_inside",
    "_inside",
    "_refuse_signature",
    "_explain_failure",
]


def sign_with_evidence(key: SigningKey, message: bytes = MESSAGE) -> Signature:
    return key.sign_with_evidence(message)


def asign_with_evidence(key: SigningKey, message: bytes = MESSAGE) -> Signature:
    return anyio.run(key.asign_with_evidence, message)


WAYS = pytest.mark.parametrize("way", [sign_with_evidence, asign_with_evidence])


def signature_of(algorithm: str, message: bytes = MESSAGE) -> bytes:
    return make_signature(private_key(algorithm), message)


WRONG: dict[str, Callable[[str], Any]] = {
    "empty": lambda _: b"",
    "garbage": lambda _: b"\x30\x06\x02garbage",
    "too short": lambda algorithm: signature_of(algorithm)[:-1],
    "too long": lambda algorithm: signature_of(algorithm) + b"\0",
    "by another key": lambda algorithm: make_signature(stranger(algorithm), MESSAGE),
    "over another message": lambda algorithm: signature_of(algorithm, b"another"),
    "over the digest": lambda algorithm: signature_of(algorithm, hashlib.sha256(MESSAGE).digest()),
    "zeros": lambda algorithm: bytes(len(signature_of(algorithm))),
    "none": lambda _: None,
    "text": lambda algorithm: signature_of(algorithm).hex(),
    "bytearray": lambda algorithm: bytearray(signature_of(algorithm)),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_sign_returns_a_signature_by_the_key_over_the_message(algorithm: str) -> None:
    signature = AnsweringKey(algorithm).sign(MESSAGE)

    assert is_signature(public_key(algorithm), MESSAGE, signature)


@pytest.mark.anyio
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_asign_returns_a_signature_by_the_key_over_the_message(algorithm: str) -> None:
    signature = await AnsweringKey(algorithm).asign(MESSAGE)

    assert is_signature(public_key(algorithm), MESSAGE, signature)


@WAYS
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_answer_refused_naming_key_version_and_request(
    way: Callable[[SigningKey], Signature], algorithm: str, wrong: str
) -> None:
    key = AnsweringKey(
        algorithm,
        lambda _: KeyResponse(WRONG[wrong](algorithm), key_version="7", request_id="req-42"),
        reference="vault/transit/dfns",
    )

    with pytest.raises(InvalidSignatureError) as caught:
        way(key)

    message = str(caught.value)
    for part in ("vault/transit/dfns", "version 7", "req-42", algorithm, key.fingerprint):
        assert part in message
    assert "Nothing was sent" in message


@WAYS
@pytest.mark.parametrize("algorithm", ECDSA)
def test_raw_ecdsa_answer_refused_with_a_hint(
    way: Callable[[SigningKey], Signature], algorithm: str
) -> None:
    raw = ecdsa_raw_from_der(signature_of(algorithm))

    with pytest.raises(InvalidSignatureError, match="looks like r‖s"):
        way(AnsweringKey(algorithm, lambda _: KeyResponse(raw)))


def test_wrong_answer_without_version_and_request_leaves_them_out_of_the_message() -> None:
    key = AnsweringKey("Ed25519", lambda _: KeyResponse(bytes(64)))

    with pytest.raises(InvalidSignatureError) as caught:
        key.sign(MESSAGE)

    assert "version" not in str(caught.value)
    assert "request id" not in str(caught.value)
    assert "None" not in str(caught.value)


@WAYS
def test_unverified_key_still_refuses_a_wrong_form(
    way: Callable[[SigningKey], Signature],
) -> None:
    key = AnsweringKey("Ed25519", lambda _: KeyResponse(bytes(63)), verify_signatures=False)

    with pytest.raises(InvalidSignatureError, match="found 63"):
        way(key)


@WAYS
def test_unverified_key_lets_a_right_form_pass_and_says_so_in_the_evidence(
    way: Callable[[SigningKey], Signature],
) -> None:
    key = AnsweringKey("Ed25519", lambda _: KeyResponse(bytes(64)), verify_signatures=False)

    signature = way(key)

    assert signature.value == bytes(64)
    assert signature.evidence.verified is False


@WAYS
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_evidence_tells_how_the_signature_came_about(
    way: Callable[[SigningKey], Signature], algorithm: str
) -> None:
    key = AnsweringKey(
        algorithm,
        lambda message: KeyResponse(
            signature_of(algorithm, message), key_version="3", request_id="req-1", attempts=2
        ),
        reference="arn:aws:kms:key/1",
    )

    evidence = way(key).evidence

    assert evidence.algorithm == algorithm
    assert evidence.key == "arn:aws:kms:key/1"
    assert evidence.key_version == "3"
    digest = hashlib.sha256(public_der(public_key(algorithm))).hexdigest()
    assert evidence.fingerprint == "sha256:" + digest
    assert evidence.request_id == "req-1"
    assert evidence.attempts == 2
    assert evidence.verified is True
    assert math.isfinite(evidence.duration)
    assert evidence.duration > 0


@WAYS
def test_error_of_the_key_store_passes_through_unchanged(
    way: Callable[[SigningKey], Signature],
) -> None:
    failure = KeyStoreUnavailableError("the store is down")

    def fail(_: bytes) -> KeyResponse:
        raise failure

    with pytest.raises(KeyStoreUnavailableError) as caught:
        way(AnsweringKey("Ed25519", fail))
    assert caught.value is failure


@pytest.mark.anyio
async def test_asign_of_a_synchronous_key_runs_off_the_event_loop_thread() -> None:
    threads: list[int] = []

    def answer(message: bytes) -> KeyResponse:
        threads.append(threading.get_ident())
        return KeyResponse(signature_of("Ed25519", message))

    await AnsweringKey("Ed25519", answer).asign(MESSAGE)

    assert len(threads) == 1
    assert threads != [threading.get_ident()]


@pytest.mark.anyio
async def test_asign_of_a_key_that_signs_in_process_takes_no_thread() -> None:
    threads: list[int] = []

    class InProcess(AnsweringKey):
        signs_in_process = True

        def _sign(self, message: bytes) -> KeyResponse:
            threads.append(threading.get_ident())
            return super()._sign(message)

    signature = await InProcess("Ed25519").asign(MESSAGE)

    assert is_signature(public_key("Ed25519"), MESSAGE, signature)
    assert threads == [threading.get_ident()]


@pytest.mark.anyio
async def test_asign_of_a_natively_asynchronous_key_uses_its_own_way_and_checks_it() -> None:
    class Native(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            return KeyResponse(bytes(64))

    key = Native("Ed25519")

    with pytest.raises(InvalidSignatureError):
        await key.asign(MESSAGE)
    assert key.uses == 0


@pytest.mark.parametrize("method", CHECKED)
def test_subclass_that_overrides_a_checked_method_refused(method: str) -> None:
    with pytest.raises(TypeError, match=rf"Sly must not override {method}: .*_sign"):
        type("Sly", (AnsweringKey,), {method: lambda self, message: b""})


@pytest.mark.parametrize("method", CHECKED)
def test_subclass_that_inherits_an_override_from_a_mixin_refused(method: str) -> None:
    mixin = type("Mixin", (), {method: lambda self, message: b""})

    with pytest.raises(TypeError, match=f"Sly must not override {method}"):
        type("Sly", (mixin, AnsweringKey), {})


@pytest.mark.parametrize("name", ["algorithm", "public_key", "fingerprint"])
def test_what_a_signature_is_checked_against_cannot_be_exchanged(name: str) -> None:
    key, other = AnsweringKey("Ed25519"), AnsweringKey("ES256")

    with pytest.raises(AttributeError):
        setattr(key, name, getattr(other, name))
    with pytest.raises(TypeError, match=f"must not override {name}"):
        type("Sly", (AnsweringKey,), {name: property(lambda _: getattr(other, name))})


def test_answer_that_is_no_key_response_refused_naming_the_key() -> None:
    class Careless(SigningKey):
        def _sign(self, message: bytes) -> Any:
            return b"\0" * 64

    key = Careless(public_key("Ed25519"), reference="store/key-1")

    with pytest.raises(InvalidSignatureError, match=r"store/key-1.*expected a KeyResponse"):
        key.sign(b"message")


def test_answer_of_a_class_of_its_own_refused_for_it_may_read_otherwise_the_next_time() -> None:
    class Sly(KeyResponse):
        pass

    key = AnsweringKey("Ed25519", lambda message: Sly(signature_of("Ed25519", message)))

    with pytest.raises(InvalidSignatureError, match="returned Sly, expected a KeyResponse"):
        key.sign(MESSAGE)


def test_subclass_without_sign_cannot_be_made() -> None:
    class Unfinished(SigningKey):
        pass

    with pytest.raises(TypeError, match="_sign"):
        cast(Any, Unfinished)(public_key("Ed25519"), reference="store/key-1")


def test_key_of_an_unsupported_kind_cannot_be_opened() -> None:
    class P384(SigningKey):
        def _sign(self, message: bytes) -> KeyResponse:
            raise AssertionError("never asked")

    with pytest.raises(UnsupportedKeyError, match="secp384r1"):
        P384(ec.generate_private_key(ec.SECP384R1()).public_key(), reference="store/key-1")


def test_pinned_fingerprint_of_the_same_key_accepted() -> None:
    digest = hashlib.sha256(public_der(public_key("ES256"))).hexdigest()

    AnsweringKey("ES256").require_fingerprint(digest.upper())


def test_pinned_fingerprint_of_another_key_refused_naming_both() -> None:
    key = AnsweringKey("ES256", reference="store/key-1")
    other = hashlib.sha256(public_der(stranger("ES256").public_key())).hexdigest()

    with pytest.raises(FingerprintMismatchError) as caught:
        key.require_fingerprint(other)

    for part in ("store/key-1", key.fingerprint, "sha256:" + other):
        assert part in str(caught.value)


@pytest.mark.parametrize("expected", ["sha256:abc", "", None, 5, b"sha256:abc", ["sha256:abc"]])
def test_pinned_fingerprint_that_is_none_refused(expected: Any) -> None:
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        AnsweringKey("ES256").require_fingerprint(expected)

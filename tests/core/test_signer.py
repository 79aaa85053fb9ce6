"""From a challenge to an assertion, with one key for one credential."""

from __future__ import annotations

import base64
import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.assertions import Assertion
from dfns_signers.errors import (
    ChallengeError,
    ConfigurationError,
    CredentialNotAllowedError,
    DfnsSignersError,
    InvalidSignatureError,
    SigningKeyError,
)
from dfns_signers.hooks import SigningRequest, hookimpl
from dfns_signers.signer import KeySigner, Signer, SupportsCallContext
from dfns_signers.signing_key import KeyResponse
from tests.core.keys import ALGORITHMS, AnsweringKey, is_signature, public_key

CREDENTIAL = "Y2ktNzloaHQ"
CHALLENGE: dict[str, Any] = {
    "challenge": "Y2gtNzloaHQ",
    "challengeIdentifier": "eyJ0eXAi",
    "allowCredentials": {"key": [{"type": "public-key", "id": CREDENTIAL}], "webauthn": []},
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.just(CREDENTIAL),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["challenge", "key", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
challenges = json_values | st.fixed_dictionaries(
    {"challenge": st.text(st.characters())}, optional={"allowCredentials": json_values}
)


def sign(signer: KeySigner, challenge: Any) -> Assertion:
    return signer.sign(challenge)


def asign(signer: KeySigner, challenge: Any) -> Assertion:
    return anyio.run(signer.asign, challenge)


Way = Callable[[KeySigner, Any], Assertion]
WAYS = pytest.mark.parametrize("way", [sign, asign])


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@WAYS
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_sign_answers_with_an_assertion_that_verifies(way: Way, algorithm: str) -> None:
    assertion = way(KeySigner(AnsweringKey(algorithm), CREDENTIAL), CHALLENGE)

    inner = assertion["credentialAssertion"]
    assert assertion == {"kind": "Key", "credentialAssertion": inner}
    assert inner.keys() == {"credId", "clientData", "signature"}
    assert inner["credId"] == CREDENTIAL
    assert decode(inner["clientData"]) == b'{"type":"key.get","challenge":"Y2gtNzloaHQ"}'
    assert is_signature(
        public_key(algorithm), decode(inner["clientData"]), decode(inner["signature"])
    )


@WAYS
@pytest.mark.parametrize(
    ("challenge", "error"),
    [
        (None, ChallengeError),
        ({}, ChallengeError),
        ({"challenge": "\ud800"}, ChallengeError),
        ({"challenge": "Y2g", "allowCredentials": 7}, ChallengeError),
        ({"challenge": "Y2g", "user": {}, "pubKeyCredParams": []}, ChallengeError),
        ({"challenge": "Y2g", "allowCredentials": {"key": []}}, CredentialNotAllowedError),
        (
            {"challenge": "Y2g", "allowCredentials": {"key": [{"id": "other"}]}},
            CredentialNotAllowedError,
        ),
    ],
)
def test_refused_challenge_uses_no_key(way: Way, challenge: Any, error: type[Exception]) -> None:
    key = AnsweringKey("Ed25519")

    with pytest.raises(error):
        way(KeySigner(key, CREDENTIAL), challenge)

    assert key.uses == 0


@given(challenge=challenges)
def test_any_json_as_challenge_gives_an_assertion_or_an_error_of_this_package(
    challenge: Any,
) -> None:
    key = AnsweringKey("Ed25519")
    try:
        assertion = KeySigner(key, CREDENTIAL).sign(challenge)
    except DfnsSignersError:
        assert key.uses == 0
        return
    inner = assertion["credentialAssertion"]
    assert is_signature(
        public_key("Ed25519"), decode(inner["clientData"]), decode(inner["signature"])
    )


@WAYS
def test_challenge_is_not_changed(way: Way) -> None:
    challenge = copy.deepcopy(CHALLENGE)

    way(KeySigner(AnsweringKey("Ed25519"), CREDENTIAL), challenge)

    assert challenge == CHALLENGE


@WAYS
def test_wrong_signature_never_becomes_an_assertion(way: Way) -> None:
    key = AnsweringKey("Ed25519", lambda _: KeyResponse(bytes(64)))

    with pytest.raises(InvalidSignatureError):
        way(KeySigner(key, CREDENTIAL), CHALLENGE)


@pytest.mark.parametrize("credential_id", ["", " ", "\n\t"])
def test_empty_credential_id_refused(credential_id: str) -> None:
    with pytest.raises(ConfigurationError, match="credential id is empty"):
        KeySigner(AnsweringKey("Ed25519"), credential_id)


def test_for_call_gives_another_signer_and_leaves_the_first_untouched() -> None:
    seen: list[AnnouncedCall | None] = []

    class Guard:
        @hookimpl
        def before_sign(self, request: SigningRequest) -> None:
            seen.append(request.call)

    signer = KeySigner(AnsweringKey("Ed25519"), CREDENTIAL, plugins=[Guard()])
    call = AnnouncedCall("POST", "/wallets", '{"network":"Bitcoin"}')

    bound = signer.for_call(call)
    bound.sign(CHALLENGE)
    signer.sign(CHALLENGE)

    assert bound is not signer
    assert seen == [call, None]


def test_key_signer_fulfils_the_signer_protocols() -> None:
    signer: Signer = KeySigner(AnsweringKey("Ed25519"), CREDENTIAL)

    assert isinstance(signer, SupportsCallContext)


def test_any_mapping_is_a_challenge() -> None:
    class Answer(Mapping[str, Any]):
        def __getitem__(self, name: str) -> Any:
            return CHALLENGE[name]

        def __iter__(self) -> Any:
            return iter(CHALLENGE)

        def __len__(self) -> int:
            return len(CHALLENGE)

    signer = KeySigner(AnsweringKey("Ed25519"), CREDENTIAL)

    assert signer.sign(Answer()) == signer.sign(CHALLENGE)


def test_with_block_closes_the_key() -> None:
    key = AnsweringKey("Ed25519")

    with KeySigner(key, CREDENTIAL) as signer:
        signer.sign(CHALLENGE)

    assert key.releases == 1
    with pytest.raises(SigningKeyError, match="closed"):
        signer.sign(CHALLENGE)


@pytest.mark.anyio
async def test_async_with_block_closes_the_key() -> None:
    key = AnsweringKey("Ed25519")

    async with KeySigner(key, CREDENTIAL) as signer:
        await signer.asign(CHALLENGE)

    assert key.releases == 1
    with pytest.raises(SigningKeyError, match="closed"):
        await signer.asign(CHALLENGE)


def test_repr_names_credential_and_key() -> None:
    key = AnsweringKey("ES256", reference="store/key-1")

    assert repr(KeySigner(key, CREDENTIAL)) == f"<KeySigner {CREDENTIAL} with {key!r}>"


@pytest.mark.parametrize("take", [pickle.dumps, copy.deepcopy])
def test_pickle_and_deep_copy_refused_with_the_reason(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="it stands for a private key"):
        take(KeySigner(AnsweringKey("Ed25519"), CREDENTIAL))

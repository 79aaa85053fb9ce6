"""What the emulator says of a passkey is what another library says of it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, b64url
from tests.emulator.end_users import Application
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import Authenticator, Json
from tests.emulator.webauthn_judge import accepts_assertion, accepts_registration

# What the emulator checks and the library does not: that the key is on its curve, that credId is
# the id in the attestation, and that certificates are as WebAuthn wants them.
STRICTER = {
    "none": {"publicKey", "attestation.credId"},
    "packed-self": {"publicKey", "attestation.credId"},
    "packed-x5c": {"publicKey", "attestation.credId", "attestation.statement"},
}
NAMES = count()

authenticators = st.builds(
    Authenticator,
    attestation=st.sampled_from(["none", "packed-self", "packed-x5c"]),
    key_kind=st.sampled_from(["p256", "ed25519", "rsa"]),
    origin=st.sampled_from(["http://localhost:8000"] * 4 + ["http://localhost:8001"]),
    rp_id=st.sampled_from(["localhost"] * 4 + ["localhost.example"]),
    flags=st.sampled_from([0x05] * 6 + [0x00, 0x01, 0x04, 0x0D, 0x1D, 0x15, 0x45]),
    counts=st.booleans(),
    encodes_challenge=st.booleans(),
)
Spoil = Callable[[bytes], bytes]


@st.composite
def spoils(draw: st.DrawFn, *, append: bool = True) -> Spoil:
    """Leave bytes alone, or change, cut or lengthen them."""
    kind = draw(st.sampled_from(["keep", "keep", "flip", "cut", *(["append"] if append else [])]))
    place, mask = draw(st.floats(0, 0.999)), draw(st.integers(1, 255))

    def spoil(data: bytes) -> bytes:
        at = int(place * len(data))
        return {
            "keep": data,
            "flip": data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :],
            "cut": data[:at],
            "append": data + bytes([mask]),
        }[kind]

    return spoil


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    key = private_key("ed25519", 98)
    # Any port of the relying party would do: the library takes one origin only.
    with Emulator(origins=["http://localhost:8000"]) as emulator:
        identity = emulator.add_identity(
            "application", service_account=True, credentials={"cr-application": pem(key)}
        )
        with Caller(emulator.url, identity.token, "cr-application", key) as account:
            yield Application(emulator, account)


def respoiled(text: str, spoil: Spoil) -> str:
    return b64url(spoil(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def is_accepted(response: httpx.Response, attestation: str = "none") -> bool | None:
    """None where the emulator refuses what the library does not look at."""
    if response.status_code == 200:
        return True
    assert response.status_code in {400, 401}, response.text
    return None if response.json()["error"]["details"]["check"] in STRICTER[attestation] else False


def begin(application: Application) -> Json:
    social = {"socialLoginProviderKind": "Oidc", "idToken": f"user-{next(NAMES)}"}
    return answered(application.open("/auth/registration/social", **social))


examples = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@examples
@given(
    authenticator=authenticators,
    authenticator_data=spoils(),
    object_=spoils(append=False),  # the library does not look behind the end of CBOR
    client_data=spoils(),
)
def test_registration_is_judged_alike(
    application: Application,
    authenticator: Authenticator,
    authenticator_data: Spoil,
    object_: Spoil,
    client_data: Spoil,
) -> None:
    challenge = begin(application)
    info = authenticator.create(challenge, authenticator_data=authenticator_data)
    info["attestationData"] = respoiled(info["attestationData"], object_)
    info["clientData"] = respoiled(info["clientData"], client_data)

    credential = {"credentialKind": "Fido2", "credentialInfo": info}
    response = application.complete(challenge, firstFactorCredential=credential)
    found = is_accepted(response, authenticator.attestation)

    judged = accepts_registration(challenge["challenge"], info)
    assert found in {judged, None}, (response.text, info)


@examples
@given(
    authenticator=authenticators,
    spoiled=st.fixed_dictionaries(
        {"authenticator_data": spoils(), "signature": spoils(), "client_data": spoils()}
    ),
    last=st.sampled_from([0, 0, 1, 2, 2**31]),
)
def test_assertion_is_judged_alike(
    application: Application, authenticator: Authenticator, spoiled: dict[str, Any], last: int
) -> None:
    honest = Authenticator(key_kind=authenticator.key_kind, counter=last)
    application.authenticator = honest
    challenge = begin(application)
    answered(application.complete(challenge))
    (passkey,) = honest.passkeys.values()
    authenticator.passkeys = honest.passkeys

    login = answered(application.open("/auth/login/init"))
    factor = authenticator.get(login, authenticator_data=spoiled["authenticator_data"])
    assertion = factor["credentialAssertion"]
    assertion["signature"] = respoiled(assertion["signature"], spoiled["signature"])
    assertion["clientData"] = respoiled(assertion["clientData"], spoiled["client_data"])
    body = {"challengeIdentifier": login["challengeIdentifier"], "firstFactor": factor}
    found = is_accepted(application.account.http.post("/auth/login", json=body))

    judged = accepts_assertion(login["challenge"], passkey, last, assertion)
    assert found in {judged, None}, assertion

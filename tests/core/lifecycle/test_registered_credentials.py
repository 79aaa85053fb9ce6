"""A key becomes one more credential of an identity, once."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest

from dfns_signers import DfnsClient, KeySigner
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApprovalRequiredError,
    BadRequestError,
    ConfigurationError,
    CredentialNotAllowedError,
    RegistrationError,
    RequestError,
    SigningKeyError,
)
from tests.core.client.recordings import calls
from tests.core.keys import ALGORITHMS, private_key, private_pem, public_pem, stranger
from tests.core.lifecycle.driving import Lifecycle, first_signer, new_key

POST = ("POST", "/auth/credentials")


def attempts(emulator: Emulator) -> int:
    """How often the API was asked to register a credential."""
    return sum((one.method, one.raw_path) == POST for one in calls(emulator))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_registered_key_signs_calls_of_the_identity(
    do: Lifecycle, emulator: Emulator, algorithm: str
) -> None:
    key = new_key(algorithm)

    made = do("register_credential", key, name="second")

    assert (made.kind, made.name, made.is_new) == ("credential", "second", True)
    assert (made.identity, made.token_file) == (None, None)
    with DfnsClient(
        emulator.auth_token, KeySigner(key, made.credential_id), base_url=emulator.url
    ) as theirs:
        assert cast("Any", theirs.wallets.create(network="Bitcoin"))["id"]
        listed = {one["credentialId"]: one for one in theirs.auth.credentials.list()}
    assert listed[made.credential_id]["credentialUuid"] == made.credential_uuid


def test_credential_id_is_random_unless_it_is_given(do: Lifecycle) -> None:
    random = do("register_credential", new_key("ES256"), name="random")
    chosen = do("register_credential", new_key("ES256K"), name="mine", credential_id="cr-mine")

    assert len(base64.urlsafe_b64decode(random.credential_id + "=")) == 32
    assert chosen.credential_id == "cr-mine"


@pytest.mark.parametrize("given", [None, "cr-mine"])
def test_registered_key_is_found_and_not_registered_again(
    do: Lifecycle, emulator: Emulator, given: str | None
) -> None:
    made = do("register_credential", new_key(), name="second", credential_id="cr-mine")

    again = do("register_credential", new_key(), name="another name", credential_id=given)

    assert again.credential_id == made.credential_id
    assert again.credential_uuid == made.credential_uuid
    assert (again.name, again.is_new) == ("second", False)
    assert attempts(emulator) == 1


def test_key_is_recognised_in_whatever_form_its_pem_is(do: Lifecycle, emulator: Emulator) -> None:
    body = "".join(public_pem(new_key().public_key).decode().splitlines()[1:-1])
    one_line = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----"
    emulator.register(one_line, "cr-one-line")

    found = do("register_credential", new_key(), name="second")

    assert (found.credential_id, found.is_new) == ("cr-one-line", False)


def test_of_two_credentials_of_a_key_that_which_was_asked_for_is_found(
    do: Lifecycle, emulator: Emulator
) -> None:
    for name in ("cr-one", "cr-two"):
        emulator.register(public_pem(new_key().public_key).decode(), name)

    found = do("register_credential", new_key(), name="second", credential_id="cr-two")

    assert found.credential_id == "cr-two"


def test_of_two_credentials_of_a_key_the_active_one_is_found(
    do: Lifecycle, emulator: Emulator
) -> None:
    for name in ("cr-one", "cr-two"):
        emulator.register(public_pem(new_key().public_key).decode(), name)
    emulator.disable_credential("cr-one")

    found = do("register_credential", new_key(), name="second")

    assert found.credential_id == "cr-two"


def test_key_that_is_registered_as_another_credential_is_refused_with_its_id(
    do: Lifecycle, emulator: Emulator
) -> None:
    do("register_credential", new_key(), name="second", credential_id="cr-mine")

    with pytest.raises(RegistrationError, match=r"'cr-mine' \('second'\).*credential_id = 'cr-min"):
        do("register_credential", new_key(), name="second", credential_id="cr-other")

    assert attempts(emulator) == 1


def test_deactivated_credential_of_the_key_is_refused_with_how_to_activate_it(
    do: Lifecycle, emulator: Emulator
) -> None:
    made = do("register_credential", new_key(), name="second")
    emulator.disable_credential(made.credential_id)

    with pytest.raises(RegistrationError, match=f"deactivated: activate.*{made.credential_uuid}"):
        do("register_credential", new_key(), name="second")

    assert attempts(emulator) == 1


def test_credential_id_of_another_key_is_refused_before_anything_is_signed(
    do: Lifecycle, emulator: Emulator
) -> None:
    with pytest.raises(RegistrationError, match=r"'cr-first'.*another key than sha256:.*random"):
        do("register_credential", new_key(), name="second", credential_id="cr-first")

    assert [one.raw_path for one in emulator.requests] == ["/auth/credentials"]


def test_credential_id_of_another_identity_is_the_refusal_of_the_api(
    do: Lifecycle, emulator: Emulator
) -> None:
    emulator.add_identity(
        "other", credentials={"cr-other": public_pem(new_key("ES256K").public_key).decode()}
    )

    with pytest.raises(Exception, match="credId exists"):
        do("register_credential", new_key(), name="second", credential_id="cr-other")


def test_policy_that_wants_approval_is_the_error_and_nothing_has_changed(
    do: Lifecycle, emulator: Emulator, dfns: DfnsClient
) -> None:
    emulator.require_approval(*POST)

    with pytest.raises(ApprovalRequiredError, match="approval before the credential 'second' is"):
        do("register_credential", new_key(), name="second")

    assert len(list(dfns.auth.credentials.list())) == 1


def test_credential_that_may_not_sign_is_the_error(do: Lifecycle) -> None:
    stray = KeySigner(PemKey.from_pem(private_pem(private_key("ES256"))), "cr-unknown")

    with pytest.raises(CredentialNotAllowedError, match="'cr-unknown'; it allows 'cr-first'"):
        do("register_credential", new_key(), name="second", signer=stray)


def test_key_that_cannot_sign_is_the_error_and_nothing_is_registered(
    do: Lifecycle, emulator: Emulator
) -> None:
    key = new_key()
    key.close()

    with pytest.raises(SigningKeyError, match="closed"):
        do("register_credential", key, name="second")

    assert attempts(emulator) == 0


@pytest.mark.parametrize("name", ["", "  "])
def test_name_that_is_empty_is_refused_and_nothing_is_sent(
    do: Lifecycle, emulator: Emulator, name: str
) -> None:
    with pytest.raises(RequestError, match="the credential needs a name"):
        do("register_credential", new_key(), name=name)

    assert emulator.requests == ()


def test_what_is_no_key_is_refused_and_nothing_is_sent(do: Lifecycle, emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match=r"found str.*PemKey\.from_file"):
        do("register_credential", "key.pem", name="second")

    assert emulator.requests == ()


def test_refusal_of_the_api_is_the_error(do: Lifecycle, emulator: Emulator) -> None:
    emulator.fail_next(*POST, status=400)

    with pytest.raises(BadRequestError):
        do("register_credential", new_key(), name="second")


def test_credentials_that_the_list_has_in_odd_forms_are_passed_over(
    do: Lifecycle, emulator: Emulator
) -> None:
    odd: list[Any] = [None, {}, {"publicKey": 5}, {"publicKey": "no key", "credentialId": None}]
    emulator.fail_next("GET", "/auth/credentials", status=200, body={"items": odd})

    assert do("register_credential", new_key(), name="second").is_new


def test_the_first_credential_is_found_too(do: Lifecycle) -> None:
    key = PemKey.from_pem(private_pem(private_key("Ed25519")))

    found = do("register_credential", key, name="second", signer=first_signer())

    assert (found.credential_id, found.is_new) == ("cr-first", False)


def test_another_key_of_the_same_kind_is_registered_beside_the_first(do: Lifecycle) -> None:
    key = PemKey.from_pem(private_pem(stranger("Ed25519")))

    assert do("register_credential", key, name="second").is_new

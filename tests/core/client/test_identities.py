"""Typed calls on service accounts and personal access tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import FULL_ACCESS, Emulator
from dfns_signers.errors import (
    AuthenticationError,
    BadRequestError,
    CredentialNotAllowedError,
    PermissionDeniedError,
)
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import calls
from tests.core.keys import ALGORITHMS, private_key, private_pem, public_key, public_pem


def robot(dfns: Driven, algorithm: str = "ES256", **members: Any) -> Any:
    return dfns.call(
        lambda client: client.auth.service_accounts.create(
            name="robot", public_key=public_pem(public_key(algorithm)).decode(), **members
        )
    )


def signer_of(token: Any, algorithm: str = "ES256") -> KeySigner:
    return KeySigner(PemKey.from_pem(private_pem(private_key(algorithm))), token["credId"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_token_and_key_of_a_new_service_account_make_a_client(
    dfns: Driven, connect: Connector, emulator: Emulator, algorithm: str
) -> None:
    token = robot(dfns, algorithm, permission_id=FULL_ACCESS)["accessTokens"][0]
    theirs = connect(token["accessToken"], signer_of(token, algorithm), base_url=emulator.url)

    wallet = theirs.call(lambda client: client.wallets.create(network="Bitcoin"))

    assert dfns.call(lambda client: client.wallets.get(wallet["id"])) == wallet


def test_service_account_is_created_with_what_is_given_by_its_wire_name(
    dfns: Driven, emulator: Emulator
) -> None:
    permission = dfns.call(
        lambda client: client.post("/permissions", json={"name": "p", "operations": ["Keys:Read"]})
    )

    robot(dfns, permission_id=permission["id"], external_id="r-1", days_valid=30)

    assert json.loads(calls(emulator)[-1].body) == {
        "name": "robot",
        "publicKey": public_pem(public_key("ES256")).decode(),
        "permissionId": permission["id"],
        "externalId": "r-1",
        "daysValid": 30,
    }


def test_service_account_is_listed_and_found_without_its_token(dfns: Driven) -> None:
    made = robot(dfns)
    user_id = made["userInfo"]["userId"]

    found = dfns.call(lambda client: client.auth.service_accounts.get(user_id))
    listed = dfns.walk(lambda client: client.auth.service_accounts.list())

    assert listed == [found]
    assert found["userInfo"]["userId"] == user_id
    assert "accessToken" in made["accessTokens"][0]
    assert "accessToken" not in found["accessTokens"][0]


def test_key_of_another_identity_does_not_sign_for_a_token(
    dfns: Driven, connect: Connector, emulator: Emulator
) -> None:
    token = robot(dfns)["accessTokens"][0]
    mixed = connect(
        token["accessToken"], signer_of({"credId": "cr-first"}, "Ed25519"), base_url=emulator.url
    )

    with pytest.raises(CredentialNotAllowedError, match="does not allow the credential 'cr-first'"):
        mixed.call(lambda client: client.wallets.create(network="Bitcoin"))


def test_personal_access_token_and_its_key_make_a_client(
    dfns: Driven, connect: Connector, emulator: Emulator
) -> None:
    token = dfns.call(
        lambda client: client.auth.personal_access_tokens.create(
            name="laptop",
            public_key=public_pem(public_key("ES256")).decode(),
            permission_id=FULL_ACCESS,
            external_id="p-1",
            days_valid=7,
        )
    )
    assert json.loads(calls(emulator)[-1].body).keys() == {
        "name",
        "publicKey",
        "permissionId",
        "externalId",
        "daysValid",
    }
    theirs = connect(token["accessToken"], signer_of(token), base_url=emulator.url)

    theirs.call(lambda client: client.wallets.create(network="Bitcoin"))
    listed = dfns.walk(lambda client: client.auth.personal_access_tokens.list())

    assert [entry["tokenId"] for entry in listed] == [token["tokenId"]]
    assert "accessToken" not in listed[0]


def test_service_account_may_not_create_personal_access_tokens(
    dfns: Driven, connect: Connector, emulator: Emulator
) -> None:
    token = robot(dfns)["accessTokens"][0]
    theirs = connect(token["accessToken"], signer_of(token), base_url=emulator.url)

    with pytest.raises(PermissionDeniedError, match="session of a user"):
        theirs.call(
            lambda client: client.auth.personal_access_tokens.create(
                name="p", public_key=public_pem(public_key("ES256K")).decode()
            )
        )


def test_deactivated_service_account_is_not_authenticated(
    dfns: Driven, connect: Connector, emulator: Emulator
) -> None:
    made = robot(dfns)
    token = made["accessTokens"][0]
    theirs = connect(token["accessToken"], signer_of(token), base_url=emulator.url)
    dfns.call(
        lambda client: client.put(
            "/auth/service-accounts/{id}/deactivate",
            path_params={"id": made["userInfo"]["userId"]},
        )
    )

    with pytest.raises(AuthenticationError):
        theirs.call(lambda client: client.get("/wallets"))


def test_public_key_that_is_none_is_refused_by_the_api(dfns: Driven) -> None:
    with pytest.raises(BadRequestError, match="publicKey"):
        dfns.call(lambda client: client.auth.service_accounts.create(name="r", public_key="no key"))

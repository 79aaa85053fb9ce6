"""A key becomes the credential of a new service account or personal access token, once."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from dfns_signers import DfnsClient, KeySigner
from dfns_signers.emulator import FULL_ACCESS, Emulator
from dfns_signers.errors import (
    ApprovalRequiredError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
)
from dfns_signers.lifecycle import Registration
from tests.core.client.recordings import calls
from tests.core.keys import ALGORITHMS, public_pem
from tests.core.lifecycle.driving import Lifecycle, new_key
from tests.core.lifecycle.identities import PATHS, function, token_file

__all__ = ["function", "token_file"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_and_token_file_make_a_client(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path, algorithm: str
) -> None:
    key = new_key(algorithm)

    made = do(function, key, name="robot", token_file=token_file, permission_id=FULL_ACCESS)

    assert made.is_new
    with DfnsClient(
        token_file.read_text(encoding="utf-8"),
        KeySigner(key, made.credential_id),
        base_url=emulator.url,
    ) as theirs:
        assert cast("Any", theirs.wallets.create(network="Bitcoin"))["id"]


def test_registration_of_a_service_account_names_it_and_its_credential(
    do: Lifecycle, dfns: DfnsClient, token_file: Path
) -> None:
    made = do("register_service_account", new_key(), name="robot", token_file=token_file)

    (account,) = dfns.auth.service_accounts.list()
    assert made == Registration(
        kind="service-account",
        credential_id=account["accessTokens"][0]["credId"],
        credential_uuid=account["userInfo"]["credentialUuid"],
        name="robot",
        identity=account["userInfo"]["userId"],
        token_file=token_file,
    )


def test_registration_of_a_token_names_it_and_its_credential(
    do: Lifecycle, dfns: DfnsClient, token_file: Path
) -> None:
    made = do("register_token", new_key(), name="laptop", token_file=token_file)

    (token,) = dfns.auth.personal_access_tokens.list()
    assert made == Registration(
        kind="token",
        credential_id=token["credId"],
        credential_uuid=None,
        name="laptop",
        identity=token["tokenId"],
        token_file=token_file,
    )


def test_what_is_given_is_sent(
    do: Lifecycle, emulator: Emulator, dfns: DfnsClient, function: str, token_file: Path
) -> None:
    permission: Any = dfns.post("/permissions", json={"name": "p", "operations": ["Keys:Read"]})

    do(
        function,
        new_key(),
        name="robot",
        token_file=token_file,
        permission_id=permission["id"],
        external_id="r-1",
        days_valid=30,
    )

    (sent,) = [
        json.loads(one.body)
        for one in calls(emulator)
        if (one.method, one.raw_path) == ("POST", PATHS[function])
    ]
    assert sent == {
        "name": "robot",
        "publicKey": public_pem(new_key().public_key).decode(),
        "permissionId": permission["id"],
        "externalId": "r-1",
        "daysValid": 30,
    }


def test_token_file_is_its_owners_alone_and_has_the_token_in_one_line(
    do: Lifecycle, function: str, token_file: Path
) -> None:
    do(function, new_key(), name="robot", token_file=token_file)

    text = token_file.read_text(encoding="utf-8")
    assert text == text.strip() + "\n"
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert token_file.stat().st_size < 4096


def test_relative_token_file_is_named_in_full(
    do: Lifecycle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    made = do("register_service_account", new_key(), name="robot", token_file="token")

    assert made.token_file == tmp_path / "token"


def test_unknown_permission_is_the_refusal_of_the_api(
    do: Lifecycle, function: str, token_file: Path
) -> None:
    with pytest.raises(NotFoundError):
        do(function, new_key(), name="r", token_file=token_file, permission_id="pm-unknown")

    assert not token_file.exists()


def test_approval_that_is_wanted_is_the_error_and_no_file_stays(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    emulator.require_approval("POST", PATHS[function])

    with pytest.raises(ApprovalRequiredError, match="'robot' is registered"):
        do(function, new_key(), name="robot", token_file=token_file)

    assert not token_file.exists()


def test_service_account_may_not_create_a_token_and_the_error_says_who_may(
    do: Lifecycle, emulator: Emulator, token_file: Path
) -> None:
    robot = emulator.add_identity(
        "robot",
        service_account=True,
        credentials={"cr-robot": public_pem(new_key("ES256K").public_key)},
    )

    with pytest.raises(PermissionDeniedError, match=r"Only the login session of a user") as caught:
        do(
            "register_token",
            new_key(),
            signer=KeySigner(new_key("ES256K"), "cr-robot"),
            token=robot.token,
            name="laptop",
            token_file=token_file,
        )

    assert caught.value.status == 403
    assert not token_file.exists()


def test_empty_name_is_refused_and_nothing_is_sent(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    with pytest.raises(RequestError, match="needs a name"):
        do(function, new_key(), name="", token_file=token_file)

    assert emulator.requests == ()


def test_what_is_no_key_is_refused_and_nothing_is_sent(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"found NoneType.*PemKey\.from_file"):
        do(function, None, name="robot", token_file=token_file)

    assert emulator.requests == ()

"""A service account or a token that is registered already: found, explained or replaced."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from dfns_signers import DfnsClient
from dfns_signers.emulator import Emulator
from dfns_signers.encodings import base64url_encode
from dfns_signers.errors import (
    ApprovalRequiredError,
    RegistrationError,
)
from tests.core.keys import public_pem
from tests.core.lifecycle.driving import Lifecycle, new_key
from tests.core.lifecycle.identities import PATHS, creations, function, listed, token_file

__all__ = ["function", "token_file"]


@pytest.fixture
def way() -> str:
    """One, for how a flow is driven makes no difference here."""
    return "blocking"


def test_registered_key_whose_token_is_in_the_file_is_found_and_not_registered_again(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    made = do(function, new_key(), name="robot", token_file=token_file)
    before = token_file.read_bytes()

    again = do(function, new_key(), name="robot", token_file=token_file, external_id="other")

    assert not again.is_new
    assert (again.credential_id, again.identity) == (made.credential_id, made.identity)
    assert token_file.read_bytes() == before
    assert creations(emulator, function) == 1


@pytest.mark.parametrize("blank", [False, True])
def test_registered_key_whose_token_is_lost_is_refused_with_the_way_out(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path, blank: bool
) -> None:
    made = do(function, new_key(), name="robot", token_file=token_file)
    token_file.unlink()
    if blank:
        token_file.write_bytes(b" \n")

    with pytest.raises(RegistrationError, match=f"{made.identity}.*only once.*--replace"):
        do(function, new_key(), name="robot", token_file=token_file)

    assert creations(emulator, function) == 1
    assert token_file.exists() == blank


def test_one_whose_token_is_lost_is_replaced_if_that_is_asked_for(
    do: Lifecycle, dfns: DfnsClient, function: str, token_file: Path
) -> None:
    made = do(function, new_key(), name="robot", token_file=token_file)
    token_file.unlink()

    again = do(function, new_key(), name="robot", token_file=token_file, replace=True)

    assert again.is_new
    assert again.identity != made.identity
    assert len(listed(dfns, function)) == 1
    assert do(function, new_key(), name="robot", token_file=token_file).identity == again.identity


def test_one_whose_token_is_there_is_not_replaced(
    do: Lifecycle, function: str, token_file: Path
) -> None:
    made = do(function, new_key(), name="robot", token_file=token_file)

    again = do(function, new_key(), name="robot", token_file=token_file, replace=True)

    assert (again.identity, again.is_new) == (made.identity, False)


def test_one_of_another_name_is_not_replaced(
    do: Lifecycle, dfns: DfnsClient, function: str, token_file: Path
) -> None:
    made = do(function, new_key(), name="robot", token_file=token_file)

    with pytest.raises(RegistrationError, match=rf"{made.identity} \('robot'\).*'other'"):
        do(
            function,
            new_key(),
            name="other",
            token_file=token_file.with_name("new"),
            replace=True,
        )

    assert len(listed(dfns, function)) == 1


def test_nothing_is_deleted_while_the_token_file_cannot_be_created(
    do: Lifecycle, dfns: DfnsClient, function: str, token_file: Path
) -> None:
    do(function, new_key(), name="robot", token_file=token_file)
    elsewhere = token_file.with_name("missing") / "token"

    with pytest.raises(RegistrationError, match=f"{elsewhere} cannot be created: No such file"):
        do(function, new_key(), name="robot", token_file=elsewhere, replace=True)

    assert len(listed(dfns, function)) == 1


def test_deletion_that_awaits_approval_is_the_error(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    do(function, new_key(), name="robot", token_file=token_file)
    token_file.unlink()
    template = {"register_service_account": "{serviceAccountId}", "register_token": "{tokenId}"}
    emulator.require_approval("DELETE", f"{PATHS[function]}/{template[function]}")

    with pytest.raises(ApprovalRequiredError, match="is deleted"):
        do(function, new_key(), name="robot", token_file=token_file, replace=True)

    assert creations(emulator, function) == 1


def test_deactivated_one_is_refused_with_how_to_activate_it(
    do: Lifecycle, dfns: DfnsClient, function: str, token_file: Path
) -> None:
    made = do(function, new_key(), name="robot", token_file=token_file)
    dfns.put(f"{PATHS[function]}/{made.identity}/deactivate")

    with pytest.raises(RegistrationError, match=f"PUT .*{made.identity}/activate"):
        do(function, new_key(), name="robot", token_file=token_file)


def test_external_id_of_another_key_is_refused_where_the_list_shows_it(
    do: Lifecycle, dfns: DfnsClient, emulator: Emulator, function: str, token_file: Path
) -> None:
    other = token_file.with_name("other")
    made = do(function, new_key("ES256K"), name="one", token_file=other, external_id="r-1")
    (entry,) = listed(dfns, function)
    entry.get("userInfo", entry)["externalId"] = "r-1"  # the declared types do not have it
    emulator.fail_next("GET", PATHS[function], status=200, body={"items": [entry]})

    with pytest.raises(RegistrationError, match=f"'r-1'.*{made.identity}.*another external id"):
        do(function, new_key(), name="two", token_file=token_file, external_id="r-1")

    assert creations(emulator, function) == 1


def test_two_of_the_key_are_not_replaced(do: Lifecycle, dfns: DfnsClient, token_file: Path) -> None:
    for _ in range(2):
        dfns.auth.service_accounts.create(
            name="robot", public_key=public_pem(new_key().public_key).decode()
        )

    with pytest.raises(RegistrationError, match="only a single one"):
        do("register_service_account", new_key(), name="robot", token_file=token_file, replace=True)

    assert len(listed(dfns, "register_service_account")) == 2


@pytest.mark.parametrize(
    ("claims", "is_own"),
    [
        ({}, True),
        ({"tokenKind": "ServiceAccount"}, True),
        ({"tokenKind": "Pat"}, False),
        ({"userId": "us-other"}, False),
        ({"tokenId": "to-other"}, False),
    ],
)
def test_token_in_the_file_is_known_by_the_claims_that_it_has(
    do: Lifecycle, token_file: Path, claims: dict[str, str], is_own: bool
) -> None:
    made = do("register_service_account", new_key(), name="robot", token_file=token_file)
    metadata = {"userId": made.identity, **claims}
    text = json.dumps({"https://custom/app_metadata": metadata}).encode()
    token_file.write_text(f"e30.{base64url_encode(text)}.e30", encoding="utf-8")

    with nullcontext() if is_own else pytest.raises(RegistrationError, match="something else"):
        assert not do(
            "register_service_account", new_key(), name="robot", token_file=token_file
        ).is_new

"""A key becomes the credential of a new service account or personal access token, once."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from dfns_signers import DfnsClient, KeySigner
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApprovalRequiredError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    RegistrationError,
    RequestError,
)
from dfns_signers.lifecycle import Registration
from tests.core.client.recordings import calls
from tests.core.keys import ALGORITHMS, public_pem
from tests.core.lifecycle.driving import Lifecycle, new_key

PATHS = {
    "register_service_account": "/auth/service-accounts",
    "register_token": "/auth/pats",
}


@pytest.fixture(params=PATHS)
def function(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "token"


def creations(emulator: Emulator, function: str) -> int:
    return sum((one.method, one.raw_path) == ("POST", PATHS[function]) for one in calls(emulator))


def listed(dfns: DfnsClient, function: str) -> list[Any]:
    return list(dfns.paginate(PATHS[function]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_and_token_file_make_a_client(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path, algorithm: str
) -> None:
    key = new_key(algorithm)

    made = do(function, key, name="robot", token_file=token_file)

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


# Repeated


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


def test_external_id_of_another_key_is_refused(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    other = token_file.with_name("other")
    made = do(function, new_key("ES256K"), name="one", token_file=other, external_id="r-1")

    with pytest.raises(RegistrationError, match=f"'r-1'.*{made.identity}.*another external id"):
        do(function, new_key(), name="two", token_file=token_file, external_id="r-1")

    assert creations(emulator, function) == 1


# The token file


def test_file_with_something_in_it_is_refused_before_anything_is_created(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    token_file.write_text("mine", encoding="utf-8")

    with pytest.raises(RegistrationError, match=f"{token_file} is there already, and not empty"):
        do(function, new_key(), name="robot", token_file=token_file)

    assert token_file.read_text(encoding="utf-8") == "mine"
    assert creations(emulator, function) == 0


def test_file_with_the_token_of_another_one_is_refused(
    do: Lifecycle, function: str, token_file: Path
) -> None:
    other = token_file.with_name("other")
    do(function, new_key(), name="one", token_file=token_file)
    do(function, new_key("ES256K"), name="two", token_file=other)

    with pytest.raises(RegistrationError, match=f"{other} has something else in it"):
        do(function, new_key(), name="one", token_file=other)


@pytest.mark.parametrize("text", ["no-token", "a.b.c", "e30.e30.e30", "e30.W10.e30", "e30.\xff"])
def test_file_with_something_that_is_no_token_of_dfns_is_refused(
    do: Lifecycle, token_file: Path, text: str
) -> None:
    do("register_service_account", new_key(), name="one", token_file=token_file)
    token_file.write_text(text, encoding="utf-8")

    with pytest.raises(RegistrationError, match="has something else in it"):
        do("register_service_account", new_key(), name="one", token_file=token_file)


@pytest.mark.parametrize("place", ["/dev/null", "."])
def test_what_is_no_regular_file_is_refused_and_left_alone(
    do: Lifecycle, emulator: Emulator, place: str
) -> None:
    with pytest.raises(RegistrationError, match="is not a regular file"):
        do("register_service_account", new_key(), name="robot", token_file=place)

    assert Path(place).exists()
    assert creations(emulator, "register_service_account") == 0


def test_link_is_not_followed(do: Lifecycle, token_file: Path) -> None:
    target = token_file.with_name("target")
    target.touch()
    token_file.symlink_to(target)

    with pytest.raises(RegistrationError, match="is not a regular file"):
        do("register_service_account", new_key(), name="robot", token_file=token_file)

    assert target.read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_disk_that_is_full_is_found_out_before_anything_is_created(
    do: Lifecycle, emulator: Emulator, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda path, flags, *mode: create(
            "/dev/full" if path == token_file else path,
            flags & ~(os.O_CREAT | os.O_EXCL) if path == token_file else flags,
            *mode,
        ),
    )

    with pytest.raises(RegistrationError, match="cannot be created: No space left"):
        do("register_service_account", new_key(), name="robot", token_file=token_file)

    assert creations(emulator, "register_service_account") == 0


def test_file_is_removed_where_the_api_refuses(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    emulator.fail_next("POST", PATHS[function], status=400)

    with pytest.raises(Exception, match="400"):
        do(function, new_key(), name="robot", token_file=token_file)

    assert not token_file.exists()


# Refused


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

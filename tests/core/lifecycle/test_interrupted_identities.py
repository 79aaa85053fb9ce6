"""A service account or a token, interrupted at each step and done again: none is lost unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfns_signers import DfnsClient, DfnsSignersError, KeySigner
from dfns_signers.emulator import FULL_ACCESS, Emulator
from dfns_signers.errors import RegistrationError
from dfns_signers.lifecycle import NewServiceAccount, NewToken
from dfns_signers.lifecycle.registrable import registration
from tests.core.lifecycle.driving import Lifecycle, new_key
from tests.core.lifecycle.identities import PATHS, token_file
from tests.core.lifecycle.killing import killed_after_each_step
from tests.core.lifecycle.spoiling import FAULTS, LOSING_THE_ANSWER, spoiled

__all__ = ["token_file"]

KINDS = {"register_service_account": NewServiceAccount, "register_token": NewToken}
ROBOT: Any = {"name": "robot", "permission_id": FULL_ACCESS}
# Look, announcement, assertion, the call itself.
REQUESTS = 4


def repeated(do: Lifecycle, function: str, token_file: Path) -> Any:
    """Run again, as the error says if it must be."""
    try:
        return do(function, new_key(), **ROBOT, token_file=token_file)
    except RegistrationError:
        return do(function, new_key(), **ROBOT, token_file=token_file, replace=True)


def assert_is_the_only_one_and_works(
    emulator: Emulator, dfns: DfnsClient, function: str, made: Any
) -> None:
    assert len(list(dfns.paginate(PATHS[function]))) == 1
    token = made.token_file.read_text(encoding="utf-8")
    signer = KeySigner(new_key(), made.credential_id)
    with DfnsClient(token, signer, base_url=emulator.url) as theirs:
        theirs.wallets.create(network="Bitcoin")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(REQUESTS))
@pytest.mark.parametrize("function", PATHS)
def test_one_that_meets_a_fault_at_any_request_is_done_again_without_a_second_one(
    emulator: Emulator,
    dfns: DfnsClient,
    token_file: Path,
    function: str,
    number: int,
    fault: str,
) -> None:
    with spoiled(emulator, number, fault) as proxy:
        try:
            Lifecycle("blocking", emulator, proxy.url)(
                function, new_key(), **ROBOT, token_file=token_file
            )
        except DfnsSignersError:
            assert not token_file.exists()
    assert proxy.faults[fault] == 1

    made = repeated(Lifecycle("blocking", emulator, emulator.url), function, token_file)

    assert_is_the_only_one_and_works(emulator, dfns, function, made)


@pytest.mark.parametrize("fault", LOSING_THE_ANSWER)
@pytest.mark.parametrize("function", PATHS)
def test_token_whose_answer_is_lost_is_said_at_once(
    way: str, emulator: Emulator, token_file: Path, function: str, fault: str
) -> None:
    with (
        spoiled(emulator, REQUESTS - 1, fault) as proxy,
        pytest.raises(RegistrationError, match=r"'robot'.*--replace.*The call ended so: "),
    ):
        Lifecycle(way, emulator, proxy.url)(function, new_key(), **ROBOT, token_file=token_file)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(2 * REQUESTS - 1))
def test_replacement_that_meets_a_fault_at_any_request_is_done_again_without_a_second_one(
    emulator: Emulator, dfns: DfnsClient, token_file: Path, number: int, fault: str
) -> None:
    function = "register_service_account"
    do = Lifecycle("blocking", emulator, emulator.url)
    do(function, new_key(), **ROBOT, token_file=token_file)
    token_file.unlink()

    with spoiled(emulator, number, fault) as proxy:
        try:
            Lifecycle("blocking", emulator, proxy.url)(
                function, new_key(), **ROBOT, token_file=token_file, replace=True
            )
        except DfnsSignersError:
            assert not token_file.exists()
    assert proxy.faults[fault] == 1

    assert_is_the_only_one_and_works(emulator, dfns, function, repeated(do, function, token_file))


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("function", PATHS)
def test_one_that_is_killed_after_any_step_is_done_again_without_a_second_one(
    emulator: Emulator, dfns: DfnsClient, tmp_path: Path, function: str, replace: bool
) -> None:
    do = Lifecycle("blocking", emulator, emulator.url)
    for steps in killed_after_each_step(
        lambda: registration(
            dfns,
            KINDS[function](new_key(), **ROBOT, token_file=tmp_path / "token", replace=replace),
        )
    ):
        made = repeated(do, function, tmp_path / "token")

        assert_is_the_only_one_and_works(emulator, dfns, function, made)
        if replace:
            (tmp_path / "token").unlink()
        else:
            dfns.delete(f"{PATHS[function]}/{made.identity}")
            (tmp_path / "token").unlink()
        assert steps < 10


# The token cannot be written after all


def unwritable(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have files of these names be full."""
    real = Path.open

    def opened(path: Path, *arguments: Any, **keywords: Any) -> Any:
        place = Path("/dev/full") if path.name in names and "r+" in str(arguments) else path
        return real(place, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", opened)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("function", PATHS)
def test_token_that_cannot_be_written_is_in_another_file_that_the_error_names(
    way: str,
    emulator: Emulator,
    dfns: DfnsClient,
    token_file: Path,
    function: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    do = Lifecycle(way, emulator, emulator.url)
    with monkeypatch.context() as patch:
        unwritable(patch, "token")
        with pytest.raises(RegistrationError, match=r"It is in .*, which only you can") as caught:
            do(function, new_key(), **ROBOT, token_file=token_file)
    rescued = Path(str(caught.value).partition("It is in ")[2].partition(",")[0])

    made = do(function, new_key(), **ROBOT, token_file=rescued)

    assert not made.is_new
    assert rescued.stat().st_mode & 0o777 == 0o600
    assert not token_file.exists()
    assert_is_the_only_one_and_works(emulator, dfns, function, made)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_token_that_cannot_be_written_anywhere_is_said_to_be_lost(
    way: str, emulator: Emulator, token_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    do = Lifecycle(way, emulator, emulator.url)
    with monkeypatch.context() as patch:
        unwritable(patch, "token")
        patch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with pytest.raises(RegistrationError, match=r"It is lost.*--replace"):
            do("register_service_account", new_key(), **ROBOT, token_file=token_file)

    assert do(
        "register_service_account", new_key(), **ROBOT, token_file=token_file, replace=True
    ).is_new


@pytest.mark.parametrize(
    "spoil",
    [
        {"accessTokens": []},
        {"accessTokens": None},
        {"accessTokens": [{"accessToken": "eyJhbGciOiJub25l.eyJzdWIiOiJvci0x.e30", "credId": 5}]},
        {"userInfo": None, "accessTokens": [{"accessToken": "eyJhbGciOiJub25l.eyJzdWIiOiI.e30"}]},
        [],
    ],
)
def test_answer_that_is_odd_is_the_error_and_shows_no_token(
    way: str, emulator: Emulator, token_file: Path, spoil: Any
) -> None:
    emulator.fail_next("POST", "/auth/service-accounts", status=200, body=spoil)

    with pytest.raises(DfnsSignersError, match="/auth/service-accounts"):
        Lifecycle(way, emulator, emulator.url)(
            "register_service_account", new_key(), **ROBOT, token_file=token_file
        )

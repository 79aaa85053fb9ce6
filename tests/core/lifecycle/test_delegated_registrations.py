"""A registration that somebody else signs: announced, sent away as JSON, completed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import DelegatedDfnsClient, DfnsClient, PendingAction, SigningKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import BadRequestError, RegistrationError, RequestError
from dfns_signers.lifecycle import NewCredential, NewServiceAccount, NewToken
from tests.core.client.recordings import calls
from tests.core.keys import ALGORITHMS
from tests.core.lifecycle.driving import Lifecycle, first_signer, new_key
from tests.core.lifecycle.spoiling import spoiled

What = Callable[[SigningKey], Any]


@pytest.fixture(params=["credential", "service-account", "token"])
def what(request: pytest.FixtureRequest, tmp_path: Path) -> What:
    token_file = tmp_path / "token"
    return {
        "credential": lambda key: NewCredential(key, name="second"),
        "service-account": lambda key: NewServiceAccount(key, name="r", token_file=token_file),
        "token": lambda key: NewToken(key, name="laptop", token_file=token_file),
    }[request.param]


def announced(do: Lifecycle, what: Any) -> PendingAction:
    pending = do.delegated("announce_registration", what)
    assert isinstance(pending, PendingAction)
    return PendingAction.from_json(pending.to_json())


def completed(do: Lifecycle, what: Any, pending: PendingAction) -> Any:
    assertion = first_signer().sign(pending.challenge)
    return do.delegated("complete_registration", what, pending, assertion)


def creations(emulator: Emulator, what: Any) -> int:
    return sum((one.method, one.raw_path) == ("POST", what.path) for one in calls(emulator))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_registration_is_completed_with_what_somebody_else_signed(
    do: Lifecycle, what: What, algorithm: str
) -> None:
    key = new_key(algorithm)
    pending = announced(do, what(key))

    made = completed(do, what(key), pending)

    assert made.is_new
    found = do.delegated("announce_registration", what(key))
    assert replace(found, is_new=True) == made
    assert not found.is_new


def test_announcement_creates_nothing_and_no_file(
    do: Lifecycle, emulator: Emulator, what: What, tmp_path: Path
) -> None:
    announced(do, what(new_key()))

    assert creations(emulator, what(new_key())) == 0
    assert not (tmp_path / "token").exists()


def test_completion_that_is_repeated_finds_what_is_registered(
    do: Lifecycle, emulator: Emulator, what: What
) -> None:
    pending = announced(do, what(new_key()))
    made = completed(do, what(new_key()), pending)

    again = completed(do, what(new_key()), pending)

    assert (again.credential_id, again.is_new) == (made.credential_id, False)
    assert creations(emulator, what(new_key())) == 1


def test_credential_whose_answer_is_lost_is_found_at_once(way: str, emulator: Emulator) -> None:
    new = NewCredential(new_key(), name="second")
    pending = announced(Lifecycle(way, emulator, emulator.url), new)

    with spoiled(emulator, 2, "cut_after_effect") as proxy:  # look, assertion, the call itself
        made = completed(Lifecycle(way, emulator, proxy.url), new, pending)

    assert made.is_new
    assert creations(emulator, new) == 1


def test_assertion_of_another_challenge_is_refused_and_nothing_is_left(
    do: Lifecycle, emulator: Emulator, what: What, tmp_path: Path
) -> None:
    other, pending = (announced(do, what(new_key())) for _ in range(2))

    with pytest.raises(BadRequestError, match="challenge"):
        completed(
            do,
            what(new_key()),
            replace(
                pending, challenge={**pending.challenge, "challenge": other.challenge["challenge"]}
            ),
        )

    assert creations(emulator, what(new_key())) == 0
    assert not (tmp_path / "token").exists()


def test_pending_action_of_another_key_is_refused_and_nothing_is_sent(
    do: Lifecycle, emulator: Emulator, what: What
) -> None:
    pending = announced(do, what(new_key("ES256K")))
    before = len(emulator.requests)

    with pytest.raises(RequestError, match="another key than sha256:"):
        completed(do, what(new_key("ES256")), pending)

    assert len(emulator.requests) == before


@pytest.mark.parametrize(
    "payload", ["", "{}", "[]", "null", '{"publicKey": 1}', '{"credentialInfo']
)
def test_pending_action_with_no_key_in_it_is_refused(
    do: Lifecycle, what: What, payload: str
) -> None:
    pending = announced(do, what(new_key()))

    with pytest.raises(RequestError, match="another key than sha256:"):
        completed(do, what(new_key()), replace(pending, payload=payload))


def test_pending_action_of_something_else_is_refused_and_nothing_is_sent(
    do: Lifecycle, emulator: Emulator, what: What
) -> None:
    with DelegatedDfnsClient(emulator.auth_token, base_url=emulator.url) as delegated:
        wallet = delegated.wallets.create(network="Bitcoin")
    before = len(emulator.requests)

    with pytest.raises(RequestError, match="POST /wallets, and not the registration of a"):
        completed(do, what(new_key()), wallet)

    assert len(emulator.requests) == before


@pytest.mark.parametrize("pending", [None, "{}", {}])
def test_what_is_no_pending_action_is_refused(do: Lifecycle, what: What, pending: Any) -> None:
    with pytest.raises(RequestError, match=r"PendingAction\.from_json"):
        do.delegated("complete_registration", what(new_key()), pending, {})


def test_nothing_is_replaced_for_somebody_else_to_sign(
    do: Lifecycle, emulator: Emulator, dfns: DfnsClient, tmp_path: Path
) -> None:
    do("register_service_account", new_key(), name="r", token_file=tmp_path / "token")
    new = NewServiceAccount(new_key(), name="r", token_file=tmp_path / "new", replace=True)

    with pytest.raises(RegistrationError, match="only once"):
        do.delegated("announce_registration", new)

    assert len(list(dfns.auth.service_accounts.list())) == 1

"""A test puts there what no operation of the API makes."""

from __future__ import annotations

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller, answered


@pytest.fixture
def offers(caller: Caller) -> str:
    """The path of the offers of a wallet."""
    return f"/wallets/{caller.create('/wallets', {'network': 'Canton'})['id']}/offers"


@pytest.mark.parametrize(("verb", "status"), [("accept", "Accepted"), ("reject", "Rejected")])
def test_offer_that_was_added_is_answered(
    emulator: Emulator, caller: Caller, offers: str, verb: str, status: str
) -> None:
    added = emulator.entities.add(offers, kind="Cip56", value="7")

    read = answered(caller.get(f"{offers}/{added['id']}"))
    answered(caller.call("PUT", f"{offers}/{added['id']}/{verb}"))

    assert (read["kind"], read["value"], read["status"]) == ("Cip56", "7", "Pending")
    assert (read["network"], read["orgId"]) == ("Canton", emulator.org_id)
    assert answered(caller.get(offers)) == {"items": [{**read, "status": status}]}


def test_quarantine_that_was_added_is_released(emulator: Emulator, caller: Caller) -> None:
    vault = f"/vaults/{caller.create('/vaults', {'name': 'a'})['id']}"
    added = emulator.entities.add(f"{vault}/quarantines", transactionHash="0x1")

    released = caller.create(f"{vault}/quarantines/{added['id']}/release", {})

    assert released == {**added, "status": "Released"}


def test_path_that_lists_nothing_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="/networks/fees"):
        emulator.entities.add("/networks/fees")


def test_unknown_parent_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match='Wallet "wa-1" not found'):
        emulator.entities.add("/wallets/wa-1/offers")


def test_misspelt_member_is_refused_with_the_right_one(emulator: Emulator, offers: str) -> None:
    with pytest.raises(ConfigurationError, match=r"member statu .*'status'"):
        emulator.entities.add(offers, statu="Pending")


def test_wrong_value_is_refused(emulator: Emulator, offers: str) -> None:
    with pytest.raises(ConfigurationError, match=r'status must be .*, and is "Open"'):
        emulator.entities.add(offers, status="Open")


@pytest.mark.parametrize("path", ["/wallets", "/webhooks"])
def test_entity_that_calls_make_is_not_added(emulator: Emulator, path: str) -> None:
    with pytest.raises(ConfigurationError, match=f"what is at {path} is made by calls"):
        emulator.entities.add(path)

"""A transaction takes the place of a transfer, or of another transaction."""

from __future__ import annotations

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.broadcasts import Requests, requests_of
from tests.emulator.caller import Caller, answered, refused


@pytest.mark.parametrize(
    ("how", "kind"), [("cancel", "CancelTransaction"), ("speed-up", "SpeedUpTransaction")]
)
def test_replacement_is_a_transaction_of_the_same_wallet(
    manual: Requests, how: str, kind: str
) -> None:
    identifier = manual.new("Broadcasted")
    tx_hash = manual.read(identifier)["txHash"]

    replacement = answered(manual.replace(identifier, how))

    assert (replacement["requestBody"]["kind"], replacement["status"]) == (kind, "Pending")
    assert replacement["requestBody"]["txHash"] == tx_hash
    assert manual.read(identifier)["replacementId"] == replacement["id"]
    wallet = manual.path.rpartition("/")[0]
    found = answered(manual.caller.get(f"{wallet}/transactions/{replacement['id']}"))
    assert found == replacement


def test_cancelled_request_fails_when_its_replacement_is_confirmed(manual: Requests) -> None:
    identifier = manual.new("Broadcasted")
    replacement = answered(manual.replace(identifier, "cancel"))

    manual.emulator.progress.finish(replacement["id"])

    cancelled = manual.read(identifier)
    assert cancelled["status"] == "Failed"
    assert cancelled["reason"] == f"cancelled by transaction {replacement['id']}"


def test_request_that_is_sped_up_is_confirmed_with_its_replacement(manual: Requests) -> None:
    identifier = manual.new("Broadcasted")
    replacement = answered(manual.replace(identifier, "speed-up"))

    manual.emulator.progress.finish(replacement["id"])

    confirmed = manual.read(identifier)
    wallet = manual.path.rpartition("/")[0]
    found = answered(manual.caller.get(f"{wallet}/transactions/{replacement['id']}"))
    assert (confirmed["status"], found["status"]) == ("Confirmed", "Confirmed")
    assert confirmed["txHash"] == found["txHash"]


def test_poll_of_what_was_replaced_ends(moving: Requests) -> None:
    identifier = moving.new("Broadcasted")
    answered(moving.replace(identifier, "cancel"))

    statuses = [moving.read(identifier)["status"] for _ in range(3)]

    assert statuses == ["Broadcasted", "Broadcasted", "Failed"]


def test_request_goes_on_when_its_replacement_fails(manual: Requests) -> None:
    identifier = manual.new("Broadcasted")
    replacement = answered(manual.replace(identifier, "cancel"))

    manual.emulator.progress.fail(replacement["id"])
    manual.emulator.progress.step(identifier)

    assert manual.read(identifier)["status"] == "Confirmed"


def test_failed_request_stays_so_when_its_replacement_is_confirmed(manual: Requests) -> None:
    identifier = manual.new("Broadcasted")
    replacement = answered(manual.replace(identifier, "speed-up"))

    manual.emulator.progress.fail(identifier, "out of gas")
    manual.emulator.progress.finish(replacement["id"])

    found = manual.read(identifier)
    assert (found["status"], found["reason"]) == ("Failed", "out of gas")


def test_nonce_of_what_failed_before_it_was_broadcast_can_be_cancelled(manual: Requests) -> None:
    identifier = manual.new("Executing")
    manual.emulator.progress.fail(identifier)

    replacement = answered(manual.replace(identifier, "cancel"))

    assert "txHash" not in replacement["requestBody"]
    refused(manual.replace(identifier, "speed-up"), 400, "status", "must be Broadcasted")
    manual.emulator.progress.finish(replacement["id"])
    assert manual.read(identifier)["status"] == "Failed"
    with pytest.raises(ConfigurationError, match="no status to move to"):
        manual.emulator.progress.fail(identifier)


@pytest.mark.parametrize("how", ["cancel", "speed-up"])
@pytest.mark.parametrize("status", ["Pending", "Executing", "Confirmed"])
def test_only_what_is_broadcasted_can_be_replaced(manual: Requests, status: str, how: str) -> None:
    identifier = manual.new(status)

    refused(manual.replace(identifier, how), 400, "status", "Broadcasted to be")
    assert "replacementId" not in manual.read(identifier)


def test_what_has_a_replacement_gets_no_other(manual: Requests) -> None:
    identifier = manual.new("Broadcasted")
    answered(manual.replace(identifier, "cancel"))

    refused(manual.replace(identifier, "speed-up"), 400, "status", "has a replacement, or is one")


@pytest.mark.parametrize("how", ["cancel", "speed-up"])
def test_replacement_is_not_replaced(manual: Requests, how: str) -> None:
    replacement = answered(manual.replace(manual.new("Broadcasted"), how))["id"]
    manual.emulator.progress.step(replacement)
    manual.emulator.progress.step(replacement)
    wallet = manual.path.rpartition("/")[0]

    response = manual.caller.call("POST", f"{wallet}/transactions/{replacement}/cancel")

    refused(response, 400, "status", "has a replacement, or is one")


@pytest.mark.parametrize("how", ["cancel", "speed-up"])
def test_replacements_are_for_networks_of_the_evm(
    emulator: Emulator, caller: Caller, how: str
) -> None:
    solana = requests_of(emulator, caller, "transfers", "Solana")
    identifier = caller.create(solana.path, {**solana.body, "to": "1" * 32})["id"]

    refused(solana.replace(identifier, how), 400, "network", "speed-up are for networks of the EVM")

"""Transfers and transactions go from Pending to Confirmed, at reads or when a test says so."""

from __future__ import annotations

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.broadcasts import Requests
from tests.emulator.caller import answered, refused


def test_each_read_shows_the_next_status_until_it_is_confirmed(moving: Requests) -> None:
    identifier = moving.new()

    statuses = [moving.read(identifier)["status"] for _ in range(5)]

    assert statuses == ["Executing", "Broadcasted", "Confirmed", "Confirmed", "Confirmed"]


def test_lists_leave_statuses_as_they_are(moving: Requests) -> None:
    identifier = moving.new()

    assert [moving.shown(identifier)["status"] for _ in range(3)] == ["Pending"] * 3


def test_reads_leave_manual_statuses_as_they_are(manual: Requests) -> None:
    identifier = manual.new()

    assert [manual.read(identifier)["status"] for _ in range(3)] == ["Pending"] * 3


def test_hash_and_dates_come_with_the_statuses(manual: Requests) -> None:
    progress, identifier = manual.emulator.progress, manual.new("Executing")

    before = manual.read(identifier)
    progress.step(identifier)
    broadcasted = manual.read(identifier)
    progress.step(identifier)
    confirmed = manual.read(identifier)

    assert before.keys().isdisjoint({"txHash", "dateBroadcasted", "dateConfirmed", "fee"})
    assert broadcasted["txHash"].startswith("0x")
    assert len(bytes.fromhex(broadcasted["txHash"][2:])) == 32
    assert broadcasted.keys() - before.keys() == {"txHash", "dateBroadcasted"}
    assert confirmed.keys() - broadcasted.keys() == {"fee", "dateConfirmed"}
    assert int(confirmed["fee"]) > 0


def test_finish_goes_to_the_last_status(manual: Requests) -> None:
    identifier = manual.new()

    manual.emulator.progress.finish(identifier)

    assert manual.read(identifier)["status"] == "Confirmed"


@pytest.mark.parametrize("status", ["Pending", "Executing", "Broadcasted"])
def test_fail_ends_with_the_reason(manual: Requests, status: str) -> None:
    identifier = manual.new(status)

    manual.emulator.progress.fail(identifier, "out of gas")

    failed = manual.read(identifier)
    assert (failed["status"], failed["reason"]) == ("Failed", "out of gas")


@pytest.mark.parametrize("move", ["step", "finish", "fail"])
def test_final_status_cannot_be_moved(manual: Requests, move: str) -> None:
    identifier = manual.new("Confirmed")

    with pytest.raises(ConfigurationError, match=f"{identifier} has no status to move to"):
        getattr(manual.emulator.progress, move)(identifier)


def test_unknown_id_cannot_be_moved(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="xfr-1 has no status to move to"):
        emulator.progress.step("xfr-1")


def test_progress_is_by_reads_or_manual() -> None:
    with pytest.raises(ConfigurationError, match='progress must be "reads" or "manual"'):
        Emulator(progress="time")  # type: ignore[arg-type]


def test_same_request_with_an_external_id_answers_with_the_status_that_is_reached(
    manual: Requests,
) -> None:
    confirmed = manual.new("Confirmed", externalId="e-1")

    again = manual.caller.create(manual.path, {**manual.body, "externalId": "e-1"})

    assert (again["id"], again["status"]) == (confirmed, "Confirmed")


@pytest.mark.parametrize("final", ["Confirmed", "Failed"])
def test_external_id_stays_bound_when_the_status_is_final(manual: Requests, final: str) -> None:
    identifier = manual.new("Broadcasted", externalId="e-1")
    if final == "Failed":
        manual.emulator.progress.fail(identifier)
    else:
        manual.emulator.progress.step(identifier)

    response = manual.caller.call(
        "POST", manual.path, {**manual.body, "to": "0x" + "cd" * 20, "externalId": "e-1"}
    )

    assert refused(response, 409, "externalId")["details"]["duplicate"]["id"] == identifier


@pytest.mark.parametrize("status", ["Pending", "Executing"])
def test_abort_ends_what_is_not_signed(manual: Requests, status: str) -> None:
    identifier = manual.new(status)

    aborted = answered(manual.abort(identifier))

    assert (aborted["status"], aborted["reason"]) == ("Failed", "aborted")
    assert manual.read(identifier) == aborted
    with pytest.raises(ConfigurationError, match="no status to move to"):
        manual.emulator.progress.step(identifier)


@pytest.mark.parametrize("status", ["Broadcasted", "Confirmed"])
def test_abort_of_what_is_signed_is_refused(manual: Requests, status: str) -> None:
    identifier = manual.new(status)

    words = f"{identifier} must be Pending or Executing to be aborted, and is {status}"

    refused(manual.abort(identifier), 400, "status", words)
    assert manual.read(identifier)["status"] == status


@pytest.mark.parametrize("how", ["abort", "cancel", "speed-up"])
def test_unknown_request_is_not_found(manual: Requests, how: str) -> None:
    method = "PUT" if how == "abort" else "POST"

    refused(manual.caller.call(method, f"{manual.path}/x-1/{how}"), 404, "entity", "x-1")


def test_request_of_another_wallet_is_not_found(manual: Requests) -> None:
    other = manual.caller.create("/wallets", {"network": "Base"})["id"]
    path = f"/wallets/{other}/{manual.path.rpartition('/')[2]}/{manual.new()}"

    refused(manual.caller.get(path), 404, "entity")
    refused(manual.caller.call("PUT", f"{path}/abort"), 404, "entity")

"""What transfers, transactions and deposits publish, as webhooks name it."""

from __future__ import annotations

from typing import Any

from tests.emulator.broadcasts import Requests
from tests.emulator.caller import answered
from tests.emulator.holdings import Holdings

MEMBERS = {"transfers": "transferRequest", "transactions": "transactionRequest"}


def of(events: list[tuple[str, dict[str, Any]]], noun: str) -> list[tuple[str, str]]:
    """The last word of each event, and the status that it shows."""
    prefix = f"wallet.{noun[:-1]}."
    return [
        (kind.removeprefix(prefix), data[MEMBERS[noun]]["status"])
        for kind, data in events
        if kind.startswith(prefix)
    ]


def test_statuses_are_published_as_they_are_reached(
    manual: Requests, noun: str, events: list[tuple[str, dict[str, Any]]]
) -> None:
    manual.new("Confirmed")

    assert of(events, noun) == [
        ("requested", "Pending"),
        ("broadcasted", "Broadcasted"),
        ("confirmed", "Confirmed"),
    ]


def test_failure_is_published(
    manual: Requests, noun: str, events: list[tuple[str, dict[str, Any]]]
) -> None:
    manual.emulator.progress.fail(manual.new())

    assert of(events, noun)[-1] == ("failed", "Failed")


def test_replacement_is_published_as_a_transaction(
    manual: Requests, events: list[tuple[str, dict[str, Any]]]
) -> None:
    identifier = manual.new("Broadcasted")
    events.clear()

    answered(manual.replace(identifier, "cancel"))

    assert of(events, "transactions") == [("requested", "Pending")]


def test_what_comes_in_is_published(
    manual: Requests, events: list[tuple[str, dict[str, Any]]]
) -> None:
    holdings = Holdings(manual.emulator, manual.caller)
    sender, receiver = holdings.wallet(), holdings.wallet()

    manual.emulator.funds.deposit(sender["id"], 10**18)
    holdings.transfer(sender, to=receiver["address"], amount="5")

    detected = [
        (data["blockchainEvent"]["walletId"], data["blockchainEvent"]["value"])
        for kind, data in events
        if kind == "wallet.blockchainevent.detected"
    ]
    assert detected == [(sender["id"], str(10**18)), (receiver["id"], "5")]

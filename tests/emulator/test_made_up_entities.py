"""What is made up of entities that are only kept, as the page of differences says."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.kept.values import NOTHING, Values
from dfns_signers.operations import Schema
from tests.emulator.caller import Caller, answered
from tests.emulator.conftest import Clock
from tests.emulator.kept_bodies import kept, quote
from tests.emulator.uploads import data_of, upload

DATE = "2026-01-01T00:00:00.000Z"
STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("dateCreated", STRING, DATE),
        ("network", STRING, "Base"),
        ("requester", {"type": "object"}, {"userId": "us-1"}),
        ("amount", STRING, "0"),
        ("state", {"enum": ["First", "Second"]}, "First"),
        ("text", STRING, ""),
        ("many", {"type": "array", "items": STRING}, []),
        ("one", {"type": "object"}, {}),
    ],
)
def test_required_member_that_was_not_given_is_made_up(
    name: str, schema: Schema, expected: Any
) -> None:
    known = {"network": "Base", "requester": {"userId": "us-1"}}
    shape = {"type": "object", "properties": {name: schema, "other": STRING}, "required": [name]}

    assert Values(known, DATE).fitting(shape, NOTHING) == {name: expected}
    given = Values(known, DATE).fitting(shape, {"other": "given"})
    assert given == {name: expected, "other": "given"}


def test_entity_of_no_declared_shape_is_what_was_given(caller: Caller, clock: Clock) -> None:
    made = caller.create("/address-watches", {"any": ["member"]})

    assert made.pop("id")
    assert made == {"any": ["member"], "dateCreated": "2027-01-15T08:00:00.000Z"}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/fee-sponsors", "Active"), ("/payouts", "Processing"), ("/swaps", "InProgress")],
)
def test_status_of_a_new_entity_is_the_first_that_its_shape_lists(
    caller: Caller, path: str, status: str
) -> None:
    wallet = caller.create("/wallets", {"network": "Ethereum"})["id"]

    assert caller.create(path, kept(wallet)[path])["status"] == status


@pytest.mark.parametrize("path", ["/auth/apps", "/tenant/permissions"])
def test_what_no_operation_makes_is_there_when_a_test_has_added_it(
    emulator: Emulator, caller: Caller, path: str
) -> None:
    before = answered(caller.get(path))["items"]

    emulator.entities.add(path, name="added")

    assert before == []
    assert [item["name"] for item in answered(caller.get(path))["items"]] == ["added"]


def test_quote_has_no_price(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Ethereum"})["id"]

    made = caller.create("/swaps/quotes", quote(wallet))

    assert made["targetAsset"]["amount"] == "0"


def test_logs_of_user_actions_have_a_column_for_each_fact(caller: Caller, clock: Clock) -> None:
    caller.user_action("POST", "/wallets")

    text = caller.get("/auth/action/logs?startTime=2000-01-01&endTime=2100-01-01").text

    head, row = text.splitlines()
    assert head == "id,action,userId,username,datePerformed"
    assert row.endswith(",2027-01-15T08:00:00.000Z")


def test_archive_for_a_key_store_is_an_empty_string(caller: Caller) -> None:
    (store,) = answered(caller.get("/key-stores"))["items"]

    response = caller.call("POST", f"/key-stores/{store['id']}/onchain-sign/input", {})

    assert (response.status_code, response.json()) == (200, "")


def test_upload_to_a_key_store_changes_nothing(caller: Caller) -> None:
    before = answered(caller.get("/key-stores"))

    answered(upload(caller, data_of(b"x"), b"x"))

    assert answered(caller.get("/key-stores")) == before

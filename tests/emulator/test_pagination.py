from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import pem, private_key

KEY = {"scheme": "EdDSA", "curve": "ed25519"}


@pytest.fixture
def ids(caller: Caller) -> list[str]:
    """Ids of five keys, oldest first."""
    return [caller.create("/keys", KEY)["id"] for _ in range(5)]


def pages(caller: Caller, limit: int) -> Iterator[list[str]]:
    token = ""
    while True:
        page = answered(caller.get(f"/keys?limit={limit}{token}"))
        yield [item["id"] for item in page["items"]]
        if "nextPageToken" not in page:
            return
        token = f"&paginationToken={page['nextPageToken']}"


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (500, [5])])
def test_pages_hold_every_entity_once_in_order(
    caller: Caller, ids: list[str], limit: int, sizes: list[int]
) -> None:
    found = list(pages(caller, limit))

    assert [len(page) for page in found] == sizes
    assert [identifier for page in found for identifier in page] == ids


def test_pages_skip_nothing_when_what_was_listed_is_deleted(caller: Caller, ids: list[str]) -> None:
    seen = []
    for page in pages(caller, 2):
        seen += page
        for identifier in page:
            answered(caller.call("DELETE", f"/keys/{identifier}"))

    assert seen == ids


def test_page_without_a_limit_has_the_size_that_was_set(clock: Clock) -> None:
    key = private_key("ed25519")
    with (
        Emulator(page_size=2, credentials={"cr-1": pem(key)}, clock=clock) as emulator,
        Caller(emulator.url, emulator.auth_token, "cr-1", key) as caller,
    ):
        for _ in range(3):
            caller.create("/keys", KEY)

        page = answered(caller.get("/keys"))

    assert len(page["items"]) == 2
    assert page["nextPageToken"]


def test_page_without_a_limit_has_fifty_entities(caller: Caller) -> None:
    for _ in range(51):
        caller.create("/keys", {"scheme": "DH", "curve": "ed25519"})

    assert len(answered(caller.get("/keys"))["items"]) == 50


@pytest.mark.parametrize("limit", ["0", "501", "999999999"])
def test_limit_out_of_bounds_is_refused(caller: Caller, limit: str) -> None:
    error = refused(caller.get(f"/keys?limit={limit}"), 400, "query.limit", "1 to 500")
    assert error["details"]["field"] == "query.limit"


@pytest.mark.parametrize("limit", ["", "-1", "1.5", "ten", "1" * 10, "%D9%A1"])
def test_limit_that_is_no_number_is_refused(caller: Caller, limit: str) -> None:
    error = refused(caller.get(f"/keys?limit={limit}"), 400, "field.value")
    assert error["details"]["field"] == "query.limit"


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "value",
    [
        "nonsense!",
        token("Key"),
        token("Key:"),
        token("Key:one"),
        token("Key:0"),
        token("Key:-1"),
        token("Key:6"),
        token("Wallet:1"),
        token("Key:" + "9" * 5000),
        "_w",
    ],
)
def test_token_of_no_page_is_refused(caller: Caller, ids: list[str], value: str) -> None:
    error = refused(caller.get(f"/keys?paginationToken={value}"), 400, "query.paginationToken")
    assert error["details"]["field"] == "query.paginationToken"


def test_token_of_another_list_is_refused(caller: Caller, ids: list[str]) -> None:
    caller.create("/wallets", {"network": "Base"})
    value = answered(caller.get("/keys?limit=1"))["nextPageToken"]

    refused(caller.get(f"/wallets?paginationToken={value}"), 400, "query.paginationToken")


def test_empty_token_is_refused(caller: Caller) -> None:
    error = refused(caller.get("/keys?paginationToken="), 400, "field.value")
    assert error["details"]["field"] == "query.paginationToken"

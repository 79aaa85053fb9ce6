from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import calling

KEY = {"scheme": "EdDSA", "curve": "ed25519"}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    """A caller whose first five keys are ``ids``."""
    with calling() as shared:
        yield shared


@pytest.fixture(scope="module")
def ids(caller: Caller) -> list[str]:
    """Ids of five keys, oldest first."""
    return five_keys(caller)


def five_keys(caller: Caller) -> list[str]:
    return [caller.create("/keys", KEY)["id"] for _ in range(5)]


def pages(caller: Caller, limit: int) -> Iterator[list[str]]:
    token = ""
    for _ in range(10):
        page = answered(caller.get(f"/keys?limit={limit}{token}"))
        yield [item["id"] for item in page["items"]]
        if "nextPageToken" not in page:
            return
        token = f"&paginationToken={page['nextPageToken']}"
    pytest.fail("the pages do not end")


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (500, [5])])
def test_pages_hold_every_entity_once_in_order(
    caller: Caller, ids: list[str], limit: int, sizes: list[int]
) -> None:
    found = list(pages(caller, limit))

    assert [len(page) for page in found] == sizes
    assert [identifier for page in found for identifier in page] == ids


def test_pages_skip_nothing_when_what_was_listed_is_deleted() -> None:
    seen = []
    with calling() as caller:
        ids = five_keys(caller)
        for page in pages(caller, 2):
            seen += page
            for identifier in page:
                answered(caller.call("DELETE", f"/keys/{identifier}"))

    assert seen == ids


@pytest.mark.parametrize(("options", "size"), [({"page_size": 2}, 2), ({}, 50)])
def test_page_without_a_limit_has_the_size_that_was_set_or_fifty(
    options: dict[str, int], size: int
) -> None:
    with calling(**options) as caller:
        for _ in range(size + 1):
            caller.create("/keys", {"scheme": "DH", "curve": "ed25519"})

        page = answered(caller.get("/keys"))

    assert len(page["items"]) == size
    assert page["nextPageToken"]


@pytest.mark.parametrize("limit", ["0", "501", "999999999"])
def test_limit_out_of_bounds_is_refused(caller: Caller, limit: str) -> None:
    error = refused(caller.get(f"/keys?limit={limit}"), 400, "query.limit", "1 to 500")
    assert error["details"]["field"] == "query.limit"


@pytest.mark.parametrize("limit", ["", "-1", "1.5", "ten", "1" * 10, "%D9%A1"])
def test_limit_that_is_not_a_number_is_refused(caller: Caller, limit: str) -> None:
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
        token("Key:5"),
        token("Wallet:1"),
        token("Key:" + "9" * 5000),
        "_w",
    ],
)
def test_token_that_is_not_a_next_page_token_is_refused(
    caller: Caller, ids: list[str], value: str
) -> None:
    error = refused(caller.get(f"/keys?paginationToken={value}"), 400, "query.paginationToken")
    assert error["details"]["field"] == "query.paginationToken"


def test_token_of_another_list_is_refused(caller: Caller, ids: list[str]) -> None:
    caller.create("/wallets", {"network": "Base"})
    value = answered(caller.get("/keys?limit=1"))["nextPageToken"]

    refused(caller.get(f"/wallets?paginationToken={value}"), 400, "query.paginationToken")


def test_empty_token_is_refused(caller: Caller) -> None:
    error = refused(caller.get("/keys?paginationToken="), 400, "field.value")
    assert error["details"]["field"] == "query.paginationToken"

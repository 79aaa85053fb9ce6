"""Jobs that make many wallets of one network."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import calling

PATH = "/wallets/bulk-create"
BODY = {"network": "Solana", "count": 3, "name": "till", "tags": ["shop"]}


def test_job_is_completed_when_it_is_read(caller: Caller) -> None:
    job = caller.create(PATH, BODY)
    assert job["status"] == "Pending"

    read = answered(caller.get(f"{PATH}/{job['id']}"))

    assert (read["status"], read["completedCount"], read["totalCount"]) == ("Completed", 3, 3)
    assert read["namePrefix"] == "till"
    assert answered(caller.get(PATH))["items"] == [read]


def test_wallets_of_a_job_are_wallets_of_the_organisation(caller: Caller) -> None:
    other = caller.create("/wallets", {"network": "Solana"})
    job = caller.create(PATH, BODY)

    made = answered(caller.get(f"{PATH}/{job['id']}/wallets"))["items"]

    assert [wallet["name"] for wallet in made] == ["till 1", "till 2", "till 3"]
    assert all((one["network"], one["tags"]) == ("Solana", ["shop"]) for one in made)
    assert len({wallet["signingKey"]["id"] for wallet in made}) == 3
    assert answered(caller.get("/wallets"))["items"] == [other, *made]


def test_wallets_of_a_job_come_in_pages(caller: Caller) -> None:
    path = f"{PATH}/{caller.create(PATH, BODY)['id']}/wallets"

    first = answered(caller.get(f"{path}?limit=2"))
    rest = answered(caller.get(f"{path}?limit=2&paginationToken={first['nextPageToken']}"))

    assert (len(first["items"]), len(rest["items"])) == (2, 1)


def test_job_makes_nothing_until_a_test_moves_it() -> None:
    with calling(progress="manual") as caller:
        job = caller.create(PATH, BODY)

        assert answered(caller.get(f"{PATH}/{job['id']}"))["status"] == "Pending"
        assert answered(caller.get(f"{PATH}/{job['id']}/wallets"))["items"] == []
        assert answered(caller.get("/wallets"))["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"network": "EtherumSepolia"}, "network"),
        ({"network": "Canton"}, "network"),
        ({"count": 0}, "count"),
        ({"count": 1001}, "count"),
        ({"name": ""}, "name"),
        ({"tags": ["no blanks"]}, "tags[0]"),
    ],
)
def test_job_that_cannot_be_done_is_refused(
    caller: Caller, change: dict[str, Any], field: str
) -> None:
    error = refused(caller.call("POST", PATH, {**BODY, **change}), 400, "field.value")

    assert error["details"]["field"] == field


def test_store_that_is_not_there_is_refused(caller: Caller) -> None:
    store = answered(caller.get("/key-stores"))["items"][0]["id"]

    caller.create(PATH, {**BODY, "keystoreId": store})
    refused(caller.call("POST", PATH, {**BODY, "keystoreId": "ks-other"}), 404, "entity")

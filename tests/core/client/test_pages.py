"""Lists are walked to their end, page by page, and never round in circles."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ServerError, UnexpectedResponseError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import sent
from tests.core.client.scripted import Reply, ScriptedApi


def targets(api: ScriptedApi) -> list[str]:
    return [seen.target for seen in api.seen]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (2, 1), (3, 2), (7, 4)])
def test_every_item_of_every_page_comes_once(
    connect: Connector, signer: KeySigner, emulator: Emulator, count: int, pages: int
) -> None:
    dfns = connect(emulator.auth_token, signer, base_url=emulator.url)
    made = [
        dfns.call(lambda client: client.wallets.create(network="Bitcoin")) for _ in range(count)
    ]

    listed = dfns.walk(lambda client: client.wallets.list(limit=2))

    assert listed == made
    read = [request for request in sent(emulator, "/wallets") if request.method == "GET"]
    assert len(read) == pages
    assert all("limit=2" in request.query for request in read)


def test_any_list_can_be_walked(dfns: Driven) -> None:
    wallet = dfns.call(lambda client: client.wallets.create(network="Bitcoin"))
    made = [
        dfns.call(
            lambda client: client.wallets.transfer(wallet["id"], to="bc1q" + "q" * 38, amount=5)
        )
        for _ in range(3)
    ]

    listed = dfns.walk(
        lambda client: client.paginate(f"/wallets/{wallet['id']}/transfers", params={"limit": 1})
    )

    assert listed == made


def test_filters_go_with_every_page(scripted: Driven, api: ScriptedApi) -> None:
    api.on(
        "/v2/policy-approvals",
        Reply(body={"items": [1], "nextPageToken": "a/b="}),
        Reply(body={"items": [2], "nextPageToken": None}),
    )

    walked = scripted.walk(
        lambda client: client.paginate("/v2/policy-approvals", params={"status": "Pending"})
    )

    assert walked == [1, 2]
    assert targets(api) == [
        "/v2/policy-approvals?status=Pending",
        "/v2/policy-approvals?status=Pending&paginationToken=a%2Fb%3D",
    ]


def test_walk_begins_where_the_caller_says(scripted: Driven, api: ScriptedApi) -> None:
    api.on("/wallets", Reply(body={"items": [1]}))

    scripted.walk(lambda client: client.paginate("/wallets", params={"paginationToken": "t5"}))

    assert targets(api) == ["/wallets?paginationToken=t5"]


def test_empty_page_in_between_does_not_end_the_walk(scripted: Driven, api: ScriptedApi) -> None:
    api.on(
        "/wallets",
        Reply(body={"items": [], "nextPageToken": "t2"}),
        Reply(body={"items": [1], "nextPageToken": ""}),
    )

    assert scripted.walk(lambda client: client.wallets.list()) == [1]


@pytest.mark.parametrize("cycle", [["t1"], ["t1", "t2"], ["t1", "t2", "t3"]])
def test_token_that_comes_again_ends_the_walk_with_an_error(
    scripted: Driven, api: ScriptedApi, cycle: list[str]
) -> None:
    tokens = [*cycle, cycle[0]]
    api.on("/wallets", *(Reply(body={"items": [1], "nextPageToken": token}) for token in tokens))

    with pytest.raises(UnexpectedResponseError, match="same page twice"):
        scripted.walk(lambda client: client.wallets.list())

    assert len(api.seen) == len(tokens)


def test_token_that_the_caller_began_with_ends_the_walk_with_an_error(
    scripted: Driven, api: ScriptedApi
) -> None:
    api.on("/wallets", always=Reply(body={"items": [], "nextPageToken": "t1"}))

    with pytest.raises(UnexpectedResponseError, match="same page twice"):
        scripted.walk(lambda client: client.paginate("/wallets", params={"paginationToken": "t1"}))

    assert len(api.seen) == 1


@pytest.mark.parametrize(
    "page",
    [
        [],
        "null",
        7,
        {},
        {"items": None},
        {"items": {"a": 1}},
        {"items": "abc"},
        {"items": [], "nextPageToken": 5},
        {"items": [], "nextPageToken": {"a": 1}},
        {"items": [], "nextPageToken": ["t"]},
        {"items": [], "nextPageToken": True},
    ],
)
def test_malformed_page_is_an_unexpected_response(
    scripted: Driven, api: ScriptedApi, page: Any
) -> None:
    api.on("/wallets", Reply(body=page))

    with pytest.raises(UnexpectedResponseError, match="GET /wallets"):
        scripted.walk(lambda client: client.wallets.list())

    assert len(api.seen) == 1


def test_failing_page_is_repeated_alone(
    scripted: Driven, api: ScriptedApi, pauses: list[float]
) -> None:
    api.on(
        "/wallets",
        Reply(body={"items": [1], "nextPageToken": "t2"}),
        Reply(503),
        Reply(body={"items": [2]}),
    )

    assert scripted.walk(lambda client: client.wallets.list()) == [1, 2]
    assert targets(api)[1:] == ["/wallets?paginationToken=t2"] * 2


def test_page_that_keeps_failing_is_the_error_of_the_walk(
    scripted: Driven, api: ScriptedApi, pauses: list[float]
) -> None:
    api.on("/wallets", always=Reply(503))

    with pytest.raises(ServerError):
        scripted.walk(lambda client: client.wallets.list())


def test_nothing_is_sent_before_the_walk_begins(scripted: Driven, api: ScriptedApi) -> None:
    scripted.client.wallets.list()

    assert api.seen == []

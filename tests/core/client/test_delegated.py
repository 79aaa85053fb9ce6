"""Delegated calls: announced here, signed elsewhere, sent as they were announced."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given

from dfns_signers.client.pending import PendingAction
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApiError,
    BadRequestError,
    CallError,
    ChallengeError,
    RequestError,
    ServerError,
    TransportError,
)
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import announced, calls
from tests.core.client.scripted import CUT, Answer, Reply, ScriptedApi
from tests.core.client.values import OVER_HTTP, json_bodies


def travelled(pending: PendingAction) -> PendingAction:
    """A pending action after its trip through a session or a database."""
    return PendingAction.from_json(pending.to_json())


def complete(delegated: Driven, pending: PendingAction, signer: KeySigner) -> Any:
    return delegated.call(lambda client: client.complete(pending, signer.sign(pending.challenge)))


def test_typed_call_is_pending_until_it_is_completed(
    delegated: Driven, emulator: Emulator, signer: KeySigner
) -> None:
    pending = delegated.call(lambda client: client.wallets.create(network="Bitcoin", name="é"))
    assert isinstance(pending, PendingAction)
    assert delegated.walk(lambda client: client.wallets.list()) == []

    wallet = complete(delegated, travelled(pending), signer)

    assert delegated.walk(lambda client: client.wallets.list()) == [wallet]
    assert wallet["name"] == "é"


@OVER_HTTP
@given(body=json_bodies)
def test_any_json_body_is_sent_as_the_bytes_that_were_announced(
    delegated: Driven, emulator: Emulator, signer: KeySigner, body: Any
) -> None:
    pending = delegated.call(lambda client: client.init("POST", "/wallets", json=body))

    with pytest.raises(BadRequestError, match=r"body|network|member"):
        complete(delegated, travelled(pending), signer)

    sent = calls(emulator)[-1].body
    assert announced(emulator)[-1]["userActionPayload"].encode() == sent
    assert pending.payload.encode() == sent


def test_pending_action_survives_a_trip_through_json_unchanged(delegated: Driven) -> None:
    pending = delegated.call(
        lambda client: client.init(
            "delete",
            "/wallets/{id}/tags",
            path_params={"id": "a b"},
            params={"force": True, "x": [1, "é"], "none": None},
            json={"tags": ["é"]},
        )
    )

    assert travelled(pending) == pending
    assert travelled(pending) == PendingAction.from_json(pending.to_json().encode())
    assert (pending.method, pending.path, pending.payload, pending.params) == (
        "DELETE",
        "/wallets/a%20b/tags",
        '{"tags":["é"]}',
        {"force": True, "x": [1, "é"]},
    )
    assert pending.challenge["allowCredentials"]["key"][0]["id"] == "cr-first"


def test_query_is_sent_though_it_was_not_announced(
    scripted_delegated: Driven, api: ScriptedApi, signer: KeySigner
) -> None:
    pending = scripted_delegated.call(
        lambda client: client.init("DELETE", "/auth/service-accounts/us-1", params={"force": True})
    )

    complete(scripted_delegated, travelled(pending), signer)

    assert json.loads(api.seen[0].body)["userActionHttpPath"] == "/auth/service-accounts/us-1"
    assert api.seen[-1].target == "/auth/service-accounts/us-1?force=true"


def test_another_process_completes_with_another_client(
    delegated: Driven, connect: Connector, emulator: Emulator, signer: KeySigner
) -> None:
    pending = delegated.call(lambda client: client.keys.create(scheme="EdDSA", curve="ed25519"))
    other = connect.delegated(lambda: emulator.auth_token, base_url=emulator.url)

    assert complete(other, travelled(pending), signer)["curve"] == "ed25519"


def test_reads_and_unsigned_calls_are_ordinary_calls(delegated: Driven) -> None:
    challenge = delegated.call(lambda client: client.auth.credentials.challenge())

    assert challenge["kind"] == "Key"
    assert delegated.call(lambda client: client.get("/wallets"))["items"] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_signed_call_by_request_is_refused_with_advice_and_nothing_is_sent(
    scripted_delegated: Driven, api: ScriptedApi, method: str
) -> None:

    with pytest.raises(RequestError, match=r"must be signed: use init\(\) and complete\(\)"):
        scripted_delegated.call(lambda client: client.request(method, "/wallets", json={}))

    assert api.seen == []


def test_call_that_the_caller_declares_unsigned_is_sent(
    scripted_delegated: Driven, api: ScriptedApi
) -> None:

    scripted_delegated.call(lambda client: client.post("/wallets", signed=False))

    assert [seen.target for seen in api.seen] == ["/wallets"]


@pytest.mark.parametrize("body", [object(), b"x", {"a": float("nan")}])
def test_body_that_is_no_json_is_not_announced(
    scripted_delegated: Driven, api: ScriptedApi, body: Any
) -> None:

    with pytest.raises(RequestError):
        scripted_delegated.call(lambda client: client.init("POST", "/wallets", json=body))

    assert api.seen == []


@pytest.mark.parametrize(
    "change",
    [
        {"payload": '{"network":"Ethereum"}'},
        {"payload": ""},
        {"path": "/keys"},
        {"method": "PUT"},
    ],
)
def test_pending_action_that_was_tampered_with_is_refused_by_the_api(
    delegated: Driven, signer: KeySigner, change: dict[str, str]
) -> None:
    pending = delegated.call(
        lambda client: client.init("POST", "/wallets", json={"network": "Bitcoin"})
    )
    tampered = dataclasses.replace(pending, **change)

    with pytest.raises(ApiError) as caught:
        complete(delegated, travelled(tampered), signer)

    assert caught.value.status in {403, 405}
    assert delegated.walk(lambda client: client.wallets.list()) == []


def test_pending_action_that_would_be_sent_otherwise_than_announced_is_refused(
    scripted_delegated: Driven, api: ScriptedApi, signer: KeySigner
) -> None:
    pending = scripted_delegated.call(lambda client: client.init("POST", "/wallets"))
    tampered = dataclasses.replace(pending, method="post")

    with pytest.raises(RequestError, match="not what was announced"):
        complete(scripted_delegated, tampered, signer)

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


def test_pending_action_is_good_for_one_completion(delegated: Driven, signer: KeySigner) -> None:
    pending = delegated.call(lambda client: client.wallets.create(network="Bitcoin"))
    complete(delegated, pending, signer)

    with pytest.raises(BadRequestError):
        complete(delegated, pending, signer)

    assert len(delegated.walk(lambda client: client.wallets.list())) == 1


@pytest.mark.parametrize("failure", [Reply(503), Reply(429), CUT])
def test_announcing_is_repeated_for_it_has_no_effect(
    scripted_delegated: Driven, api: ScriptedApi, pauses: list[float], failure: Answer
) -> None:
    api.on("/auth/action/init", failure, failure)

    pending = scripted_delegated.call(lambda client: client.wallets.create(network="Bitcoin"))

    assert pending.challenge["challengeIdentifier"] == "id-1"
    assert len(api.seen) == 3


@pytest.mark.parametrize("failure", [Reply(503), CUT])
def test_announcing_that_keeps_failing_had_no_effect(
    scripted_delegated: Driven, api: ScriptedApi, pauses: list[float], failure: Answer
) -> None:
    api.on("/auth/action/init", always=failure)

    with pytest.raises((ServerError, TransportError)) as caught:
        scripted_delegated.call(lambda client: client.wallets.create(network="Bitcoin"))

    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"challenge": "Y2g"},
        {"challengeIdentifier": "id-1"},
        {"challenge": "Y2g", "challengeIdentifier": ""},
        {"challenge": 7, "challengeIdentifier": "id-1"},
    ],
)
def test_announcing_that_is_answered_without_a_challenge_gives_no_pending_action(
    scripted_delegated: Driven, api: ScriptedApi, answer: object
) -> None:
    api.on("/auth/action/init", always=Reply(body=answer))

    with pytest.raises(ChallengeError):
        scripted_delegated.call(lambda client: client.wallets.create(network="Bitcoin"))


@pytest.mark.parametrize("failure", [Reply(503), Reply(429), CUT])
@pytest.mark.parametrize("path", ["/auth/action", "/wallets"])
def test_completing_is_never_repeated(
    scripted_delegated: Driven,
    api: ScriptedApi,
    signer: KeySigner,
    pauses: list[float],
    path: str,
    failure: Answer,
) -> None:
    pending = scripted_delegated.call(
        lambda client: client.wallets.create(network="Bitcoin", external_id="order-7")
    )
    api.on(path, failure)

    with pytest.raises(CallError, match=path) as caught:
        complete(scripted_delegated, pending, signer)

    effect = path == "/wallets" and failure != Reply(429)
    assert caught.value.may_have_taken_effect is effect
    assert len(api.sent(path)) == 1

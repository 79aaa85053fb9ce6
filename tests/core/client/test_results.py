"""What a call returns: JSON, nothing, or a change request."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dfns_signers import ChangeRequest
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ApprovalRequiredError, UnexpectedResponseError
from tests.core.client.driving import Driven
from tests.core.client.scripted import Reply, ScriptedApi


@pytest.mark.parametrize("value", [{"id": "wa-1"}, [1, 2], "text", 0, False, {}])
def test_json_of_any_type_is_returned_as_it_is(
    scripted: Driven, api: ScriptedApi, value: Any
) -> None:
    api.on("/wallets", Reply(body=value if not isinstance(value, str) else '"text"'))

    result = scripted.call(lambda client: client.get("/wallets"))

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_empty_answer_is_none(scripted: Driven, api: ScriptedApi, method: str, status: int) -> None:
    api.on("/wallets", Reply(status))

    assert scripted.call(lambda client: client.request(method, "/wallets")) is None


def test_202_is_a_change_request_and_changes_nothing(dfns: Driven, emulator: Emulator) -> None:
    emulator.require_approval("POST", "/wallets")

    result = dfns.call(lambda client: client.wallets.create(network="Bitcoin"))

    assert isinstance(result, ChangeRequest)
    assert result.status == "Pending"
    assert str(result.id).startswith("cr-")
    assert str(result.approval_id).startswith("ap-")
    assert result.body["body"] == {"network": "Bitcoin"}
    assert dfns.walk(lambda client: client.wallets.list()) == []


@pytest.mark.parametrize("member", ["id", "network", "status", "items"])
def test_member_of_a_change_request_is_refused_with_the_approval_to_wait_for(
    scripted: Driven, api: ScriptedApi, member: str
) -> None:
    api.on("/wallets", Reply(202, {"id": "cr-1", "approvalId": "ap-1", "status": "Pending"}))
    result = scripted.call(lambda client: client.post("/wallets"))

    with pytest.raises(ApprovalRequiredError, match=f"no '{member}' yet.*ap-1.*nothing has chang"):
        result[member]


def test_change_request_is_neither_walked_through_nor_searched_nor_altered() -> None:
    change = ChangeRequest({"id": "cr-1"})

    with pytest.raises(ApprovalRequiredError):
        dict(change)  # type: ignore[call-overload]  # it is no mapping
    with pytest.raises(ApprovalRequiredError):
        assert "id" not in change  # type: ignore[operator]
    with pytest.raises(dataclasses.FrozenInstanceError):
        change.body = {}  # type: ignore[misc]
    assert change == ChangeRequest({"id": "cr-1"})


def test_200_with_the_same_body_is_no_change_request(scripted: Driven, api: ScriptedApi) -> None:
    api.on("/wallets", Reply(200, {"id": "cr-1", "status": "Pending"}))

    result = scripted.call(lambda client: client.post("/wallets"))

    assert not isinstance(result, ChangeRequest)


@pytest.mark.parametrize("body", ["", [1], {}, {"id": 7, "approvalId": None, "status": []}])
def test_202_without_the_documented_members_is_still_a_change_request(
    scripted: Driven, api: ScriptedApi, body: Any
) -> None:
    api.on("/wallets", Reply(202, body))

    result = scripted.call(lambda client: client.post("/wallets"))

    assert isinstance(result, ChangeRequest)
    assert (result.id, result.approval_id, result.status) == (None, None, None)
    assert result.body == (body if isinstance(body, dict) else {})


@pytest.mark.parametrize("status", [200, 201, 202])
def test_challenge_is_a_challenge_whatever_the_status_of_success(
    scripted: Driven, scripted_delegated: Driven, api: ScriptedApi, status: int
) -> None:
    challenge = {"challenge": "Y2g", "challengeIdentifier": "id-1"}
    api.on("/auth/action/init", *[Reply(status, challenge)] * 2)

    pending = scripted_delegated.call(lambda client: client.init("POST", "/wallets"))

    assert pending.challenge == challenge
    assert scripted.call(lambda client: client.post("/wallets")) == {}


@pytest.mark.parametrize(
    "body", ["<html>welcome</html>", "{", "a,b\n1,2\n", b"\xff\xfe\xff", "[" * 50_000]
)
def test_success_that_is_no_json_is_an_unexpected_response(
    scripted: Driven, api: ScriptedApi, body: Any
) -> None:
    api.on("/wallets", Reply(200, body, {"Content-Type": "text/html"}), Reply(200, body))

    with pytest.raises(UnexpectedResponseError, match=r"not JSON.*'text/html'") as reading:
        scripted.call(lambda client: client.get("/wallets"))
    with pytest.raises(UnexpectedResponseError, match="not JSON") as writing:
        scripted.call(lambda client: client.post("/wallets"))

    assert not reading.value.may_have_taken_effect
    assert writing.value.may_have_taken_effect


@pytest.mark.parametrize("step", ["/auth/action/init", "/auth/action"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(),
        Reply(204),
        Reply(body=[1]),
        Reply(body="null"),
        Reply(body="<html>"),
        Reply(302, headers={"Location": "/login"}),
    ],
)
def test_step_that_is_answered_with_no_object_is_an_unexpected_response_without_effect(
    scripted: Driven, api: ScriptedApi, step: str, reply: Reply
) -> None:
    api.on(step, reply)

    with pytest.raises(UnexpectedResponseError, match=step) as caught:
        scripted.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert api.sent("/wallets") == []

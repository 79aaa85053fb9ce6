"""What a call returns: JSON, nothing, or a change request."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.client.results import ChangeRequest
from dfns_signers.emulator import Emulator
from dfns_signers.errors import UnexpectedResponseError
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
    assert repr(result).startswith("ChangeRequest({")
    assert str(result.id).startswith("cr-")
    assert str(result.approval_id).startswith("ap-")
    assert result["body"] == {"network": "Bitcoin"}
    assert dfns.walk(lambda client: client.wallets.list()) == []


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


@pytest.mark.parametrize(
    "body", ["<html>welcome</html>", "{", "a,b\n1,2\n", b"\xff\xfe\xff", "[" * 50_000]
)
def test_success_that_is_no_json_is_an_unexpected_response(
    scripted: Driven, api: ScriptedApi, body: Any
) -> None:
    api.on("/wallets", Reply(200, body, {"Content-Type": "text/html"}), Reply(200, body))

    with pytest.raises(UnexpectedResponseError, match=r"no JSON.*'text/html'") as reading:
        scripted.call(lambda client: client.get("/wallets"))
    with pytest.raises(UnexpectedResponseError, match="no JSON") as writing:
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

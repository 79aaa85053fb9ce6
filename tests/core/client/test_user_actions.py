"""A user action is good for one use, and each attempt gets one of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dfns_signers.errors import (
    ChallengeError,
    ConfigurationError,
    CredentialNotAllowedError,
    RequestError,
    SigningError,
    TransportError,
    UnexpectedResponseError,
)
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import CUT, Answer, Reply, ScriptedApi

pytestmark = pytest.mark.usefixtures("pauses")


@pytest.mark.parametrize("failure", [Reply(503), Reply(429), CUT])
def test_every_attempt_carries_a_new_user_action(
    scripted: Driven, api: ScriptedApi, failure: Answer
) -> None:
    api.on("/wallets", failure, failure)

    scripted.call(lambda client: client.post("/wallets", json={"externalId": "order-7"}))

    assert [seen.user_action for seen in api.sent("/wallets")] == [
        "action-1",
        "action-2",
        "action-3",
    ]
    signed = [json.loads(seen.body)["challengeIdentifier"] for seen in api.sent("/auth/action")]
    assert signed == ["id-1", "id-2", "id-3"]


def test_every_call_carries_a_new_user_action(scripted: Driven, api: ScriptedApi) -> None:
    for _ in range(2):
        scripted.call(lambda client: client.post("/wallets"))

    assert [seen.user_action for seen in api.sent("/wallets")] == ["action-1", "action-2"]


def test_user_action_goes_to_the_call_alone(scripted: Driven, api: ScriptedApi) -> None:
    scripted.call(lambda client: client.post("/wallets"))
    scripted.call(lambda client: client.get("/wallets"))

    assert [(seen.target, seen.user_action) for seen in api.seen] == [
        ("/auth/action/init", None),
        ("/auth/action", None),
        ("/wallets", "action-1"),
        ("/wallets", None),
    ]
    assert {seen.headers["authorization"] for seen in api.seen} == {"Bearer token"}


def test_steps_are_json_and_name_the_agent(scripted: Driven, api: ScriptedApi) -> None:
    scripted.call(lambda client: client.post("/wallets"))

    for seen in api.seen[:2]:
        assert seen.headers["content-type"] == "application/json"
        assert seen.headers["user-agent"].startswith("dfns-signers/")


def test_assertion_has_no_members_but_the_documented_ones(
    scripted: Driven, api: ScriptedApi
) -> None:
    scripted.call(lambda client: client.post("/wallets"))

    body = json.loads(api.sent("/auth/action")[0].body)
    assert body.keys() == {"challengeIdentifier", "firstFactor"}
    assert body["firstFactor"].keys() == {"kind", "credentialAssertion"}
    assert body["firstFactor"]["credentialAssertion"].keys() == {
        "credId",
        "clientData",
        "signature",
    }


@pytest.mark.parametrize(
    ("challenge", "error"),
    [
        ({"challengeIdentifier": "id"}, ChallengeError),
        ({"challenge": "", "challengeIdentifier": "id"}, ChallengeError),
        ({"challenge": 7, "challengeIdentifier": "id"}, ChallengeError),
        ({"challenge": "c"}, ChallengeError),
        ({"challenge": "c", "challengeIdentifier": None}, ChallengeError),
        ({"challenge": "c", "challengeIdentifier": ""}, ChallengeError),
        (
            {"challenge": "c", "challengeIdentifier": "i", "allowCredentials": {"key": []}},
            CredentialNotAllowedError,
        ),
        (
            {
                "challenge": "c",
                "challengeIdentifier": "i",
                "allowCredentials": {"key": [{"type": "public-key", "id": "cr-other"}]},
            },
            CredentialNotAllowedError,
        ),
    ],
)
def test_unusable_challenge_ends_the_call_before_anything_is_signed(
    scripted: Driven, api: ScriptedApi, challenge: Any, error: type[Exception]
) -> None:
    api.on("/auth/action/init", Reply(body=challenge))

    with pytest.raises(error):
        scripted.call(lambda client: client.post("/wallets"))

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


@pytest.mark.parametrize("allow", [None, {}, {"key": None}, {"webauthn": []}])
def test_challenge_without_a_list_of_key_credentials_is_signed(
    scripted: Driven, api: ScriptedApi, allow: Any
) -> None:
    challenge = {"challenge": "c", "challengeIdentifier": "i", "allowCredentials": allow}
    api.on("/auth/action/init", Reply(body=challenge))

    scripted.call(lambda client: client.post("/wallets"))

    assert len(api.sent("/wallets")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"userAction": None},
        {"userAction": ""},
        {"userAction": "a\r\nX: b"},
        {"userAction": ["a"]},
    ],
)
def test_unusable_user_action_ends_the_call_before_it_is_sent(
    scripted: Driven, api: ScriptedApi, answer: Any
) -> None:
    api.on("/auth/action", Reply(body=answer))

    with pytest.raises(UnexpectedResponseError, match="userAction") as caught:
        scripted.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert api.sent("/wallets") == []


def test_signed_call_without_a_signer_says_how_to_give_one(
    connect: Connector, api: ScriptedApi
) -> None:
    dfns = connect("token", base_url=api.url)

    with pytest.raises(ConfigurationError, match=r"POST /wallets must be signed.*'signer'"):
        dfns.call(lambda client: client.post("/wallets"))

    assert api.sent("/wallets") == []


def test_method_that_the_api_signs_for_nobody_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi
) -> None:
    with pytest.raises(RequestError, match="PATCH /wallets/wa-1"):
        scripted.call(lambda client: client.request("PATCH", "/wallets/wa-1", json={}))

    assert api.seen == []


@pytest.mark.parametrize(
    "answer", [None, "text", {}, {"kind": "Unheard"}, {"kind": []}, {"kind": "Key", "x": b"1"}]
)
def test_signer_that_answers_with_no_assertion_is_refused_before_anything_more_is_sent(
    connect: Connector, api: ScriptedApi, answer: Any
) -> None:
    class Broken:
        def sign(self, challenge: Any) -> Any:
            return answer

    dfns = connect("token", Broken(), base_url=api.url)

    with pytest.raises(SigningError, match="the signer Broken returned what is not an assertion"):
        dfns.call(lambda client: client.post("/wallets"))

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


def test_challenge_that_wants_a_second_factor_is_refused_with_advice(
    scripted: Driven, api: ScriptedApi
) -> None:
    challenge = {
        "challenge": "c",
        "challengeIdentifier": "i",
        "supportedCredentialKinds": [{"kind": "Key", "requiresSecondFactor": True}],
    }
    api.on("/auth/action/init", Reply(body=challenge))

    with pytest.raises(RequestError, match=r"second factor.*delegated client"):
        scripted.call(lambda client: client.post("/wallets"))

    assert api.sent("/auth/action") == []


@pytest.mark.parametrize(
    "kinds",
    [
        [{"kind": "Fido2", "requiresSecondFactor": True}],
        [{"kind": "Key", "requiresSecondFactor": "no"}],
        [{"kind": "Key"}],
        ["Key"],
        None,
    ],
)
def test_second_factor_that_is_not_for_this_kind_of_credential_is_not_asked_for(
    scripted: Driven, api: ScriptedApi, kinds: object
) -> None:
    challenge = {
        "challenge": "c",
        "challengeIdentifier": "i",
        "supportedCredentialKinds": kinds,
    }
    api.on("/auth/action/init", Reply(body=challenge))

    scripted.call(lambda client: client.post("/wallets"))

    assert len(api.sent("/auth/action")) == 1


@pytest.mark.parametrize(
    ("method", "path", "override", "is_signed"),
    [
        ("POST", "/wallets", None, True),
        ("POST", "/wallets", False, False),
        ("POST", "/auth/tokens", None, False),
        ("POST", "/auth/tokens", True, True),
        ("PUT", "/auth/logout", None, False),
        ("DELETE", "/keys/key-1", False, False),
        ("GET", "/wallets", None, False),
        ("GET", "/wallets", True, True),
    ],
)
def test_endpoint_decides_whether_a_call_is_signed_unless_the_caller_does(
    scripted: Driven,
    api: ScriptedApi,
    method: str,
    path: str,
    override: bool | None,
    is_signed: bool,
) -> None:
    scripted.call(lambda client: client.request(method, path, signed=override))

    assert (api.seen[-1].user_action is not None) is is_signed
    assert len(api.seen) == (3 if is_signed else 1)


def test_cut_connection_during_a_step_starts_over(scripted: Driven, api: ScriptedApi) -> None:
    api.on("/auth/action", CUT)

    scripted.call(lambda client: client.post("/wallets"))

    assert [seen.user_action for seen in api.sent("/wallets")] == ["action-2"]


def test_cut_connection_during_every_step_had_no_effect(scripted: Driven, api: ScriptedApi) -> None:
    api.on("/auth/action", always=CUT)

    with pytest.raises(TransportError, match="took no effect") as caught:
        scripted.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert len(api.sent("/auth/action")) == 3
    assert api.sent("/wallets") == []

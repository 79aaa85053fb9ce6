from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller, answered, refused


def test_next_request_fails_and_the_one_after_does_not(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("GET", "/wallets")

    response = caller.get("/wallets")

    assert response.status_code == 503
    assert response.json()["error"]["status"] == 503
    assert response.json()["error"]["message"] == "Service Unavailable"
    answered(caller.get("/wallets"))


def test_failure_comes_as_often_as_asked_for(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("GET", "/wallets", status=500, times=2)

    statuses = [caller.get("/wallets").status_code for _ in range(3)]

    assert statuses == [500, 500, 200]


def test_failures_come_in_the_order_they_were_asked_for(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("GET", "/wallets", 502)
    emulator.fail_next("GET", "/wallets", 504)

    statuses = [caller.get("/wallets").status_code for _ in range(3)]

    assert statuses == [502, 504, 200]


def test_other_operations_do_not_fail(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("POST", "/wallets")

    answered(caller.get("/wallets"))
    answered(caller.get("/keys"))


def test_failure_leaves_the_user_action_unspent(emulator: Emulator, caller: Caller) -> None:
    body = b'{"network":"Ethereum"}'
    action = caller.user_action("POST", "/wallets", body.decode())
    emulator.fail_next("POST", "/wallets")

    assert caller.send("POST", "/wallets", body, user_action=action).status_code == 503
    assert answered(caller.get("/wallets")) == {"items": []}

    answered(caller.send("POST", "/wallets", body, user_action=action))


def test_failing_action_leaves_the_challenge_unused(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("POST", "/auth/action")
    challenge = caller.challenge()
    assert caller.complete(challenge, caller.factor(challenge)).status_code == 503

    answered(caller.complete(challenge, caller.factor(challenge)))


def test_failing_init_issues_no_challenge(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("POST", "/auth/action/init", status=429, headers={"Retry-After": "7"})

    response = caller.init("POST", "/wallets")

    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize("template", ["/wallets/{walletId}", "/wallets/{id}", "/wallets/{}"])
def test_template_names_an_operation_whatever_its_placeholders_are_called(
    emulator: Emulator, caller: Caller, template: str
) -> None:
    emulator.fail_next("GET", template)

    assert caller.get("/wallets/wa-1").status_code == 503


@pytest.mark.parametrize(
    ("body", "content", "media_type"),
    [
        ("<h1>Bad gateway</h1>", b"<h1>Bad gateway</h1>", "text/html; charset=utf-8"),
        (b"\xff\xfe", b"\xff\xfe", "application/octet-stream"),
        ({"message": None}, b'{"message":null}', "application/json"),
    ],
)
@pytest.mark.parametrize("status", [200, 502])
def test_body_of_a_failure_is_sent_as_given(
    emulator: Emulator, caller: Caller, status: int, body: Any, content: bytes, media_type: str
) -> None:
    emulator.fail_next("GET", "/wallets", status=status, body=body)

    response = caller.get("/wallets")

    assert response.content == content
    assert response.headers["content-type"] == media_type


def test_failure_from_400_on_without_a_body_is_the_documented_envelope(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.fail_next("GET", "/wallets", status=400)

    assert caller.get("/wallets").json()["error"]["message"] == "Bad Request"


@pytest.mark.parametrize("status", [200, 204, 302])
def test_answer_below_400_without_a_body_is_empty(
    emulator: Emulator, caller: Caller, status: int
) -> None:
    emulator.fail_next("GET", "/wallets", status=status)

    response = caller.get("/wallets")

    assert response.status_code == status
    assert response.content == b""


def test_failure_of_an_operation_that_is_not_there_is_refused(emulator: Emulator) -> None:
    with pytest.raises(
        ConfigurationError, match=r"no operation POST /nowhere; docs/emulator-operations\.md lists"
    ):
        emulator.fail_next("POST", "/nowhere")


def test_failure_of_a_misspelt_operation_is_refused_with_the_one_that_was_probably_meant(
    emulator: Emulator,
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        emulator.fail_next("POST", "/walets")

    assert str(caught.value) == (
        "the emulator has no operation POST /walets (did you mean '/wallets'?)"
    )


def test_failure_with_a_method_that_is_not_there_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="no operation PATCH /wallets"):
        emulator.fail_next("PATCH", "/wallets")


@pytest.mark.parametrize("times", [0, -1])
def test_failure_that_never_comes_is_refused(emulator: Emulator, times: int) -> None:
    with pytest.raises(ConfigurationError, match="times must be 1 or more"):
        emulator.fail_next("GET", "/wallets", times=times)


@pytest.mark.parametrize("status", [0, 100, 199, 600])
def test_failure_with_a_status_that_is_not_valid_is_refused(
    emulator: Emulator, status: int
) -> None:
    with pytest.raises(ConfigurationError, match="status must be 200 to 599"):
        emulator.fail_next("GET", "/wallets", status=status)


def test_failing_request_is_in_the_request_log(emulator: Emulator, caller: Caller) -> None:
    emulator.fail_next("GET", "/wallets")
    caller.get("/wallets")

    assert len(emulator.requests) == 1


def test_failure_does_not_need_a_token(emulator: Emulator, caller: Caller) -> None:
    """A gateway fails before it looks at tokens."""
    emulator.fail_next("GET", "/wallets", status=502)

    assert caller.http.get("/wallets").status_code == 502
    refused(caller.http.get("/wallets"), 401, "token.missing")

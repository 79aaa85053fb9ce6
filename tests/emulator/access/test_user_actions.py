from __future__ import annotations

from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import Clock

WALLET = compact({"network": "Ethereum"})


def create(caller: Caller, action: str | None, body: bytes = WALLET) -> httpx.Response:
    return caller.send("POST", "/wallets", body, user_action=action)


def action_for(caller: Caller, payload: bytes = WALLET) -> str:
    return caller.user_action("POST", "/wallets", payload.decode("utf-8"))


def wallets(caller: Caller) -> int:
    return len(answered(caller.get("/wallets"))["items"])


def test_signed_call_takes_effect(caller: Caller) -> None:
    answered(create(caller, action_for(caller)))

    assert wallets(caller) == 1


def test_call_without_user_action_is_refused_and_changes_nothing(caller: Caller) -> None:
    refused(create(caller, None), 403, "userAction.missing")

    assert wallets(caller) == 0


def test_empty_user_action_is_unknown(caller: Caller) -> None:
    refused(create(caller, ""), 403, "userAction.unknown")


def test_challenge_identifier_in_place_of_a_user_action_is_refused(caller: Caller) -> None:
    challenge = caller.challenge("POST", "/wallets", WALLET.decode())

    refused(create(caller, challenge["challengeIdentifier"]), 403, "userAction.unknown")


def test_user_action_is_refused_the_second_time(caller: Caller) -> None:
    action = action_for(caller)
    answered(create(caller, action))

    refused(create(caller, action), 400, "userAction.used")
    assert wallets(caller) == 1


def test_user_action_is_spent_by_a_refused_call(caller: Caller) -> None:
    action = action_for(caller)
    refused(create(caller, action, b"{}"), 403, "userAction.payload")

    refused(create(caller, action), 400, "userAction.used")
    assert wallets(caller) == 0


def test_user_action_is_accepted_until_it_expires(caller: Caller, clock: Clock) -> None:
    action = action_for(caller)
    clock.now += 299.9

    answered(create(caller, action))


def test_user_action_for_another_method_is_refused(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Ethereum"})
    path, body = f"/wallets/{wallet['id']}/tags", compact({"tags": ["a"]})

    action = caller.user_action("DELETE", path, body.decode())

    error = refused(caller.send("PUT", path, body, user_action=action), 403, "userAction.method")
    assert error["details"]["announced"] == '"DELETE"'
    assert error["details"]["found"] == '"PUT"'


def test_user_action_for_another_path_is_refused(caller: Caller) -> None:
    action = caller.user_action("POST", "/keys", WALLET.decode())

    error = refused(create(caller, action), 403, "userAction.path")
    assert error["details"]["announced"] == '"/keys"'
    assert error["details"]["found"] == '"/wallets"'


@pytest.mark.parametrize("announced", ["/gw/wallets", "/wallets/", "/wallets?", "/wallets?a=1"])
def test_user_action_for_nearly_the_same_path_is_refused(caller: Caller, announced: str) -> None:
    action = caller.user_action("POST", announced, WALLET.decode())

    refused(create(caller, action), 403, "userAction.path")


def delete_account(caller: Caller, announced: str, query: str) -> httpx.Response:
    """Delete a service account that does not exist: the path is checked before that."""
    path = "/auth/service-accounts/us-1"
    action = caller.user_action("DELETE", path + announced)
    return caller.send("DELETE", path + query, user_action=action)


@pytest.mark.parametrize("announced", ["", "?force=true"])
def test_path_may_be_announced_with_or_without_the_query(caller: Caller, announced: str) -> None:
    refused(delete_account(caller, announced, "?force=true"), 404, "entity")


@pytest.mark.parametrize("announced", ["?force=false", "?"])
def test_path_announced_with_another_query_is_refused(caller: Caller, announced: str) -> None:
    refused(delete_account(caller, announced, "?force=true"), 403, "userAction.path")


def test_path_is_compared_as_it_is_sent(caller: Caller) -> None:
    sent = "/keys/a%2Fb%20c"
    action = caller.user_action("DELETE", sent)

    error = refused(caller.send("DELETE", sent, user_action=action), 404, "entity")

    assert '"a/b c"' in error["message"]


@pytest.mark.parametrize("announced", ["/keys/a/b c", "/keys/a%2fb%20c", "/keys/a%2Fb c"])
def test_path_announced_in_another_encoding_is_refused(caller: Caller, announced: str) -> None:
    action = caller.user_action("DELETE", announced)

    response = caller.send("DELETE", "/keys/a%2Fb%20c", user_action=action)

    refused(response, 403, "userAction.path")


# Payloads. No shape is declared of an invitation, so that every value can be sent.


def invitation(note: str) -> bytes:
    return ('{"email":"e","note":' + note + "}").encode()


def invite(caller: Caller, announced: bytes, sent: bytes) -> httpx.Response:
    action = caller.user_action("POST", "/auth/users/invite", announced.decode("utf-8"))
    return caller.send("POST", "/auth/users/invite", sent, user_action=action)


@pytest.mark.parametrize(
    ("announced", "sent"),
    [
        ("1", "2"),
        ("true", "1"),
        ("false", "0"),
        ("1", "1.0"),
        ("null", "false"),
        ('""', "null"),
        ('"1"', "1"),
        ("[1,2]", "[2,1]"),
        ('{"a":1}', '{"a":1,"b":null}'),
        ('"e\\u0301"', '"\\u00e9"'),
        ("9007199254740993", "9007199254740992"),
    ],
)
def test_payload_of_another_value_is_refused(caller: Caller, announced: str, sent: str) -> None:
    response = invite(caller, invitation(announced), invitation(sent))

    error = refused(response, 403, "userAction.payload", "not the same JSON")
    assert error["details"]["announced"].startswith('"{')


@pytest.mark.parametrize(
    ("announced", "sent"),
    [
        ('"\\u00e9"', '"é"'),
        ('{"a":1,"b":2}', '{ "b" : 2, "a" : 1 }'),
        ("1.0", "1.00"),
    ],
    ids=["escaped", "order-and-spaces", "digits"],
)
def test_payload_of_the_same_value_is_accepted(caller: Caller, announced: str, sent: str) -> None:
    answered(invite(caller, invitation(announced), invitation(sent)))


@pytest.mark.parametrize(
    ("announced", "sent", "difference"),
    [
        ('"\\u00e9"', '"é"', 1),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', 2),
        ("1", "1 ", 1),
    ],
    ids=["escaped", "order", "space"],
)
def test_payload_of_other_bytes_is_refused_where_it_must_be_exact(
    emulator: Emulator, caller: Caller, announced: str, sent: str, difference: int
) -> None:
    emulator.exact_payloads = True

    response = invite(caller, invitation(announced), invitation(sent))

    at = invitation("X").index(b"X") + difference
    refused(response, 403, "userAction.payload", f"the first difference is at byte {at}.")


def test_exact_payload_that_ends_early_is_refused_with_both_lengths(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.exact_payloads = True
    body = invitation("1")

    error = refused(invite(caller, body[:-1], body), 403, "userAction.payload")

    assert f"{len(body) - 1} bytes and the body {len(body)}" in error["message"]
    assert f"at byte {len(body) - 1}." in error["message"]


def test_exact_payload_is_accepted(emulator: Emulator, caller: Caller) -> None:
    emulator.exact_payloads = True

    answered(invite(caller, invitation('"é"'), invitation('"é"')))


def test_exact_payloads_can_be_asked_for_at_the_start(caller: Caller, key: Any) -> None:
    with Emulator(exact_payloads=True) as strict:
        assert strict.exact_payloads is True
    with Emulator() as lax:
        assert lax.exact_payloads is False


def test_announced_payload_with_a_member_twice_is_refused(caller: Caller) -> None:
    response = invite(caller, invitation('{"a":1,"a":2}'), invitation('{"a":2}'))

    refused(response, 403, "userAction.payload", "occurs twice")


def test_announced_payload_that_is_not_json_is_refused(caller: Caller) -> None:
    refused(invite(caller, b"{", invitation("1")), 403, "userAction.payload", "not JSON")


def activate(caller: Caller, announced: bytes, sent: bytes) -> httpx.Response:
    """Activate a token that does not exist: the payload is checked before that."""
    path = "/auth/pats/to-1/activate"
    action = caller.user_action("PUT", path, announced.decode())
    return caller.send("PUT", path, sent, user_action=action)


@pytest.mark.parametrize("announced", [b"", b"{}"])
@pytest.mark.parametrize("sent", [b"", b"{}"])
def test_no_body_equals_an_empty_object(caller: Caller, announced: bytes, sent: bytes) -> None:
    refused(activate(caller, announced, sent), 404, "entity")


@pytest.mark.parametrize(("announced", "sent"), [(b"", b"{}"), (b"{}", b"")])
def test_no_body_and_an_empty_object_differ_where_payloads_must_be_exact(
    emulator: Emulator, caller: Caller, announced: bytes, sent: bytes
) -> None:
    emulator.exact_payloads = True

    refused(activate(caller, announced, sent), 403, "userAction.payload")


@pytest.mark.parametrize("sent", [b"null", b"[]", b'""', b"0", b"false"])
def test_empty_payload_for_another_empty_value_is_refused(caller: Caller, sent: bytes) -> None:
    refused(activate(caller, b"", sent), 403, "userAction.payload")


def test_payload_of_a_body_for_a_call_without_one_is_refused(caller: Caller) -> None:
    refused(activate(caller, b'{"a":1}', b""), 403, "userAction.payload")


def test_long_payload_is_cut_in_the_error(caller: Caller) -> None:
    announced = compact({"network": "x" * 5000})

    error = refused(create(caller, action_for(caller, announced)), 403, "userAction.payload")

    assert len(error["details"]["announced"]) < 300
    assert "5014 characters" in error["details"]["announced"]


def test_get_takes_no_user_action(caller: Caller) -> None:
    action = action_for(caller)

    answered(caller.send("GET", "/wallets", user_action=action))

    answered(create(caller, action))

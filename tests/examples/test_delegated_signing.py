"""The example of delegated signing, as its page drives it, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dfns_signers.emulator import Emulator
from tests.examples.serving import served_example
from tests.examples.visitors import TO, Visitor

EMAIL = "ada@example.com"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def origin(emulator: Emulator) -> Iterator[str]:
    with served_example(emulator) as origin:
        yield origin


@pytest.fixture
def visitor(origin: str) -> Iterator[Visitor]:
    with Visitor.of(origin) as visitor:
        yield visitor


@pytest.fixture
def stranger(origin: str) -> Iterator[Visitor]:
    with Visitor.of(origin) as visitor:
        yield visitor


def test_visitor_registers_makes_a_wallet_and_gets_funds_that_the_desk_approves(
    visitor: Visitor,
) -> None:
    assert visitor.register(EMAIL)["email"] == EMAIL
    (wallet,) = visitor.act("/wallets")["wallets"]

    waiting = visitor.call("POST", "/grants", {"walletId": wallet["id"]})

    (transfer,) = waiting["transfers"]
    (approval,) = waiting["approvals"]
    assert (transfer["status"], transfer["requestBody"]["to"]) == ("Pending", wallet["address"])
    assert approval["activity"]["transferRequest"]["id"] == transfer["id"]
    approved = visitor.call("PUT", f"/approvals/{approval['id']}", {"value": "Approved"})
    assert approved["approvals"] == []
    assert "Confirmed" in [visitor.call("GET", "/state")["transfers"][0]["status"] for _ in "123"]


def test_denied_funds_are_rejected(visitor: Visitor) -> None:
    visitor.register(EMAIL)
    (wallet,) = visitor.act("/wallets")["wallets"]
    waiting = visitor.call("POST", "/grants", {"walletId": wallet["id"]})
    approval = waiting["approvals"][0]["id"]

    denied = visitor.call("PUT", f"/approvals/{approval}", {"value": "Denied"})

    assert denied["transfers"][0]["status"] == "Rejected"


def test_passkey_alone_decides_on_a_transfer_out_of_the_own_wallet(visitor: Visitor) -> None:
    visitor.register(EMAIL)
    (wallet,) = visitor.act("/wallets")["wallets"]

    sent = visitor.act("/transfers", {"walletId": wallet["id"], "to": TO, "amount": "7"})

    assert sent["approvals"] == []
    assert sent["transfers"][0]["requestBody"]["to"] == TO
    assert "Confirmed" in [visitor.call("GET", "/state")["transfers"][0]["status"] for _ in "123"]


def test_visitors_see_and_fund_only_their_own(visitor: Visitor, stranger: Visitor) -> None:
    visitor.register(EMAIL)
    (wallet,) = visitor.act("/wallets")["wallets"]
    visitor.call("POST", "/grants", {"walletId": wallet["id"]})
    stranger.register("eve@example.com")

    seen = stranger.call("GET", "/state")

    assert (seen["wallets"], seen["transfers"]) == ([], [])
    assert stranger.refused("POST", "/grants", {"walletId": wallet["id"]})[0] == 404
    spend = {"walletId": wallet["id"], "to": TO, "amount": "7"}
    signed = stranger.authenticator.get(stranger.call("POST", "/transfers", spend))
    assert stranger.refused("PUT", "/action", signed)[0] == 404


def test_passkey_signs_in_again_from_a_fresh_session(visitor: Visitor) -> None:
    visitor.register(EMAIL)
    wallets = visitor.act("/wallets")["wallets"]
    visitor.http.cookies.clear()
    assert "wallets" not in visitor.call("GET", "/state")

    assert visitor.login(EMAIL)["wallets"] == wallets


def test_passkey_of_somebody_else_does_not_sign_in(visitor: Visitor, stranger: Visitor) -> None:
    visitor.register(EMAIL)
    stranger.register("eve@example.com")
    challenge = stranger.call("POST", "/login", {"email": EMAIL})
    own = {"webauthn": [{"type": "public-key", "id": next(iter(stranger.authenticator.passkeys))}]}

    status, _ = stranger.refused(
        "PUT", "/login", stranger.authenticator.get({**challenge, "allowCredentials": own})
    )

    assert 400 <= status < 500
    assert "email" not in stranger.call("GET", "/state")


def test_recovery_key_brings_the_account_back_with_a_new_passkey(
    visitor: Visitor, stranger: Visitor
) -> None:
    visitor.register(EMAIL)
    wallets = visitor.act("/wallets")["wallets"]
    other_device = stranger
    other_device.recovery = visitor.recovery

    assert other_device.recover(EMAIL)["wallets"] == wallets
    assert len(other_device.act("/wallets")["wallets"]) == 2


def test_passkey_from_before_the_recovery_is_refused(visitor: Visitor, stranger: Visitor) -> None:
    visitor.register(EMAIL)
    stranger.recovery = visitor.recovery
    stranger.recover(EMAIL)
    challenge = visitor.call("POST", "/login", {"email": EMAIL})
    (old,) = visitor.authenticator.passkeys
    listed = {"webauthn": [{"type": "public-key", "id": old}]}

    status, _ = visitor.refused(
        "PUT", "/login", visitor.authenticator.get({**challenge, "allowCredentials": listed})
    )

    assert 400 <= status < 500


def test_page_on_another_origin_cannot_sign(visitor: Visitor) -> None:
    visitor.register(EMAIL)
    visitor.authenticator.origin = "https://dfns.example"
    challenge = visitor.call("POST", "/wallets")

    status, message = visitor.refused("PUT", "/action", visitor.authenticator.get(challenge))

    assert 400 <= status < 500
    assert "origin" in message
    assert visitor.call("GET", "/state")["wallets"] == []


def test_another_site_changes_nothing_through_the_browser_of_a_user(visitor: Visitor) -> None:
    visitor.register(EMAIL)

    for origin in ({"origin": "https://evil.example"}, {"origin": "null"}):
        visitor.http.headers.update(origin)
        assert visitor.refused("POST", "/wallets")[0] == 403
    del visitor.http.headers["origin"]
    assert visitor.refused("POST", "/wallets")[0] == 403


def test_no_token_reaches_the_page_and_no_script_reads_the_cookie(
    visitor: Visitor, emulator: Emulator
) -> None:
    challenge = visitor.call("POST", "/registration", {"email": EMAIL})
    answer = visitor.http.put("/registration", json=visitor.new_credentials(challenge))

    assert "temporaryAuthenticationToken" not in challenge
    assert "eyJ" not in answer.text
    assert "HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]


def test_session_ends_when_somebody_signs_in_anew(visitor: Visitor) -> None:
    visitor.register(EMAIL)
    before = visitor.http.cookies["session"]

    assert visitor.login(EMAIL)["email"] == EMAIL

    visitor.http.cookies.clear()
    visitor.http.cookies.set("session", before)
    assert "email" not in visitor.call("GET", "/state")


def test_session_of_before_the_login_is_not_signed_in(visitor: Visitor) -> None:
    visitor.call("GET", "/state")
    before = visitor.http.cookies["session"]

    visitor.register(EMAIL)

    visitor.http.cookies.clear()
    visitor.http.cookies.set("session", before)
    assert "email" not in visitor.call("GET", "/state")


def test_signature_is_good_for_one_action(visitor: Visitor) -> None:
    visitor.register(EMAIL)
    signed = visitor.authenticator.get(visitor.call("POST", "/wallets"))
    assert len(visitor.call("PUT", "/action", signed)["wallets"]) == 1

    assert visitor.refused("PUT", "/action", signed)[0] == 409
    assert len(visitor.call("GET", "/state")["wallets"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/registration", {"firstFactorCredential": {}, "recoveryCredential": {}}),
        ("PUT", "/login", {}),
        ("PUT", "/recovery", {"recovery": {}, "newCredentials": {}}),
        ("POST", "/wallets", {}),
        ("POST", "/grants", {"walletId": "wa-1"}),
        ("PUT", "/action", {}),
    ],
)
def test_step_that_was_not_begun_is_refused_with_what_to_do(
    visitor: Visitor, method: str, path: str, body: dict[str, object]
) -> None:
    status, message = visitor.refused(method, path, body)

    assert (status, message) == (
        409,
        "The server does not know what you began: reload this page.",
    )


def test_stranger_is_advised_to_create_an_account(visitor: Visitor) -> None:
    status, message = visitor.refused("POST", "/login", {"email": EMAIL})

    assert (status, message[:27]) == (404, "No account has this address")


def test_recovery_key_of_another_account_is_refused(visitor: Visitor, stranger: Visitor) -> None:
    visitor.register(EMAIL)
    asked = {"email": EMAIL, "credentialId": "cr-another"}

    status, message = stranger.refused("POST", "/recovery", asked)

    assert 400 <= status < 500
    assert message.startswith("This recovery key is not")


def test_member_that_is_missing_is_named(visitor: Visitor) -> None:
    assert visitor.refused("POST", "/login", {}) == (400, "the request has no 'email'")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_request_that_is_not_a_json_object_is_refused(visitor: Visitor, body: bytes) -> None:
    answer = visitor.http.post("/login", content=body)

    assert answer.status_code == 400
    assert answer.json() == {"error": "the request is not a JSON object"}

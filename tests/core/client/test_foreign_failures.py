"""Whatever is raised on the way of a call is an error of ours, with what became of the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dfns_signers import DfnsClient
from dfns_signers.errors import (
    CallError,
    ConfigurationError,
    DfnsSignersError,
    RequestError,
    RequestTimeoutError,
    SigningError,
    TokenProviderError,
    TransportError,
    UnexpectedResponseError,
)
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import CUT, Reply, ScriptedApi, Seen

pytestmark = pytest.mark.usefixtures("pauses")

STEPS = ["/auth/action/init", "/auth/action"]
ODD_LOCATIONS = ["javascript:@", "mailto:x", "http://xn--a/", "//xn--.", ":abchttp://%\xff["]
TRANSFERS = "/wallets/wa-1/transfers"
FAILURES = [ConnectionRefusedError("c4nary"), ValueError("c4nary"), httpx.ReadError("c4nary")]


def transfer(client: Any) -> Any:
    return client.wallets.transfer("wa-1", to="0x0", amount=1, external_id="pay")


def raiser(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("location", ODD_LOCATIONS)
def test_redirect_with_an_odd_location_is_an_unexpected_response(
    scripted: Driven, api: ScriptedApi, location: str
) -> None:
    redirect = Reply(302, headers={"Location": location})
    api.on("/wallets", redirect, redirect)

    with pytest.raises(UnexpectedResponseError) as caught:
        scripted.call(lambda client: client.post("/wallets"))
    assert caught.value.may_have_taken_effect

    with pytest.raises(UnexpectedResponseError) as caught:
        scripted.call(lambda client: client.get("/wallets"))
    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("location", ODD_LOCATIONS)
def test_redirect_of_a_step_with_an_odd_location_had_no_effect(
    scripted: Driven, api: ScriptedApi, location: str, step: str
) -> None:
    api.on(step, Reply(302, headers={"Location": location}))

    with pytest.raises(UnexpectedResponseError) as caught:
        scripted.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert api.sent("/wallets") == []


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_token_provider_that_fails_is_named_and_not_quoted(
    connect: Connector, api: ScriptedApi, error: Exception
) -> None:
    dfns = connect(raiser(error), base_url=api.url)

    with pytest.raises(TokenProviderError, match=rf"fail failed with {type(error).__name__}") as c:
        dfns.call(lambda client: client.get("/wallets"))

    assert c.value.__cause__ is error
    assert "c4nary" not in str(c.value)
    assert api.seen == []


def test_error_of_ours_from_a_token_provider_passes(connect: Connector, api: ScriptedApi) -> None:
    error = ConfigurationError("the variable is not set")
    dfns = connect(raiser(error), base_url=api.url)

    with pytest.raises(ConfigurationError) as caught:
        dfns.call(lambda client: client.get("/wallets"))

    assert caught.value is error


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_foreign_signer_that_fails_is_named_and_not_quoted(
    connect: Connector, api: ScriptedApi, error: Exception, asynchronous: bool
) -> None:
    class Remote:
        sign = raiser(error)

    class AsyncRemote(Remote):
        asign = raiser(error)

    dfns = connect("token", (AsyncRemote if asynchronous else Remote)(), base_url=api.url)

    with pytest.raises(SigningError, match=rf"Remote failed with {type(error).__name__}") as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert caught.value.__cause__ is error
    assert "c4nary" not in str(caught.value)
    assert [seen.target for seen in api.seen] == [STEPS[0]]


@pytest.mark.parametrize("place", ["token", "signer", "location", "hook"])
def test_no_later_failure_hides_that_an_attempt_may_have_had_its_effect(
    connect: Connector, api: ScriptedApi, signer: KeySigner, place: str
) -> None:
    lost: list[Seen] = []

    def lose(seen: Seen) -> Reply:
        lost.append(seen)
        if place == "location":
            api.on(STEPS[0], always=Reply(302, headers={"Location": "mailto:x"}))
        return CUT

    def fail_once_lost(value: Any) -> Any:
        if lost:
            raise RuntimeError("broken")
        return value

    class Flaky:
        def sign(self, challenge: Any) -> Any:
            return fail_once_lost(signer.sign(challenge))

    async def hook(request: httpx.Request) -> None:
        fail_once_lost(None)

    hooks: dict[str, list[Any]] = {"request": [hook if connect.portal else fail_once_lost]}
    api.on(TRANSFERS, always=lose)
    dfns = connect(
        (lambda: fail_once_lost("token")) if place == "token" else "token",
        Flaky() if place == "signer" else signer,
        base_url=api.url,
        **({"http_client": connect.http(event_hooks=hooks)} if place == "hook" else {}),
    )

    with pytest.raises(CallError, match="may have taken effect") as caught:
        dfns.call(transfer)

    assert caught.value.may_have_taken_effect
    assert len(lost) == 1


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_interruption_passes_though_an_attempt_may_have_had_its_effect(
    api: ScriptedApi, signer: KeySigner, interruption: type[BaseException]
) -> None:
    class Interrupted:
        asked = 0

        def sign(self, challenge: Any) -> Any:
            self.asked += 1
            if self.asked > 1:
                raise interruption
            return signer.sign(challenge)

    api.on(TRANSFERS, always=CUT)
    with (
        DfnsClient("token", Interrupted(), base_url=api.url) as dfns,
        pytest.raises(interruption),
    ):
        transfer(dfns)


def test_event_hook_that_fails_before_anything_is_sent_is_a_request_error(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    broken = raiser(LookupError("c4nary"))
    http = connect.http(event_hooks={"request": [broken]})
    dfns = connect("token", signer, base_url=api.url, http_client=http)

    with pytest.raises(DfnsSignersError, match="LookupError") as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert not getattr(caught.value, "may_have_taken_effect", False)
    assert "c4nary" not in str(caught.value)
    assert api.seen == []


@pytest.mark.parametrize("error", [LookupError("c4nary"), TimeoutError("c4nary")])
def test_httpx_client_that_fails_before_anything_is_sent_is_a_request_error(
    connect: Connector, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    http = connect.http()
    monkeypatch.setattr(http, "send", raiser(error))
    dfns = connect("token", base_url=api.url, http_client=http)

    with pytest.raises(RequestError, match=f"cannot be sent: .*{type(error).__name__}") as caught:
        dfns.call(lambda client: client.post("/wallets", signed=False))

    assert "c4nary" not in str(caught.value)


def test_connection_error_without_a_request_names_the_call(
    connect: Connector, api: ScriptedApi
) -> None:
    http = connect.http(event_hooks={"request": [raiser(httpx.ConnectError("refused"))]})
    dfns = connect("token", base_url=api.url, http_client=http)

    with pytest.raises(TransportError, match=f"GET {api.url}/wallets failed: refused"):
        dfns.call(lambda client: client.get("/wallets"))


@pytest.mark.parametrize("place", ["/wallets", *STEPS])
def test_cookies_are_not_kept(scripted: Driven, api: ScriptedApi, place: str) -> None:
    api.on(place, Reply(400, headers={"Set-Cookie": "session=\xe9; Path=/"}))
    with pytest.raises(DfnsSignersError):
        scripted.call(lambda client: client.post("/wallets"))

    scripted.call(lambda client: client.post("/wallets"))

    assert all("cookie" not in seen.headers for seen in api.seen)


def test_cookie_of_a_given_client_that_cannot_be_sent_is_not_blamed_on_the_url(
    connect: Connector, api: ScriptedApi
) -> None:
    dfns = connect("token", base_url=api.url, http_client=connect.http(cookies={"a": "\xe9"}))

    with pytest.raises(RequestError, match="check the headers and cookies"):
        dfns.call(lambda client: client.get("/wallets"))


@pytest.mark.parametrize("external_id", [None, "once"])
def test_408_is_a_timeout_that_may_have_had_its_effect(
    scripted: Driven, api: ScriptedApi, external_id: str | None
) -> None:
    api.on("/wallets", always=Reply(408))

    with pytest.raises(RequestTimeoutError) as caught:
        scripted.call(lambda client: client.wallets.create(network="X", external_id=external_id))

    assert caught.value.may_have_taken_effect
    assert len(api.sent("/wallets")) == (3 if external_id else 1)


@pytest.mark.parametrize(
    ("status", "message", "doubt"),
    [
        (400, "user action has already been used", True),
        (403, "The User Action has already been used.", True),
        (400, "network is not valid", False),
    ],
)
def test_fresh_user_action_that_was_used_already_leaves_a_doubt(
    scripted: Driven, api: ScriptedApi, status: int, message: str, doubt: bool
) -> None:
    api.on("/wallets", Reply(status, {"error": {"message": message}}))

    with pytest.raises(CallError) as caught:
        scripted.call(lambda client: client.post("/wallets"))

    assert caught.value.may_have_taken_effect is doubt


@pytest.mark.parametrize(
    "body",
    [
        {"userAction": "jwt"},
        {"userAction": "jwt", "expiresAt": "2026-11-21"},
        {"challenge": "c", "challengeIdentifier": "i"},
        {"challenge": "c"},
    ],
    ids=["user action", "user action and more", "challenge", "half a challenge"],
)
def test_answer_of_a_step_is_never_the_result_of_a_call(
    scripted: Driven, api: ScriptedApi, body: dict[str, str]
) -> None:
    api.on("/wallets", Reply(body=body), Reply(body=body))

    with pytest.raises(UnexpectedResponseError, match="another request") as caught:
        scripted.call(lambda client: client.post("/wallets"))
    assert caught.value.may_have_taken_effect

    with pytest.raises(UnexpectedResponseError, match="another request") as caught:
        scripted.call(lambda client: client.get("/wallets"))
    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/action", {"userAction": "jwt"}),
        ("/auth/credentials/init", {"challengeIdentifier": "i"}),
        ("/auth/registration/delegated", {"challengeIdentifier": "i"}),
        ("/auth/service-accounts", {"userInfo": {}}),
    ],
)
def test_answer_that_a_call_really_has_is_its_result(
    scripted: Driven, api: ScriptedApi, path: str, body: dict[str, str]
) -> None:
    api.on(path, Reply(body=body))

    assert scripted.call(lambda client: client.request("POST", path, signed=False)) == body

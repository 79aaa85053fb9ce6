"""Anybody's httpx client signs with ``UserActionAuth``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    AuthenticationError,
    ConfigurationError,
    RequestError,
    UnexpectedResponseError,
)
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.recordings import announced, calls
from tests.core.client.scripted import Reply, ScriptedApi

UNSIGNED = {"dfns_signed": False}


def test_json_of_httpx_is_announced_as_httpx_sends_it(
    http: httpx.Client, emulator: Emulator
) -> None:
    response = http.post("/wallets", json={"network": "Bitcoin", "name": "é<>&"})

    assert response.status_code == 200
    assert announced(emulator)[-1]["userActionPayload"].encode() == calls(emulator)[-1].body


@pytest.mark.anyio
async def test_asynchronous_client_signs_too(emulator: Emulator, auth: UserActionAuth) -> None:
    async with httpx.AsyncClient(base_url=emulator.url, auth=auth) as http:
        response = await http.post("/wallets", json={"network": "Bitcoin"})

    assert response.status_code == 200


def test_content_without_a_type_is_sent_as_json(http: httpx.Client, emulator: Emulator) -> None:
    body = b'{ "network" : "Bitcoin" }'

    assert http.post("/wallets", content=body).status_code == 200
    assert calls(emulator)[-1].body == body
    assert announced(emulator)[-1]["userActionPayload"] == body.decode()
    assert calls(emulator)[-1].headers["content-type"] == "application/json"


def test_content_that_comes_in_pieces_is_announced_as_a_whole(
    http: httpx.Client, emulator: Emulator
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"network":'
        yield b'"Bitcoin"}'

    assert http.post("/wallets", content=pieces()).status_code == 200
    assert announced(emulator)[-1]["userActionPayload"] == '{"network":"Bitcoin"}'


@pytest.mark.anyio
async def test_content_that_comes_in_pieces_asynchronously_is_announced_as_a_whole(
    emulator: Emulator, auth: UserActionAuth
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"network":'
        yield b'"Bitcoin"}'

    async with httpx.AsyncClient(base_url=emulator.url, auth=auth) as http:
        response = await http.post("/wallets", content=pieces())

    assert response.status_code == 200
    assert announced(emulator)[-1]["userActionPayload"] == '{"network":"Bitcoin"}'


def test_no_content_is_announced_as_an_empty_payload(
    http: httpx.Client, emulator: Emulator
) -> None:
    account = emulator.add_identity("robot", service_account=True)

    response = http.put(f"/auth/service-accounts/{account.user_id}/activate")

    assert response.status_code == 200
    assert announced(emulator)[-1]["userActionPayload"] == ""


def test_body_that_is_no_json_is_refused_and_nothing_is_sent(
    http: httpx.Client, emulator: Emulator
) -> None:
    with pytest.raises(RequestError, match="multipart/form-data"):
        http.post("/key-stores/ks-1/output", files={"file": b"data"}, data={"data": "{}"})
    with pytest.raises(RequestError, match="x-www-form-urlencoded"):
        http.post("/wallets", data={"network": "Bitcoin"})
    with pytest.raises(RequestError, match="text/plain"):
        http.post("/wallets", content=b"{}", headers={"Content-Type": "text/plain"})
    with pytest.raises(RequestError, match="not UTF-8"):
        http.post("/wallets", content=b'{"name":"\xe9"}')

    assert emulator.requests == ()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=utf-7"},
        {"Content-Type": "application/json; charset=utf-8; charset=utf-16"},
        {"Content-Type": "application/json, application/json"},
        {"Content-Encoding": "br"},
    ],
)
def test_body_that_the_api_may_decode_to_another_is_refused_and_nothing_is_sent(
    http: httpx.Client, emulator: Emulator, headers: dict[str, str]
) -> None:
    """In UTF-7, the quotes of the name are others."""
    body = b'{"network":"Bitcoin","name":"+ACI-,+ACI-network+ACI-:+ACI-Solana"}'

    with pytest.raises(RequestError, match="UTF-8"):
        http.post("/wallets", content=body, headers=headers)

    assert emulator.requests == ()


@pytest.mark.parametrize(
    "media_type",
    ["application/json; charset=utf-8", 'application/json;charset="UTF-8"', "Application/JSON"],
)
def test_json_type_may_be_written_in_any_way(http: httpx.Client, media_type: str) -> None:
    response = http.post(
        "/wallets", content=b'{"network":"Bitcoin"}', headers={"Content-Type": media_type}
    )

    assert response.status_code == 200


def test_extension_of_a_request_overrides_whether_it_is_signed(
    http: httpx.Client, emulator: Emulator
) -> None:
    unsigned = http.post("/wallets", json={"network": "Bitcoin"}, extensions=UNSIGNED)
    assert unsigned.status_code == 403
    assert announced(emulator) == []

    http.get("/wallets", extensions={"dfns_signed": True})
    assert announced(emulator)[-1]["userActionHttpMethod"] == "GET"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/keys/%2e%2e/wallets", "/wallets/", "/keys//signatures"])
def test_path_that_could_lead_elsewhere_is_refused_and_nothing_is_sent(
    http: httpx.Client, emulator: Emulator, method: str, path: str
) -> None:
    with pytest.raises(RequestError, match="path"):
        http.request(method, path)

    assert emulator.requests == ()


def test_query_is_not_announced(http: httpx.Client, emulator: Emulator) -> None:
    account = emulator.add_identity("robot", service_account=True)

    response = http.delete(f"/auth/service-accounts/{account.user_id}", params={"force": "true"})

    assert response.status_code == 200
    assert calls(emulator)[-1].query == "force=true"
    assert announced(emulator)[-1]["userActionHttpPath"] == calls(emulator)[-1].raw_path


def test_refused_call_is_left_to_the_caller_and_a_refused_step_is_an_error(
    http: httpx.Client, emulator: Emulator
) -> None:
    assert http.post("/wallets", json={}).status_code == 400

    emulator.fail_next("POST", "/auth/action", status=401)
    with pytest.raises(AuthenticationError):
        http.post("/wallets", json={"network": "Bitcoin"})


def test_streamed_answer_is_left_to_the_caller(api: ScriptedApi) -> None:
    api.on("/auth/action/logs", Reply(body=b"a,b\n1,2\n"))

    with (
        httpx.Client(auth=UserActionAuth("token", base_url=api.url)) as http,
        http.stream("GET", f"{api.url}/auth/action/logs") as response,
    ):
        assert not response.is_stream_consumed
        assert b"".join(response.iter_raw()) == b"a,b\n1,2\n"

    assert api.seen[0].headers["authorization"] == "Bearer token"


@pytest.mark.anyio
async def test_streamed_answer_is_left_to_the_asynchronous_caller(
    api: ScriptedApi, signer: KeySigner
) -> None:
    api.on("/wallets", Reply(body=b"stream"))

    async with (
        httpx.AsyncClient(auth=UserActionAuth("token", signer, base_url=api.url)) as http,
        http.stream("POST", f"{api.url}/wallets") as response,
    ):
        assert not response.is_stream_consumed
        assert await response.aread() == b"stream"


def test_request_to_another_place_is_refused_before_it_has_the_token(
    auth: UserActionAuth, api: ScriptedApi
) -> None:
    with httpx.Client(auth=auth) as http:
        for method in ("GET", "POST"):
            request = http.build_request(method, f"{api.url}/wallets")
            with pytest.raises(RequestError, match="the token is sent nowhere else"):
                http.send(request)
            assert "authorization" not in request.headers

    assert api.seen == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirect_that_the_client_followed_is_an_error(
    api: ScriptedApi, signer: KeySigner, method: str
) -> None:
    api.on("/wallets", Reply(307, headers={"Location": "/elsewhere"}))

    with (
        httpx.Client(
            auth=UserActionAuth("token", signer, base_url=api.url), follow_redirects=True
        ) as http,
        pytest.raises(UnexpectedResponseError, match="redirect") as caught,
    ):
        http.request(method, f"{api.url}/wallets")

    assert caught.value.may_have_taken_effect is (method == "POST")


@pytest.mark.parametrize("step", ["/auth/action/init", "/auth/action"])
def test_redirect_of_a_step_that_the_client_followed_ends_the_exchange(
    api: ScriptedApi, signer: KeySigner, step: str
) -> None:
    api.on(step, Reply(307, headers={"Location": "/elsewhere"}))

    with (
        httpx.Client(
            auth=UserActionAuth("token", signer, base_url=api.url), follow_redirects=True
        ) as http,
        pytest.raises(UnexpectedResponseError, match="redirect"),
    ):
        http.post(f"{api.url}/wallets")

    assert api.sent("/wallets") == []


def test_request_that_is_sent_again_has_a_user_action_of_its_own(
    api: ScriptedApi, signer: KeySigner
) -> None:
    with httpx.Client(auth=UserActionAuth("token", signer, base_url=api.url)) as http:
        request = http.build_request("POST", f"{api.url}/wallets")
        for _ in range(2):
            http.send(request)

    steps = [seen for seen in api.seen if seen.target.startswith("/auth/action")]
    assert len(steps) == 4
    assert all("x-dfns-useraction" not in step.headers for step in steps)


def test_signed_call_without_a_signer_is_refused(api: ScriptedApi) -> None:
    with (
        httpx.Client(auth=UserActionAuth("token", base_url=api.url)) as http,
        pytest.raises(ConfigurationError, match="no signer"),
    ):
        http.post(f"{api.url}/wallets")

    assert api.seen == []


def test_repr_shows_where_and_who_and_no_token(auth: UserActionAuth, emulator: Emulator) -> None:
    assert emulator.url in repr(auth)
    assert "cr-first" in repr(auth)
    assert emulator.auth_token not in repr(auth)

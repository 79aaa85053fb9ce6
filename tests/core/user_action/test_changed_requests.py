"""What is sent is what was announced: nothing of httpx changes a request on its way unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dfns_signers import DfnsClient, KeySigner
from dfns_signers.errors import CallError, RequestError
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.scripted import ScriptedApi

STEPS = ["/auth/action/init", "/auth/action"]


def other_path(request: httpx.Request) -> None:
    request.url = request.url.copy_with(path="/wallets/wa-1/transfers")


def other_method(request: httpx.Request) -> None:
    request.method = "DELETE"


def other_body(request: httpx.Request) -> None:
    request.stream = httpx.ByteStream(request.content.replace(b"Bitcoin", b"Solana!"))


def other_target(request: httpx.Request) -> None:
    request.extensions["target"] = b"/wallets/wa-1/transfers"


def other_host(request: httpx.Request) -> None:
    request.headers["Host"] = "other.example"


def method_override(request: httpx.Request) -> None:
    request.headers["X-HTTP-Method-Override"] = "DELETE"


def other_charset(request: httpx.Request) -> None:
    request.headers["Content-Type"] = "application/json; charset=utf-7"


def packed(request: httpx.Request) -> None:
    request.headers["Content-Encoding"] = "br"


CHANGES = {
    "URL": other_path,
    "method": other_method,
    "body": other_body,
    "extension 'target'": other_target,
    "header 'Host'": other_host,
    "header 'X-HTTP-Method-Override'": method_override,
    "header 'Content-Type'": other_charset,
    "header 'Content-Encoding'": packed,
}


def only(path: str, change: Callable[[httpx.Request], None]) -> Callable[[httpx.Request], None]:
    def hook(request: httpx.Request) -> None:
        if request.url.path == path:
            change(request)

    return hook


def hooked(api: ScriptedApi, signer: KeySigner, hook: Any, auth: bool) -> httpx.Client:
    ours = UserActionAuth("token", signer, base_url=api.url) if auth else None
    return httpx.Client(auth=ours, event_hooks={"request": [hook]})


@pytest.mark.parametrize("what", CHANGES)
def test_call_that_an_event_hook_changed_is_an_error_that_says_so(
    api: ScriptedApi, signer: KeySigner, what: str
) -> None:
    hook = only("/wallets", CHANGES[what])

    with (
        hooked(api, signer, hook, auth=True) as http,
        pytest.raises(CallError, match=f"POST /wallets was changed .*{what}.*event hook") as caught,
    ):
        http.post(f"{api.url}/wallets", json={"network": "Bitcoin"})

    assert caught.value.may_have_taken_effect


@pytest.mark.parametrize(
    ("change", "uncertain"), [(other_path, False), (other_target, False), (other_method, True)]
)
def test_changed_read_may_have_had_an_effect_only_if_it_became_another_method(
    api: ScriptedApi,
    signer: KeySigner,
    change: Callable[[httpx.Request], None],
    uncertain: bool,
) -> None:
    with (
        hooked(api, signer, only("/wallets", change), auth=True) as http,
        pytest.raises(CallError, match="GET /wallets was changed") as caught,
    ):
        http.get(f"{api.url}/wallets")

    assert caught.value.may_have_taken_effect is uncertain


@pytest.mark.parametrize("what", CHANGES)
def test_call_of_a_client_that_an_event_hook_changed_is_not_repeated(
    api: ScriptedApi, signer: KeySigner, what: str
) -> None:
    with hooked(api, signer, only("/wallets", CHANGES[what]), auth=False) as http:
        dfns = DfnsClient("token", signer, base_url=api.url, http_client=http)

        with pytest.raises(CallError, match=f"was changed after it was announced .*{what}"):
            dfns.post("/wallets", json={"network": "Bitcoin", "externalId": "once"})

    assert len(api.seen) == 3


@pytest.mark.parametrize("step", STEPS)
def test_step_that_an_event_hook_changed_ends_the_exchange(
    api: ScriptedApi, signer: KeySigner, step: str
) -> None:
    def elsewhere(request: httpx.Request) -> None:
        request.url = request.url.copy_with(query=b"a=b")

    with (
        hooked(api, signer, only(step, elsewhere), auth=True) as http,
        pytest.raises(CallError, match=f"POST {step} was changed") as caught,
    ):
        http.post(f"{api.url}/wallets", json={"network": "Bitcoin"})

    assert not caught.value.may_have_taken_effect
    assert api.sent("/wallets") == []


def test_event_hook_may_add_headers(api: ScriptedApi, signer: KeySigner) -> None:
    def sign_for_the_gateway(request: httpx.Request) -> None:
        request.headers["X-Gateway"] = "signed"

    with hooked(api, signer, sign_for_the_gateway, auth=True) as http:
        assert http.post(f"{api.url}/wallets", json={"network": "Bitcoin"}).status_code == 200

    assert {seen.headers["x-gateway"] for seen in api.seen} == {"signed"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", [b"/wallets/wa-1/transfers", b"/wallets", None])
def test_target_of_httpx_is_refused_and_nothing_is_sent(
    api: ScriptedApi, signer: KeySigner, method: str, target: bytes | None
) -> None:
    with (
        httpx.Client(auth=UserActionAuth("token", signer, base_url=api.url)) as http,
        pytest.raises(RequestError, match="the extension 'target'"),
    ):
        http.request(method, f"{api.url}/wallets", extensions={"target": target})

    assert api.seen == []


OVERRIDES = {
    "X-HTTP-Method-Override": "DELETE",
    "x-http-method-override": "POST",
    "X-Method-Override": "DELETE",
    "X-HTTP-Method": "PUT",
    "X-Original-URL": "/wallets/wa-1/transfers",
    "X-Rewrite-URL": "/wallets/wa-1/transfers",
    "Host": "other.example",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", OVERRIDES)
def test_header_that_changes_the_meaning_of_a_request_is_refused_and_nothing_is_sent(
    api: ScriptedApi, signer: KeySigner, method: str, name: str
) -> None:
    headers = {name: OVERRIDES[name]}

    with (
        httpx.Client(auth=UserActionAuth("token", signer, base_url=api.url)) as http,
        pytest.raises(RequestError, match=f"(?i)the header '{name}' of {method} /wallets is"),
    ):
        http.request(method, f"{api.url}/wallets", headers=headers)
    with (
        httpx.Client(headers=headers) as http,
        pytest.raises(RequestError, match=f"(?i)the header '{name}' of {method} /wallets is"),
    ):
        DfnsClient("token", signer, base_url=api.url, http_client=http).request(method, "/wallets")

    assert api.seen == []


def test_two_host_headers_are_refused_and_nothing_is_sent(api: ScriptedApi) -> None:
    host = api.url.removeprefix("http://")

    with (
        httpx.Client(auth=UserActionAuth("token", base_url=api.url)) as http,
        pytest.raises(RequestError, match="the header 'Host'"),
    ):
        http.get(f"{api.url}/wallets", headers=[("Host", host), ("Host", host)])

    assert api.seen == []


@pytest.mark.parametrize("host", ["API.dfns.io", "api.dfns.io:443"])
def test_host_header_may_write_the_host_of_the_url_in_another_way(host: str) -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(200))

    with httpx.Client(
        auth=UserActionAuth("token", base_url="https://api.dfns.io"), transport=answers
    ) as http:
        assert http.get("https://api.dfns.io/wallets", headers={"Host": host}).is_success


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"network":"Solana","network":"Bitcoin"}', "network"),
        (b"abc", "Expecting value"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":1} x', "Extra data"),
    ],
)
def test_body_that_is_not_strict_json_is_refused_before_it_is_announced(
    api: ScriptedApi, signer: KeySigner, body: bytes, reason: str
) -> None:
    with (
        httpx.Client(auth=UserActionAuth("token", signer, base_url=api.url)) as http,
        pytest.raises(RequestError, match=f"body of POST /wallets is not strict JSON: .*{reason}"),
    ):
        http.post(f"{api.url}/wallets", content=body)

    assert api.seen == []


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "PO ST", "POÜST"])
def test_method_that_is_none_is_refused_in_anybodys_client(api: ScriptedApi, method: str) -> None:
    with (
        httpx.Client(auth=UserActionAuth("token", base_url=api.url)) as http,
        pytest.raises(RequestError, match="the HTTP method must be one of"),
    ):
        http.request(method, f"{api.url}/wallets")

    assert api.seen == []

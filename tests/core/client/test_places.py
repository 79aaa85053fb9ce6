"""Where the token goes: to the base URL, past no proxy on this machine, and nowhere else."""

from __future__ import annotations

import pytest

from dfns_signers.errors import ConfigurationError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector
from tests.core.client.scripted import ScriptedApi


@pytest.mark.parametrize(
    "base_url", ["http://api.dfns.io", "http://localhost.evil.test", "ftp://api.dfns.io", ""]
)
def test_base_url_that_is_not_safe_is_refused(connect: Connector, base_url: str) -> None:
    with pytest.raises(ConfigurationError):
        connect("token", base_url=base_url)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxy_of_the_environment_is_not_used_for_this_machine(
    connect: Connector,
    api: ScriptedApi,
    signer: KeySigner,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ScriptedApi() as proxy:
        monkeypatch.setenv(variable, proxy.url)

        connect("token", signer, base_url=api.url).call(lambda client: client.post("/wallets"))

        assert proxy.seen == []
    assert len(api.seen) == 3


def test_headers_of_the_callers_http_client_do_not_change_who_is_calling(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    http = connect.http(
        headers={"authorization": "Bearer other", "x-dfns-useraction": "old", "X-Trace": "t-1"},
        auth=("user", "password"),
    )
    dfns = connect("token", signer, base_url=api.url, http_client=http)

    dfns.call(lambda client: client.post("/wallets"))

    call = api.sent("/wallets")[0]
    assert call.headers["authorization"] == "Bearer token"
    assert call.user_action == "action-1"
    assert call.headers["x-trace"] == "t-1"
    assert {seen.headers["authorization"] for seen in api.seen} == {"Bearer token"}


def test_base_url_of_the_callers_http_client_is_not_used(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    with ScriptedApi() as other:
        dfns = connect(
            "token", signer, base_url=api.url, http_client=connect.http(base_url=other.url)
        )

        dfns.call(lambda client: client.post("/wallets"))

        assert other.seen == []
    assert len(api.seen) == 3


def test_headers_and_cookies_of_the_callers_http_client_go_with_every_request(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    http = connect.http(headers={"X-Gateway-Key": "k"}, cookies={"session": "s"})
    dfns = connect("token", signer, base_url=api.url, http_client=http)

    dfns.call(lambda client: client.post("/wallets", json={"network": "Bitcoin"}))

    assert [seen.target for seen in api.seen] == ["/auth/action/init", "/auth/action", "/wallets"]
    assert {seen.headers["x-gateway-key"] for seen in api.seen} == {"k"}
    assert {seen.headers["cookie"] for seen in api.seen} == {"session=s"}
    assert [seen.user_action is None for seen in api.seen] == [True, True, False]

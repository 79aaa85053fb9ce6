"""Redirects are never followed: token and user action would go along."""

from __future__ import annotations

import pytest

from dfns_signers.errors import UnexpectedResponseError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector
from tests.core.client.scripted import Reply, ScriptedApi


@pytest.mark.parametrize("own_http_client", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_an_error_and_nothing_goes_to_its_target(
    connect: Connector,
    api: ScriptedApi,
    signer: KeySigner,
    status: int,
    method: str,
    own_http_client: bool,
) -> None:
    options = {"http_client": connect.http(follow_redirects=True)} if own_http_client else {}
    dfns = connect("token", signer, base_url=api.url, **options)
    api.on("/wallets", Reply(status, headers={"Location": f"{api.url}/elsewhere"}))

    with pytest.raises(UnexpectedResponseError, match=r"redirect to 127\.0\.0\.1") as caught:
        dfns.call(lambda client: client.request(method, "/wallets"))

    assert caught.value.may_have_taken_effect is (method == "POST")
    assert api.sent("/elsewhere") == []
    assert len(api.sent("/wallets")) == 1


@pytest.mark.parametrize("step", ["/auth/action/init", "/auth/action"])
@pytest.mark.parametrize("own_http_client", [False, True])
def test_redirect_of_a_step_is_an_error_and_nothing_goes_to_its_target(
    connect: Connector, api: ScriptedApi, signer: KeySigner, own_http_client: bool, step: str
) -> None:
    options = {"http_client": connect.http(follow_redirects=True)} if own_http_client else {}
    dfns = connect("token", signer, base_url=api.url, **options)
    api.on(step, Reply(307, headers={"Location": "/elsewhere"}))

    with pytest.raises(UnexpectedResponseError, match="redirect"):
        dfns.call(lambda client: client.post("/wallets"))

    assert api.sent("/elsewhere") == []
    assert api.sent("/wallets") == []


@pytest.mark.parametrize("status", [300, 304, 307])
def test_redirect_without_a_target_is_an_error(
    connect: Connector, api: ScriptedApi, status: int
) -> None:
    dfns = connect("token", base_url=api.url)
    api.on("/wallets", Reply(status))

    with pytest.raises(UnexpectedResponseError, match="redirect"):
        dfns.call(lambda client: client.get("/wallets"))

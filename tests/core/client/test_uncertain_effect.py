"""An answer that was lost stays a doubt, whatever the later attempts say."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers import KeySigner, PemKey
from dfns_signers.errors import ApiError, CallError, SigningRefusedError, TransportError
from dfns_signers.hooks import SigningRequest, hookimpl
from tests.core.client.driving import Connector
from tests.core.client.scripted import CUT, Reply, ScriptedApi
from tests.core.keys import private_key, private_pem

pytestmark = pytest.mark.usefixtures("pauses")
INIT = "/auth/action/init"


class Lost:
    """A transfer whose answer is lost, after which something else goes wrong."""

    def __init__(self, connect: Connector, api: ScriptedApi, signer: KeySigner) -> None:
        self.api = api
        self.dfns = connect("token", signer, base_url=api.url)
        api.on("/wallets/wa-1/transfers", CUT)

    def transfer(self) -> Any:
        return self.dfns.call(
            lambda client: client.wallets.transfer("wa-1", to="0x0", amount=1, external_id="pay")
        )

    def sent(self) -> int:
        return len([seen for seen in self.api.seen if seen.target.endswith("/transfers")])


@pytest.fixture
def lost(connect: Connector, api: ScriptedApi, signer: KeySigner) -> Lost:
    return Lost(connect, api, signer)


@pytest.mark.parametrize(
    "reply",
    [Reply(401), Reply(409), Reply(429, headers={"Retry-After": "3600"}), Reply(302), CUT],
    ids=lambda reply: str(reply.status),
)
@pytest.mark.parametrize("place", [INIT, "/auth/action", "/wallets/wa-1/transfers"])
def test_later_failure_does_not_say_that_nothing_happened(
    lost: Lost, place: str, reply: Reply
) -> None:
    def fail_from_now_on(_: Any) -> Reply:
        lost.api.on(place, always=reply)
        return CUT

    lost.api.on("/wallets/wa-1/transfers", always=fail_from_now_on)

    with pytest.raises(CallError) as caught:
        lost.transfer()

    assert caught.value.may_have_taken_effect
    assert "The call may have taken effect" in str(caught.value)


def test_later_refusal_by_a_guard_raises_the_doubt_and_its_own_cause(
    connect: Connector, api: ScriptedApi
) -> None:
    class OnlyOnce:
        asked = 0

        @hookimpl
        def before_sign(self, request: SigningRequest) -> None:
            self.asked += 1
            if self.asked > 1:
                raise SigningRefusedError("once is enough")

    key = PemKey.from_pem(private_pem(private_key("ES256")))
    lost = Lost(connect, api, KeySigner(key, "cr-1", plugins=[OnlyOnce()]))

    with pytest.raises(TransportError) as caught:
        lost.transfer()

    assert caught.value.may_have_taken_effect
    assert isinstance(caught.value.__cause__, SigningRefusedError)
    assert lost.sent() == 1


def test_later_success_settles_the_doubt(lost: Lost) -> None:
    lost.api.on("/wallets/wa-1/transfers", Reply(body={"id": "tx-1"}))

    assert lost.transfer() == {"id": "tx-1"}
    assert lost.sent() == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/service-accounts"),
        ("POST", "/auth/pats"),
        ("POST", "/v2/policy-approvals/ap-1/decisions"),
        ("POST", "/wallets/wa-1/transfers/tx-1/speed-up"),
        ("PUT", "/wallets/wa-1"),
    ],
)
def test_external_id_means_nothing_where_the_reference_does_not_say_so(
    connect: Connector, api: ScriptedApi, signer: KeySigner, method: str, path: str
) -> None:
    dfns = connect("token", signer, base_url=api.url)
    api.on(path, always=CUT)

    with pytest.raises(TransportError):
        dfns.call(lambda client: client.request(method, path, json={"externalId": "once"}))

    assert len([seen for seen in api.seen if seen.target == path]) == 1


@pytest.mark.parametrize("external_id", [5, True, " ", ["x"]])
def test_external_id_that_is_no_text_makes_nothing_repeatable(
    connect: Connector, api: ScriptedApi, signer: KeySigner, external_id: object
) -> None:
    dfns = connect("token", signer, base_url=api.url)
    api.on("/wallets", always=Reply(503))

    with pytest.raises(ApiError):
        dfns.call(lambda client: client.post("/wallets", json={"externalId": external_id}))

    assert len([seen for seen in api.seen if seen.target == "/wallets"]) == 1

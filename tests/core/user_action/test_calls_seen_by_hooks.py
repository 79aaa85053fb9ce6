"""Plugins of the signer see which call they sign for."""

from __future__ import annotations

import httpx
import pytest

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import SigningRefusedError
from dfns_signers.hooks import SigningRequest, hookimpl
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.recordings import ACTION, sent
from tests.core.keys import private_key, private_pem


class NoTransfers:
    """Refuses every transfer; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[AnnouncedCall | None] = []

    @hookimpl
    def before_sign(self, request: SigningRequest) -> None:
        self.asked.append(request.call)
        if request.call and request.call.path.endswith("/transfers"):
            raise SigningRefusedError("no transfers")


@pytest.fixture
def guard() -> NoTransfers:
    return NoTransfers()


@pytest.fixture
def signer(guard: NoTransfers) -> KeySigner:
    key = PemKey.from_pem(private_pem(private_key("Ed25519")))
    return KeySigner(key, "cr-first", plugins=[guard])


def test_guard_sees_method_path_and_body_and_a_refusal_ends_the_call(
    http: httpx.Client, emulator: Emulator, guard: NoTransfers
) -> None:
    http.post("/wallets?x=1", content=b'{"network":"Bitcoin"}')
    with pytest.raises(SigningRefusedError, match="no transfers"):
        http.post("/wallets/wa-1/transfers", json={})

    assert guard.asked == [
        AnnouncedCall("POST", "/wallets", '{"network":"Bitcoin"}'),
        AnnouncedCall("POST", "/wallets/wa-1/transfers", "{}"),
    ]
    assert len(sent(emulator, ACTION)) == 1
    assert sent(emulator, "/wallets/wa-1/transfers") == []


@pytest.mark.anyio
async def test_guard_of_an_asynchronous_client_sees_the_same(
    emulator: Emulator, auth: UserActionAuth, guard: NoTransfers
) -> None:
    async with httpx.AsyncClient(base_url=emulator.url, auth=auth) as http:
        with pytest.raises(SigningRefusedError):
            await http.post("/wallets/wa-1/transfers", content='{"amount":"5"}')

    assert guard.asked == [AnnouncedCall("POST", "/wallets/wa-1/transfers", '{"amount":"5"}')]
    assert sent(emulator, ACTION) == []

"""An emulator that compares bytes, a scripted server, and clients of both kinds."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.client import client as client_module
from dfns_signers.client.retries import retry_policy
from dfns_signers.emulator import Emulator
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import private_key, private_pem, public_key, public_pem

CREDENTIAL = "cr-first"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    enrolled = {CREDENTIAL: public_pem(public_key("Ed25519"))}
    with Emulator(exact_payloads=True, credentials=enrolled) as running:
        yield running


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as running:
        yield running


@pytest.fixture
def signer() -> KeySigner:
    return KeySigner(PemKey.from_pem(private_pem(private_key("Ed25519"))), CREDENTIAL)


@pytest.fixture(params=["DfnsClient", "AsyncDfnsClient"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connector]:
    with ExitStack() as stack:
        is_async = request.param.startswith("Async")
        portal = stack.enter_context(start_blocking_portal()) if is_async else None
        yield Connector(stack, portal)


@pytest.fixture
def dfns(connect: Connector, emulator: Emulator, signer: KeySigner) -> Driven:
    """A client of the emulator that signs."""
    return connect(emulator.auth_token, signer, base_url=emulator.url)


@pytest.fixture
def scripted(connect: Connector, api: ScriptedApi, signer: KeySigner) -> Driven:
    """A client of the scripted server that signs."""
    return connect("token", signer, base_url=api.url)


@pytest.fixture
def delegated(connect: Connector, emulator: Emulator) -> Driven:
    """A client of the emulator for which somebody else signs."""
    return connect.delegated(emulator.auth_token, base_url=emulator.url)


@pytest.fixture
def scripted_delegated(connect: Connector, api: ScriptedApi) -> Driven:
    """A client of the scripted server for which somebody else signs."""
    return connect.delegated("token", base_url=api.url)


class _NoPause(Awaitable[None]):
    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that clients would have waited between attempts, without waiting."""
    waited: list[float] = []

    def pause(seconds: float) -> Awaitable[None]:
        waited.append(seconds)
        return _NoPause()

    monkeypatch.setattr(
        client_module, "retry_policy", lambda *args: {**retry_policy(*args), "sleep": pause}
    )
    return waited

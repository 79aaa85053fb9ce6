"""An emulator that compares payloads as the official SDKs need it, and keys of every algorithm."""

from __future__ import annotations

from collections.abc import Iterator

import dfns_sdk
import pytest

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.signer import KeySigner
from tests.core.keys import ALGORITHMS, private_key, private_pem, public_key, public_pem


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def emulator(algorithm: str) -> Iterator[Emulator]:
    with Emulator(credentials={"cr-1": public_pem(public_key(algorithm))}) as running:
        yield running


@pytest.fixture
def our_signer(algorithm: str) -> KeySigner:
    return KeySigner(PemKey.from_pem(private_pem(private_key(algorithm))), "cr-1")


@pytest.fixture
def their_signer(algorithm: str) -> dfns_sdk.KeySigner:
    return dfns_sdk.KeySigner("cr-1", private_pem(private_key(algorithm)).decode())

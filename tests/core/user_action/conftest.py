"""The same servers and signer as for the clients."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.conftest import anyio_backend, api, emulator, signer

__all__ = ["anyio_backend", "api", "auth", "emulator", "http", "signer"]


@pytest.fixture
def auth(emulator: Emulator, signer: KeySigner) -> UserActionAuth:
    return UserActionAuth(emulator.auth_token, signer, base_url=emulator.url)


@pytest.fixture
def http(emulator: Emulator, auth: UserActionAuth) -> Iterator[httpx.Client]:
    """Anybody's httpx client, with our authentication."""
    with httpx.Client(base_url=emulator.url, auth=auth) as client:
        yield client

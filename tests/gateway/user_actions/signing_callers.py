"""Callers with a throwaway key, as official SDKs are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.core.keys import private_key, public_pem
from tests.emulator.caller import Caller
from tests.emulator.keys import PrivateKey
from tests.gateway.running import TOKEN, RunningGateway

CREDENTIAL: Final = "local-payments"
CALLER_KEY: Final[PrivateKey] = private_key("ES256")
WALLETS: Final = """
[[gateway.callers.payments.allow]]
name = "wallets"
call = "POST /wallets"
"""


def signing_caller(
    folder: Path,
    rules: str = WALLETS,
    name: str = "payments",
    token: str = TOKEN,
    key: PrivateKey = CALLER_KEY,
    credential: str = CREDENTIAL,
) -> str:
    """TOML of a caller that must sign; its public key goes into the folder."""
    public_key = folder / f"{name}.pub"
    public_key.write_bytes(public_pem(key.public_key()))
    return f"""
[gateway.callers.{name}]
token_sha256 = ["{sha256(token.encode()).hexdigest()}"]
credential = {{ id = "{credential}", public_key = "{public_key}" }}
{rules}"""


def by_hand(gateway: RunningGateway, token: str = TOKEN, key: PrivateKey = CALLER_KEY) -> Caller:
    """The caller, which takes each step of a user action when a test says so."""
    return Caller(gateway.urls[0], token, CREDENTIAL, key)

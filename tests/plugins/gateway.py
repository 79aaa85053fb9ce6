"""A gateway that signs with a key of any backend, for a plain caller and for an official SDK."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import dfns_sdk
import httpx

from dfns_signers.emulator import Emulator
from tests.core.keys import private_pem
from tests.emulator.caller import answered
from tests.gateway.running import LISTEN, served
from tests.gateway.user_actions.signing_callers import (
    CALLER_KEY,
    CREDENTIAL,
    WALLETS,
    signing_caller,
)
from tests.plugins.flow import PROFILE, Flow

SDK, PLAIN = "token-of-the-sdk", "token-of-a-plain-caller"
WALLET: Any = {"network": "EthereumSepolia", "name": "é"}


def assert_signs_behind_a_gateway(
    emulator: Emulator, folder: Path, signer: Mapping[str, Any]
) -> None:
    """Callers create wallets, who have neither the key nor the token of the API."""
    emulator.exact_payloads = True
    flow = Flow.of(emulator, folder, signer)
    with flow.config.open("a") as config:
        config.write(_gateway(folder))
    before = flow.wallets()

    with served(flow.config) as (url,):
        created = {
            _create_plainly(url),
            _create_with_the_sdk(url),
            _create_delegated_with_the_sdk(url),
        }

    assert len(created) == 3
    assert flow.wallets() - before == created


def _gateway(folder: Path) -> str:
    digest = sha256(PLAIN.encode()).hexdigest()
    return f"""
[gateway]
profile = "{PROFILE}"
{LISTEN}
{signing_caller(folder, token=SDK)}
[gateway.callers.reports]
token_sha256 = ["{digest}"]
{WALLETS.replace("payments", "reports")}
"""


def _create_plainly(url: str) -> str:
    headers = {"Authorization": f"Bearer {PLAIN}"}
    answer = httpx.post(f"{url}/wallets", json=WALLET, headers=headers, timeout=60)
    return str(answered(answer)["id"])


def _create_with_the_sdk(url: str) -> str:
    config = dfns_sdk.DfnsClientConfig(auth_token=SDK, base_url=url, signer=_signer())
    with dfns_sdk.DfnsClient(config) as client:
        return str(client.wallets.create_wallet(WALLET)["id"])


def _create_delegated_with_the_sdk(url: str) -> str:
    config = dfns_sdk.DfnsDelegatedClientConfig(auth_token=SDK, base_url=url)
    with dfns_sdk.DfnsDelegatedClient(config) as client:
        challenge: Any = client.wallets.create_wallet_init(WALLET)
        signed: Any = {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": _signer().sign(challenge),
        }
        return str(client.wallets.create_wallet_complete(WALLET, signed_challenge=signed)["id"])


def _signer() -> dfns_sdk.KeySigner:
    return dfns_sdk.KeySigner(CREDENTIAL, private_pem(CALLER_KEY).decode())

"""The main job with any backend: chosen by a configuration file alone, checked by the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from dfns_signers import (
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    KeySigner,
    PemKey,
    load_signer,
)
from dfns_signers.client.pending import PendingAction
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import register_credential
from tests.core.keys import private_key, private_pem, public_pem

PROFILE = "under-test"
CREDENTIAL_ID = "credential-under-test"


@dataclass(frozen=True)
class Flow:
    """A configuration file whose profile signs with one key, against one emulator."""

    emulator: Emulator
    config: Path

    @classmethod
    def of(cls, emulator: Emulator, folder: Path, signer: Mapping[str, Any]) -> Flow:
        """Write the configuration, and have the key register itself under another credential."""
        config = folder / "config.toml"
        profile = {
            "base_url": emulator.url,
            "auth_token": emulator.auth_token,
            "credential_id": CREDENTIAL_ID,
            "signer": dict(signer),
        }
        config.write_text(tomlkit.dumps({"profiles": {PROFILE: profile}}), encoding="utf-8")
        config.chmod(0o600)
        first = PemKey.from_pem(private_pem(private_key("Ed25519")))
        emulator.register(public_pem(first.public_key), "first")
        with (
            open_key(load_profile(PROFILE, config=config)) as key,
            DfnsClient(
                emulator.auth_token, KeySigner(first, "first"), base_url=emulator.url
            ) as dfns,
        ):
            register_credential(key, dfns, name="under test", credential_id=CREDENTIAL_ID)
        return cls(emulator, config)

    def create_wallet(self) -> str:
        with DfnsClient.from_config(PROFILE, config=self.config) as dfns:
            return str(dfns.wallets.create(network="EthereumSepolia")["id"])

    def create_wallet_async(self) -> str:
        async def create() -> str:
            async with AsyncDfnsClient.from_config(PROFILE, config=self.config) as dfns:
                return str((await dfns.wallets.create(network="EthereumSepolia"))["id"])

        return asyncio.run(create())

    def create_wallet_delegated(self) -> str:
        with (
            DelegatedDfnsClient.from_config(PROFILE, config=self.config) as dfns,
            load_signer(PROFILE, config=self.config) as signer,
        ):
            sent_away = dfns.wallets.create(network="EthereumSepolia").to_json()
            pending = PendingAction.from_json(sent_away)
            return str(dfns.complete(pending, signer.sign(pending.challenge))["id"])

    def wallets(self) -> set[str]:
        """What the emulator holds in the end."""
        with DfnsClient.from_config(PROFILE, config=self.config) as dfns:
            return {wallet["id"] for wallet in dfns.wallets.list()}


def assert_signs_the_whole_flow(
    emulator: Emulator, folder: Path, signer: Mapping[str, Any]
) -> None:
    """Sync, async and delegated: each creates a wallet that the emulator then holds."""
    flow = Flow.of(emulator, folder, signer)

    created = {flow.create_wallet(), flow.create_wallet_async(), flow.create_wallet_delegated()}

    assert len(created) == 3
    assert flow.wallets() == created

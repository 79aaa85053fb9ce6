"""``from_config`` takes a signer that was made in code, with the rest from the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient, KeySigner
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.core.keys import AnsweringKey


@pytest.fixture
def config(tmp_path: Path, emulator: Emulator) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[profiles.p]\nbase_url = "{emulator.url}"\nauth_token = "{emulator.auth_token}"\n'
        'credential_id = "cr-other"\nsigner = { backend = "pem", path = "missing.pem" }\n'
    )
    file.chmod(0o600)
    return file


class Plain:
    def __init__(self, signer: KeySigner) -> None:
        self.sign = signer.sign


@pytest.mark.parametrize("make", [lambda signer: signer, Plain], ids=["KeySigner", "plain"])
def test_signer_made_in_code_takes_the_place_of_the_configured_one(
    config: Path, signer: KeySigner, make: Any
) -> None:
    with DfnsClient.from_config("p", config=config, signer=make(signer)) as dfns:
        assert dfns.post("/wallets", json={"network": "Bitcoin"})["network"] == "Bitcoin"

    assert signer.key.fingerprint


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_asynchronous_client_takes_it_too(config: Path, signer: KeySigner, backend: str) -> None:
    async def run() -> Any:
        async with AsyncDfnsClient.from_config("p", config=config, signer=signer) as dfns:
            return await dfns.post("/wallets", json={"network": "Bitcoin"})

    assert anyio.run(run, backend=backend)["network"] == "Bitcoin"


def test_closing_leaves_a_signer_made_in_code_open(config: Path) -> None:
    key = AnsweringKey("ES256")
    DfnsClient.from_config("p", config=config, signer=KeySigner(key, "cr-1")).close()

    assert key.sign(b"message")


def test_key_in_place_of_a_signer_is_refused_with_how_to_make_one(config: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a signer, found AnsweringKey"):
        DfnsClient.from_config("p", config=config, signer=AnsweringKey("ES256"))


def test_delegated_client_takes_none(config: Path, signer: KeySigner) -> None:
    with pytest.raises(ConfigurationError, match="signer"):
        DelegatedDfnsClient.from_config("p", config=config, signer=signer)

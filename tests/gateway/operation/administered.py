"""A gateway with an admin listener and a token that can be taken away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from dfns_signers.emulator import Emulator
from tests.gateway.running import (
    DIGEST,
    LISTEN,
    UPSTREAM_TOKEN,
    RunningGateway,
    configuration,
    served,
)

RULES = f"""
[gateway.callers.payments]
token_sha256 = ["{DIGEST}"]
reads = true

[[gateway.callers.payments.allow]]
name = "wallets"
call = "POST /wallets"
"""


@dataclass(frozen=True)
class Files:
    """What a gateway reads and writes, in a folder of a short name: sockets have to be there."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def token(self) -> Path:
        return self.folder / "token"

    @property
    def audit(self) -> Path:
        return self.folder / "audit.jsonl"

    @property
    def admin(self) -> Path:
        return self.folder / "admin.sock"

    def client(self) -> httpx.Client:
        """A client of the admin listener."""
        transport = httpx.HTTPTransport(uds=str(self.admin))
        return httpx.Client(base_url="http://localhost", transport=transport, trust_env=False)


@contextmanager
def gateway_files(emulator: Emulator, gateway: str = "") -> Iterator[Files]:
    """A configuration of a gateway before an emulator; ``gateway`` has further settings in TOML."""
    with tempfile.TemporaryDirectory(prefix="gw-") as name:
        files = Files(Path(name))
        files.token.write_text(UPSTREAM_TOKEN, encoding="utf-8")
        files.token.chmod(0o600)
        configuration(
            files.folder,
            emulator,
            f'{LISTEN}\nadmin = "unix:{files.admin}"\n{gateway}\n{RULES}',
            f'audit = {{ file = "{files.audit}" }}',
            token=f'{{ file = "{files.token}" }}',
        )
        yield files


@contextmanager
def administered_gateway(gateway: str = "") -> Iterator[tuple[RunningGateway, Files]]:
    """A gateway that serves, with its files; ``gateway`` as for ``gateway_files``."""
    with (
        Emulator(exact_payloads=True) as emulator,
        gateway_files(emulator, gateway) as files,
        served(files.config) as urls,
    ):
        yield RunningGateway(urls, emulator), files

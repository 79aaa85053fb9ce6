"""A profile whose key, in a PEM file, is rotated, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from dfns_signers import DfnsClient, KeySigner, PemKey, lifecycle
from dfns_signers.config.files import read_file
from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import Rotation, RotationProgress
from tests.core.config.support import write_config, write_key
from tests.core.keys import private_key, private_pem
from tests.core.lifecycle.driving import FIRST

CREATE: dict[str, Any] = {"network": "EthereumSepolia"}
STEPS = ("check", "create", "register", "prove", "switch", "deactivate")


def agree(question: str) -> bool:
    assert question.endswith(".")
    return True


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@dataclass
class Rotating:
    """The profile ``p`` of a file, with the key ``key.pem``.

    Attributes:
        folder: of the file and the keys.
        emulator: what it calls.
        way: one of WAYS.
        url: of the emulator, or of a proxy before it.
        steps: what was reported.
    """

    folder: Path
    emulator: Emulator
    way: str = "blocking"
    url: str = ""
    steps: list[RotationProgress] = field(default_factory=list)

    def __post_init__(self) -> None:
        write_key(self.folder)
        self.write()

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self, signer: str = 'backend = "pem"\npath = "key.pem"', more: str = "") -> None:
        text = f"""# ours
default_profile = "p"

[profiles.other]  # not this one
credential_id = "other"

[profiles.p]
base_url = "{self.url or self.emulator.url}"
auth_token = "{self.emulator.auth_token}"  # of the emulator
max_attempts = 1
credential_id = "{FIRST}"  # since the beginning
{more}
[profiles.p.signer]  # the key
{signer}
"""
        write_config(self.folder, text)

    def __call__(
        self, *, confirm: Callable[[str], bool] = agree, dry_run: bool = False, profile: str = "p"
    ) -> Rotation:
        self.steps.clear()
        options: dict[str, Any] = {
            "config": self.config,
            "confirm": confirm,
            "report": self.steps.append,
            "dry_run": dry_run,
        }
        if self.way == "blocking":
            return lifecycle.rotate(profile, **options)

        async def main() -> Rotation:
            return await lifecycle.arotate(profile, **options)

        return anyio.run(main, backend=self.way)

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(progress.step.value, progress.state) for progress in self.steps]

    @property
    def profiles(self) -> dict[str, dict[str, Any]]:
        return {name: dict(t.open()) for name, t in read_file(self.config).profiles.items()}

    @property
    def key_files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.pem"))

    def credentials(self) -> dict[str, bool]:
        """Those of the identity, and whether they are active."""
        with DfnsClient(self.emulator.auth_token, base_url=self.emulator.url) as dfns:
            return {one["credentialId"]: one["isActive"] for one in dfns.auth.credentials.list()}

    def sign(self) -> None:
        """Make a signed call with what the profile says."""
        with DfnsClient.from_config("p", config=self.config) as dfns:
            dfns.wallets.create(**CREATE)

    def sign_with_the_first(self) -> None:
        """Make a signed call with the key that the profile had at first."""
        signer = KeySigner(PemKey.from_pem(private_pem(private_key("Ed25519"))), FIRST)
        with DfnsClient(self.emulator.auth_token, signer, base_url=self.emulator.url) as dfns:
            dfns.wallets.create(**CREATE)

    def requests(self) -> list[str]:
        return [f"{one.method} {one.raw_path}" for one in self.emulator.requests]

    def announced(self) -> list[str]:
        return [
            f"{body['userActionHttpMethod']} {body['userActionHttpPath']}"
            for one in self.emulator.requests
            if one.raw_path == "/auth/action/init"
            for body in [json.loads(one.body)]
        ]

"""A profile in order, for a test to break one thing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.requests.wire import new_jwt
from dfns_signers.lifecycle import Finding, Severity, examine
from tests.core.config.support import write_distribution, write_key
from tests.core.keys import public_key, public_pem

ALL_CHECKS = (
    "configuration",
    "settings",
    "plugin",
    "signer options",
    "key",
    "signature",
    "token",
    "Dfns",
    "clock",
    "authentication",
    "credential",
    "user action",
)


@dataclass
class Scene:
    """The profile ``p`` with an Ed25519 key and the credential ``Y2kt`` of the emulator.

    Attributes:
        settings: of the profile, written before it is examined.
        profile: the profile that is named, if one is.
        mode: of the configuration file.
        text: in place of the whole file.
    """

    folder: Path
    site: Path
    emulator: Emulator
    patch: pytest.MonkeyPatch
    stack: ExitStack
    settings: dict[str, Any] = field(default_factory=dict)
    profile: str | None = None
    mode: int = 0o600
    text: str = ""

    def __post_init__(self) -> None:
        write_key(self.folder)
        self.settings = {
            "base_url": self.emulator.url,
            "auth_token": {"env": "TOKEN"},
            "credential_id": "Y2kt",
            "signer": {"backend": "pem", "path": "key.pem"},
        }
        self.patch.setenv("TOKEN", self.emulator.auth_token)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def signer(self) -> dict[str, Any]:
        table: dict[str, Any] = self.settings["signer"]
        return table

    def write(self) -> None:
        content = {"default_profile": "p", "profiles": {"p": self.settings}}
        self.config.write_text(self.text or tomlkit.dumps(content), encoding="utf-8")
        self.config.chmod(self.mode)

    def findings(self) -> list[Finding]:
        if not self.config.exists():
            self.write()
        return list(examine(self.profile, config=self.config))

    def plugin(self, name: str, source: str) -> None:
        """Install a plugin."""
        write_distribution(self.site, f"acme-{name}", {name: source})

    def identity_with(self, **claims: Any) -> None:
        """Use the token of another identity with these claims, to which the key belongs."""
        metadata = {"orgId": "or-1", "userId": "us-1", "tokenKind": "ServiceAccount"}
        given = claims.pop("metadata", {})
        token = new_jwt({**claims, "https://custom/app_metadata": {**metadata, **given}})
        pem = public_pem(public_key("Ed25519"))
        self.emulator.add_identity("other", token=token, credentials={"cr-other": pem})
        self.patch.setenv("TOKEN", token)
        self.settings["credential_id"] = "cr-other"


@pytest.fixture
def scene(
    folder: Path, site: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(folder, site, emulator, monkeypatch, stack)


def problems(findings: list[Finding]) -> list[tuple[str, str]]:
    """Check and severity of what is not in order."""
    return [(one.check, one.severity.name) for one in findings if one.severity is not Severity.OK]

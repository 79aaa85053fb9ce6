"""The profile of ``emulator --admin``: its first user, who may register the keys of others."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dfns_signers.addresses import is_loopback
from dfns_signers.algorithms import Algorithm
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import ConfigurationError
from dfns_signers.lifecycle import ProfileSetup, create_key
from dfns_signers.private_files import file_of
from dfns_signers.public_keys import public_key_pem
from dfns_signers.sealed import Sealed

if TYPE_CHECKING:
    from dfns_signers.emulator import Emulator

_ANY_PORT: Final = "http://127.0.0.1"


class EmulatorProfile:
    """A profile that calls an emulator as its first user, with a PEM key beside the configuration.

    What it has already is kept: key, credential id and token are the same at the next start.

    Args:
        name: of the profile; it is written if it is not there.
        config: the configuration file, as of ``load_profile``.

    Raises:
        ConfigurationError: the profile calls another API than one on this machine.
    """

    def __init__(self, name: str, config: Path | None) -> None:
        self.profile = ProfileSetup(name, config=config)
        base_url = str(self.profile.settings.open().get("base_url", _ANY_PORT))
        if not is_loopback(urlsplit(base_url).hostname or ""):
            raise ConfigurationError(
                f"the profile {name!r} in {self.profile.config} calls {base_url}, and was left as "
                "it is: choose another name with --admin"
            )
        if "signer" in self.profile.missing:
            self._write(signer=self._new_key(), credential_id=f"cr-{secrets.token_hex(8)}")

    @property
    def credentials(self) -> dict[str, str]:
        """Its public key in PEM, by its credential id."""
        credential_id = self.profile.loaded().settings.credential_id or ""
        with self.profile.open_key() as key:
            return {credential_id: public_key_pem(key.public_key)}

    @property
    def token(self) -> Sealed[str | None]:
        """Its token, if it has one from an earlier start."""
        token = self.profile.loaded().settings.auth_token
        return Sealed(token.reveal() if token is not None and token.is_readable() else None)

    def write(self, emulator: Emulator) -> None:
        """Have the profile call a running emulator."""
        if self.token.open() is None:
            self.profile.keep_token(Sealed(emulator.auth_token))
            self._write(auth_token=self.profile.own_token)
        self._write(base_url=emulator.url)

    def _new_key(self) -> object:
        path = file_of(self.profile.profile, ".pem", self.profile.config.parent)
        self.profile.make_folder()
        made = create_key(Algorithm.ED25519, backend="pem", options={"path": str(path)}, adopt=True)
        return made.settings.open()["signer"]

    def _write(self, **settings: object) -> None:
        edit = ConfigEdit(self.profile.config)
        edit.put(self.profile.profile, settings)
        edit.write()

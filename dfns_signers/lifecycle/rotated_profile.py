"""A profile whose key is rotated, as the configuration file has it at each stage.

``[profiles.NAME-next]`` has the next key while it is prepared, ``[profiles.NAME-previous]`` the old
one from the switch until its credential is deactivated. Nothing else is kept.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Final

from dfns_signers import worker_threads
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.backends.management import ManagesKeys
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.config.assembly import configured_signer, open_key, validated_options
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile import SignerTable
from dfns_signers.config.profile_guards import configured_hooks, configured_policy
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError, DfnsSignersError
from dfns_signers.lifecycle.key_profiles import completed
from dfns_signers.registration import new_credential_id
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner
from dfns_signers.signing_key import SigningKey

_OF_A_ROTATION: Final = frozenset({"signer", "credential_id"})
_SIGNED: Final = (
    AnnouncedCall("POST", "/auth/credentials", ""),
    AnnouncedCall("PUT", "/auth/credentials/activate", ""),
)
"""What a rotation signs before it switches, as far as it is known."""


class Stage(Enum):
    """How far a rotation has come."""

    NOTHING_PREPARED = "nothing is prepared"
    KEY_PREPARED = "the next key is in the file"
    SWITCHED = "the profile has the new key"


class RotatedProfile(Closing, AsyncClosing):
    """Reads and writes the tables of a rotation; each method may block.

    Args:
        profile: name of the profile; the default profile if not given.
        config: the configuration file; the default file if not given.

    Attributes:
        loaded: the profile as it was at first.
        name: of the profile.
        file: that it is in.
        stage: how far the rotation had come at first.
        credential_id: ``credId`` of the new credential; chosen here if the file has none.
        old_credential_id: ``credId`` of the credential that is to be deactivated.
        old_signer: signs with the old key; None if the file was switched before.
        new_signer: signs with the new key, which it opens when it is needed.

    Raises:
        ConfigurationError: key or credential do not come from a profile of a file, or a table that
            the rotation needs is there for something else.
        PolicyRefusedError: the rules of the profile have none for a call that a rotation signs.
    """

    def __init__(self, profile: str | None, config: str | os.PathLike[str] | None) -> None:
        self.loaded = load_profile(profile, config=config)
        self.name, self.file = _require_in_file(self.loaded)
        self.next, self.previous = f"{self.name}-next", f"{self.name}-previous"
        tables = Sealed(ConfigEdit(self.file).profiles)
        for name, needed in ((self.next, {"signer"}), (self.previous, _OF_A_ROTATION)):
            if name in tables.open():
                self._require_of_a_rotation(name, tables.open()[name].keys(), needed)
        signer = configured_signer(self.loaded)
        self._table: SignerTable = self.loaded.signer  # type: ignore[assignment]  # else refused
        self.old_signer: KeySigner | None = signer
        self.old_credential_id = signer.credential_id
        if self.previous in tables.open():
            self.stage, self.old_signer, self.new_signer = Stage.SWITCHED, None, signer
            self.credential_id = signer.credential_id
            self.old_credential_id = tables.open()[self.previous]["credential_id"]
            return
        _require_allowed(self.loaded)
        prepared = Sealed(tables.open().get(self.next, {}))
        self.stage = Stage.KEY_PREPARED if prepared.open() else Stage.NOTHING_PREPARED
        self.credential_id = prepared.open().get("credential_id") or new_credential_id()
        hooks = configured_hooks(self.loaded)
        self.new_signer = KeySigner(self._open_next, self.credential_id, plugins=hooks)

    @property
    def command(self) -> str:
        """What to type to go on."""
        words = ("dfns-signers", "rotate", "--config", str(self.file), "--profile", self.name)
        return shlex.join(words)

    def create_next(self) -> Mapping[str, Any]:
        """Have the key store create the next key; its ``[signer]`` table.

        Raises:
            ConfigurationError: the backend makes no keys, or the file cannot be written.
            SigningKeyError: the key store refused or failed.
        """
        self._require_writable()
        options = validated_options(self.loaded, reveal=True)
        backend = load_backend(self._table.backend)
        if not isinstance(backend, ManagesKeys):
            raise ConfigurationError(
                f"the backend {self._table.backend!r} makes no keys: create the next one with the "
                f"tools of its key store, write its table as [profiles.{self.next}.signer] into "
                f"{self.file}, and run {self.command!r} again"
            )
        created = Sealed(dict(backend.create_next(options).signer))
        kept = Sealed(
            {
                option: _as_in_a_table(Sealed(value), getattr(options, option, None)).open()
                for option, value in self._table.options.open().items()
                if option != "fingerprint"
            }
        )
        return completed(created.open(), kept.open())

    def write_next(self, signer: Sealed[Mapping[str, Any]]) -> None:
        """Write the next key down, with the credential id that it is to be registered as."""
        edit = ConfigEdit(self.file)
        self._require_own_rotation(is_own=self.next not in edit.profiles)
        edit.put(self.next, {"signer": signer.open(), "credential_id": self.credential_id})
        edit.write()

    def write_credential_id(self) -> None:
        """Write down what a next key that was put there by hand is to be registered as."""
        edit = ConfigEdit(self.file)
        found = edit.profiles.get(self.next, {"credential_id": ""}).get("credential_id")
        self._require_own_rotation(is_own=found in (None, self.credential_id))
        if found is None:
            edit.put(self.next, {"credential_id": self.credential_id})
            edit.write()

    def switch(self, key: SigningKey) -> Path | None:
        """Have the profile name the new key, in one write.

        Returns:
            The copy of the file as it was.
        """
        edit = ConfigEdit(self.file)
        tables = Sealed(edit.profiles)
        ids = [tables.open().get(name, {}).get("credential_id") for name in (self.next, self.name)]
        self._require_own_rotation(is_own=ids == [self.credential_id, self.old_credential_id])
        old = Sealed(tables.open()[self.name])
        new = Sealed(tables.open()[self.next])
        if "fingerprint" in self._table.options.open():
            new = Sealed({**new.open(), "signer": _pinned(Sealed(new.open()["signer"]), key)})
        edit.put(self.previous, {name: old.open()[name] for name in sorted(_OF_A_ROTATION)})
        edit.put(self.name, new.open())
        edit.remove(self.next)
        return edit.write(keep_copy=True)

    def forget_previous(self) -> None:
        """Remove what is left of the old key."""
        edit = ConfigEdit(self.file)
        if edit.profiles.get(self.previous, {}).get("credential_id") == self.old_credential_id:
            edit.remove(self.previous)
            edit.write()

    def open_new(self) -> SigningKey:
        """The new key, opened if it was not."""
        return self.new_signer.key

    def open_old(self) -> SigningKey:
        """The key that is to be followed, opened if it was not."""
        if self.old_signer is None:
            self.old_signer = configured_signer(load_profile(self.previous, config=self.file))
        return self.old_signer.key

    def old_reference(self) -> str | None:
        """The old key as its key store names it; None if it cannot be opened any more."""
        with suppress(DfnsSignersError):
            return self.open_old().reference
        return None

    def close(self) -> None:
        """Close the keys that were opened."""
        for signer in (self.old_signer, self.new_signer):
            if signer is not None:
                signer.close()

    async def aclose(self) -> None:
        """Close the keys that were opened, from within an event loop."""
        await worker_threads.to_the_end(self.close)

    def _open_next(self) -> SigningKey:
        return open_key(load_profile(self.next, config=self.file))

    def _require_of_a_rotation(
        self, name: str, found: Iterable[str], needed: Iterable[str]
    ) -> None:
        others, missing = sorted({*found} - _OF_A_ROTATION), sorted({*needed} - {*found})
        if others or missing:
            problem = f"has {others[0]!r}" if others else f"has no {missing[0]!r}"
            raise ConfigurationError(
                f"configuration file {self.file}: the rotation of {self.name!r} needs the name "
                f"[profiles.{name}] for itself, and that profile {problem}: rename it"
            )

    def _require_own_rotation(self, *, is_own: bool) -> None:
        """Refuse to write over what another rotation of the profile has written meanwhile."""
        if not is_own:
            raise ConfigurationError(
                f"configuration file {self.file}: another rotation of {self.name!r} is under way, "
                f"and has changed the file; once it has ended, run {self.command!r} to go on"
            )

    def _require_writable(self) -> None:
        """Refuse to create a key that could not be written down."""
        folder = self.file.resolve().parent
        if not os.access(folder, os.W_OK):
            raise ConfigurationError(
                f"the configuration file {self.file} cannot be replaced: {folder} is not writable. "
                "No key was created; run the command where the file is maintained"
            )


def _require_allowed(loaded: LoadedProfile) -> None:
    """Refuse before a key is made for which no rule names what is to be signed."""
    policy = configured_policy(loaded)
    if policy is None:
        return
    for call in _SIGNED:
        if policy.judge(call).check in {"no-rule", "read-only"}:
            policy.require(call)


def _require_in_file(loaded: LoadedProfile) -> tuple[str, Path]:
    """Name and file of a profile that says itself what it signs with."""
    if loaded.name is None or loaded.file is None:
        raise ConfigurationError(
            "there is no configuration file, and a rotation is kept in one: move the settings of "
            "the environment into a profile"
        )
    for setting in ("signer", "credential_id"):
        origin = loaded.origin(setting)
        if origin.is_variable:
            raise ConfigurationError(
                f"{loaded.title}: {setting!r} comes from the {origin.place}, which a rotation "
                "cannot change: unset it, and set it in the profile, or name the profile with "
                "--profile"
            )
    return loaded.name, loaded.file


def _as_in_a_table(value: Sealed[Any], validated: object) -> Sealed[Any]:
    """An option of a signer that may be one line, where numbers are strings."""
    is_number = isinstance(value.open(), str) and isinstance(validated, (bool, int, float))
    return Sealed(validated) if is_number else value


def _pinned(signer: Sealed[Any], key: SigningKey) -> dict[str, Any]:
    return {**signer.open(), "fingerprint": key.fingerprint}

"""Complete a profile step by step; the configuration file is the state.

Each step writes what it has decided at once, and one that is done already is not done again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from typing_extensions import TypedDict, Unpack

from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.config.assembly import open_key
from dfns_signers.config.files import ConfigFile, read_file
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile import ENVIRONMENT
from dfns_signers.config.writing import ConfigEdit, config_path
from dfns_signers.errors import ConfigurationError
from dfns_signers.lifecycle.new_credential import NewCredential
from dfns_signers.lifecycle.new_service_account import NewServiceAccount
from dfns_signers.lifecycle.new_token import NewToken
from dfns_signers.lifecycle.registrable import (
    Client,
    Registration,
    RegistrationKind,
    registration,
)
from dfns_signers.lifecycle.steps import Flow, acarry_out, carry_out
from dfns_signers.lifecycle.token_file import TokenFile, file_reference
from dfns_signers.private_files import file_of, reason_of
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import SigningKey
from dfns_signers.user_action.tokens import checked_token

_NEEDED: Final = ("signer", "credential_id", "auth_token")


class SetupRegistration(TypedDict, total=False):
    """How the key of a profile is registered.

    Attributes:
        kind: what it becomes; a service account by default. The token of a service account, or of a
            personal access token (``token``), goes to ``token_file``.
        permission_id: what a service account or a personal access token may do.
        token: for a credential: the ``auth_token`` of its identity, as the profile is to say it.
        replace: whether a service account or personal access token of this key whose token is lost
            is deleted, and made anew.
    """

    kind: RegistrationKind
    permission_id: str | None
    token: Any
    replace: bool


class ProfileSetup:
    """A profile on its way to being complete.

    Args:
        profile: its name; it need not be in the file.
        config: the configuration file; else what ``DFNS_CONFIG`` names, else the default file. It
            need not exist.

    Attributes:
        profile: its name.
        config: the configuration file, as an absolute path.

    Raises:
        ConfigurationError: the name is empty, or the file cannot be read.
    """

    def __init__(self, profile: str, *, config: str | os.PathLike[str] | None = None) -> None:
        if not profile:
            raise ConfigurationError("the name of the profile is empty: give one")
        self.profile = profile
        ConfigEdit(config)
        self.config = config_path(config)

    @property
    def settings(self) -> Sealed[Mapping[str, Any]]:
        """What the file says of the profile at this moment; secrets may be in it as literals."""
        file = self._file
        table = file.profiles.get(self.profile) if file else None
        return table or Sealed({})

    @property
    def missing(self) -> tuple[str, ...]:
        """Which of ``signer``, ``credential_id`` and ``auth_token`` the profile lacks."""
        return tuple(name for name in _NEEDED if name not in self.settings.open())

    @property
    def backend(self) -> str | None:
        """The backend of the profile's key; None without a ``[signer]`` table."""
        signer = self.loaded().signer if self.settings.open() else None
        return signer.backend if signer else None

    @property
    def token_file(self) -> Path:
        """Where a token goes that is made for this profile: beside the configuration file."""
        return file_of(self.profile, ".token", self.config.parent)

    @property
    def others(self) -> tuple[str, ...]:
        """The complete profiles of the file besides this one: one of them may register its key."""
        found = self._file.profiles if self._file else {}
        return tuple(
            name
            for name, table in found.items()
            if name != self.profile and all(setting in table.open() for setting in _NEEDED)
        )

    def loaded(self) -> LoadedProfile:
        """The profile as other commands load it.

        Raises:
            ConfigurationError: it is not in the file, or a setting is wrong.
        """
        return load_profile(self.profile, config=self.config)

    def differing(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The settings that the profile has, with another value than these."""
        given, has = Sealed(settings), self.settings
        del settings
        return tuple(
            name
            for name in given.open()
            if name in has.open() and has.open()[name] != given.open()[name]
        )

    def put(self, settings: Mapping[str, Any], *, replace: bool = False) -> Path | None:
        """Write settings into the profile, which becomes the default one if there is none.

        Args:
            settings: as in the file; None removes a setting.
            replace: whether settings of another value are replaced; a copy of the file as it was is
                kept then.

        Returns:
            The copy, if one was made.

        Raises:
            ConfigurationError: the profile says otherwise, and ``replace`` is false; or the file
                cannot be written.
        """
        given = Sealed(settings)
        del settings
        changed = self.differing(given.open())
        if changed and not replace:
            raise ConfigurationError(
                f"configuration file {self.config}, profile {self.profile!r}: another "
                f"{' and '.join(map(repr, changed))} is there already, and was left as it is: "
                "choose another profile, or replace it (replace=True)"
            )
        edit = ConfigEdit(self.config)
        edit.put(self.profile, given.open())
        if self._file is None or self._file.default_profile is None:
            edit.set_default(self.profile)
        return edit.write(keep_copy=bool(changed))

    def make_folder(self) -> None:
        """Make the folder of the configuration file, for its owner alone, if it is not there.

        Raises:
            ConfigurationError: it cannot be made.
        """
        try:
            self.config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the folder {self.config.parent} cannot be made: {reason_of(error)}"
            ) from error

    def open_key(self) -> SigningKey:
        """Open the key of the profile, which needs neither credential nor token.

        Raises:
            ConfigurationError: there is no ``[signer]`` table, or an option is wrong.
            SigningKeyError: the key cannot be opened.
        """
        return open_key(self.loaded())

    @property
    def own_token(self) -> Mapping[str, str]:
        """The ``token_file`` as ``auth_token`` says it."""
        return file_reference(self.token_file, self.config)

    def token_of(self, other: LoadedProfile) -> Any:
        """The ``auth_token`` of another profile of the file, for this one to use it too.

        One that comes from an environment variable becomes a reference to that variable.
        """
        if other.name is None or other.origin("auth_token").is_variable:
            return {"env": ENVIRONMENT["auth_token"].variable}
        file = self._file
        return file.profiles[other.name].open().get("auth_token") if file else None

    def keep_token(self, token: Sealed[str]) -> None:
        """Write a token to ``token_file``, which is new, and which only its owner can read.

        Raises:
            ConfigurationError: it cannot be a token, or the file is there with another one.
            RegistrationError: the file cannot be written.
        """
        text, file = checked_token(token), TokenFile(self.token_file)
        kept = file.read()
        if kept is None:
            self.make_folder()
            file.reserve()
            file.write(text, f"the profile {self.profile!r}")
        elif kept.open() != text.open():
            raise ConfigurationError(
                f"{self.token_file} is there already, with another token, and was left as it is: "
                "name it with --token-file if it is the one to use, or move it away"
            )

    def register(
        self, key: SigningKey, dfns: DfnsClient, **options: Unpack[SetupRegistration]
    ) -> Registration:
        """Register the key of the profile, and write its credential id and token into it.

        Repeated, it finds what an interrupted call has registered.

        Args:
            key: the opened key of the profile.
            dfns: a client of the identity that registers it.
            **options: as SetupRegistration has them.

        Raises:
            RegistrationError: something that is registered is in the way, or a token is lost.
            CallError: the API refused or failed.
            ConfigurationError: the file cannot be written.
        """
        given = Sealed(options)
        del options
        return carry_out(self._registration(key, dfns, given))

    async def aregister(
        self, key: SigningKey, dfns: AsyncDfnsClient, **options: Unpack[SetupRegistration]
    ) -> Registration:
        """Like ``register``, without blocking the event loop."""
        given = Sealed(options)
        del options
        return await acarry_out(self._registration(key, dfns, given))

    def _registration(
        self, key: SigningKey, dfns: Client, given: Sealed[SetupRegistration]
    ) -> Flow[Registration]:
        kind, token = given.open().get("kind", "service-account"), Sealed(given.open().get("token"))
        if kind == "credential":
            done = yield from registration(dfns, self._new_credential(key))
        else:
            self.make_folder()
            token = Sealed(self.own_token)
            new = NewServiceAccount if kind == "service-account" else NewToken
            what = new(
                key,
                name=self.profile,
                token_file=self.token_file,
                permission_id=given.open().get("permission_id"),
                replace=given.open().get("replace", False),
            )
            done = yield from registration(dfns, what)
        self.put({"credential_id": done.credential_id, "auth_token": token.open()}, replace=True)
        return done

    def _new_credential(self, key: SigningKey) -> NewCredential:
        """The key as a credential, whose id is in the file before it is registered."""
        return NewCredential(
            key,
            name=self.profile,
            credential_id=self.settings.open().get("credential_id"),
            keep_id=lambda credential_id: self.put({"credential_id": credential_id}),
        )

    @property
    def _file(self) -> ConfigFile | None:
        return read_file(self.config) if self.config.exists() else None

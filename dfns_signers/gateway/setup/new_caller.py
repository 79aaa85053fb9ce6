"""A new caller: its key, its token, and its table in the configuration file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dfns_signers.config.files import unknown_profile
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.settings import GatewaySettings, check_name
from dfns_signers.gateway.loading import read_settings
from dfns_signers.gateway.setup.caller_tokens import new_token, organisation_of, token_digest
from dfns_signers.gateway.setup.new_files import new_files
from dfns_signers.lifecycle.token_file import file_reference
from dfns_signers.near_miss import did_you_mean
from dfns_signers.public_keys import public_key_pem
from dfns_signers.sealed import Sealed

DEFAULT_LISTEN: Final = "127.0.0.1:8787"
"""Where a gateway listens whose table is begun with its first caller."""

_TOKENS: Final = 2
"""Tokens that a caller has while one takes the place of the other."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a new caller is to be.

    Attributes:
        name: of the caller.
        profile: signs for it; None for the one that the configuration chooses.
        with_key: whether it uses an official SDK, and so needs a key of its own.
        with_token: whether it gets a token.
        uids: of its processes on a unix socket.
        certificates: names in its client certificate.
        organisation: id for the token; None for that of the profile's token.
        listen: where a gateway listens that has no table yet; empty for ``DEFAULT_LISTEN``.
        folder: where its keys go; None for the folder of the configuration file.
        token_file: a new file for its token; None for none.
    """

    name: str
    profile: str | None
    with_key: bool
    with_token: bool
    uids: Sequence[int]
    certificates: Sequence[str]
    organisation: str | None
    listen: Sequence[str]
    folder: Path | None
    token_file: Path | None


@dataclass(frozen=True, slots=True)
class AddedCaller:
    """A caller of the configuration, with all that its program needs.

    Attributes:
        settings: of the gateway, with the caller.
        token: a new one; None where there is none.
        token_file: where the token is; None where it is in no file.
        organisation: id that its program sets; None if it is not known.
        private_key: file of its key; None where it has none.
        config: the configuration file.
        dropped_tokens: how many that were valid are not any more.
    """

    name: str
    settings: GatewaySettings = field(repr=False)
    token: Sealed[str] | None
    token_file: Path | None
    organisation: str | None
    private_key: Path | None
    config: Path
    dropped_tokens: int = 0

    @property
    def credential_id(self) -> str | None:
        """``credId`` of its key."""
        credential = self.settings.callers[self.name].credential
        return credential.id if credential else None

    @property
    def has_token(self) -> bool:
        """Whether a token identifies it."""
        return bool(self.settings.callers[self.name].token_sha256)


class CallerEdit:
    """A configuration file with one more caller, or another token of one; nothing is written yet.

    Args:
        wishes: what the caller is to be.
        config: the configuration file, as of ``ConfigEdit``.

    Raises:
        ConfigurationError: there is such a caller already, no such profile, or the gateway would
            not start with it.
    """

    def __init__(self, wishes: Wishes, config: str | os.PathLike[str] | None) -> None:
        self._wishes = wishes
        self._edit = ConfigEdit(config)
        folder = (wishes.folder or self._edit.path.parent).absolute()
        self._private, self._public = (folder / f"{wishes.name}{end}" for end in (".pem", ".pub"))
        self._is_new = True
        self._organisation = wishes.organisation
        self._token: Sealed[str] | None = None
        self._dropped = 0
        try:
            check_name(wishes.name)
        except ValueError as error:
            raise ConfigurationError(f"the name of a caller: {error}") from error
        if wishes.profile is not None and wishes.profile not in self._edit.profiles:
            place = f"configuration file {self._edit.path}"
            raise unknown_profile(place, wishes.profile, self._edit.profiles)

    @classmethod
    def added(cls, wishes: Wishes, config: str | os.PathLike[str] | None) -> CallerEdit:
        """A new caller."""
        edit = cls(wishes, config)
        edit._add()
        return edit

    @classmethod
    def with_another_token(
        cls, wishes: Wishes, config: str | os.PathLike[str] | None
    ) -> CallerEdit:
        """A caller that is there, with a new token; the newest of its former ones stays valid."""
        edit = cls(wishes, config)
        edit._rotate()
        return edit

    @property
    def toml(self) -> str:
        """The configuration file as it is to be."""
        return self._edit.text

    def write(self) -> AddedCaller:
        """Write the files of the caller, and then the configuration file; or nothing of it.

        Raises:
            ConfigurationError: a file is there already, or cannot be written.
        """
        settings = self._settings()
        with new_files(*self._files()):
            self._edit.write()
        table = settings.callers[self._wishes.name]
        return AddedCaller(
            self._wishes.name,
            settings,
            self._token,
            self._wishes.token_file.absolute() if self._wishes.token_file else None,
            self._organisation,
            self._private if table.credential else None,
            self._edit.path,
            self._dropped,
        )

    def _add(self) -> None:
        wishes = self._wishes
        if wishes.name in _callers_of(self._edit):
            raise ConfigurationError(
                f"configuration file {self._edit.path} has a caller {wishes.name!r} already: "
                "choose another name, give it another token by --rotate-token, or remove its "
                f"tables [gateway.callers.{wishes.name}] first"
            )
        if not self._edit.gateway:
            self._begin_gateway()
        elif wishes.listen:
            raise ConfigurationError(
                f"configuration file {self._edit.path}, [gateway] is there already: add to its "
                "'listen' by hand, and leave out --listen"
            )
        self._edit.put_below_gateway(("callers", wishes.name), self._table())
        self._settings()

    def _begin_gateway(self) -> None:
        profile = {"profile": self._wishes.profile} if self._wishes.profile else {}
        listen = list(self._wishes.listen) or [DEFAULT_LISTEN]
        self._edit.put_below_gateway((), {**profile, "listen": listen})

    def _table(self) -> dict[str, Any]:
        """The table of the new caller, whose token is made here."""
        wishes = self._wishes
        table: dict[str, Any] = {}
        if wishes.with_token:
            table["token_sha256"] = [self._new_token()]
        if wishes.uids:
            table["unix"] = {"uid": list(wishes.uids)}
        if wishes.certificates:
            table["certificate"] = list(wishes.certificates)
        if wishes.with_key:
            reference = file_reference(self._public, self._edit.path)["file"]
            table["credential"] = {"id": f"local-{wishes.name}", "public_key": reference}
        return table

    def _rotate(self) -> None:
        require_caller(self._edit, self._wishes.name)
        self._is_new = False
        former = self._settings().callers[self._wishes.name].token_sha256
        digests = [self._new_token(), *former][:_TOKENS]
        self._dropped = len(former) + 1 - len(digests)
        self._edit.put_below_gateway(("callers", self._wishes.name), {"token_sha256": digests})
        self._settings()

    def _new_token(self) -> str:
        if self._organisation is None:
            profile = self._wishes.profile or self._edit.gateway.get("profile")
            self._organisation = organisation_of(profile, self._edit.path)
        self._token = new_token(self._wishes.name, self._organisation)
        return token_digest(self._token)

    def _settings(self) -> GatewaySettings:
        return read_settings(Sealed(self._edit.gateway), self._edit.path, reveal=False)

    def _files(self) -> Iterator[tuple[Path, Sealed[bytes]]]:
        if self._is_new and self._wishes.with_key:
            private, public = _key_pair()
            yield self._private, private
            yield self._public, public
        if self._wishes.token_file is not None and self._token is not None:
            content = Sealed(self._token.open().encode("utf-8") + b"\n")
            yield self._wishes.token_file.absolute(), content


def require_caller(edit: ConfigEdit, name: str) -> None:
    """Refuse a caller that the configuration file does not have.

    Raises:
        ConfigurationError: there is no such caller; says which there are.
    """
    callers = _callers_of(edit)
    if name not in callers:
        raise ConfigurationError(
            f"configuration file {edit.path} has no caller {name!r}{did_you_mean(name, callers)}; "
            f"callers are: {', '.join(callers) or 'none'}"
        )


def _callers_of(edit: ConfigEdit) -> list[str]:
    found = edit.gateway.get("callers")
    return list(found) if isinstance(found, dict) else []


def _key_pair() -> tuple[Sealed[bytes], Sealed[bytes]]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Sealed(private), Sealed(public_key_pem(key.public_key()).encode("ascii"))

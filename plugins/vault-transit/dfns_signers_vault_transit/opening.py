"""What Transit says of a key, and whether Dfns accepts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dfns_signers.plugin import Attempt, PublicKey, Sealed, errors, quoted
from dfns_signers_vault_transit.algorithms import KEY_TYPES, SUPPORTED, KeyType
from dfns_signers_vault_transit.errors import missing_policy, rule
from dfns_signers_vault_transit.vault import Vault


def _public_key(version: Any) -> Any:
    """Of a symmetric key there is only a time."""
    return version.get("public_key") if isinstance(version, Mapping) else None


# Beyond what any server has: what it says of itself becomes part of messages.
_HIGHEST: Final = 10**9
_TYPE: Final = r"^[a-z0-9_-]{1,24}$"
_Number = Annotated[int, Field(ge=0, le=_HIGHEST)]


class Description(BaseModel):
    """A Transit key as its ``keys`` path describes it.

    Attributes:
        path: mount and name.
        location: address and namespace of the server.
        type: Transit's word for its type.
        latest_version: newest version.
        versions: public key of each version that is not archived, as Transit writes it; None for
            types that have none.
        lowest_signing: versions below this one do not sign.
        is_signing: whether keys of its type sign.
        is_derived: whether each signature needs a context.
        is_deleted: whether it is soft-deleted (OpenBao).
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    path: str
    location: str
    type: Annotated[str, Field(pattern=_TYPE)]
    latest_version: _Number
    versions: dict[_Number, Annotated[str | None, BeforeValidator(_public_key)]] = Field(
        alias="keys", repr=False
    )
    lowest_signing: _Number = Field(default=0, alias="min_encryption_version")
    is_signing: bool = Field(default=False, alias="supports_signing")
    is_derived: bool = Field(default=False, alias="derived")
    is_deleted: bool = Field(default=False, alias="soft_deleted")

    @property
    def key_type(self) -> KeyType | None:
        """What Dfns knows it as; None for what it does not accept."""
        usable = not (self.is_derived or self.is_deleted)
        return KEY_TYPES.get(self.type) if usable else None

    def require_key_type(self) -> KeyType:
        """What Dfns knows it as.

        Raises:
            UnsupportedKeyError: Dfns does not accept keys of its type, or it is derived.
            KeyStateError: it is deleted.
        """
        where = self._where
        if self.is_deleted:
            raise errors.KeyStateError(f"{where} is deleted; restore it, or use another key")
        if self.is_derived:
            raise errors.UnsupportedKeyError(
                f"{where} is derived: each context is another key; create one without 'derived'"
            )
        if self.type not in KEY_TYPES:
            raise errors.UnsupportedKeyError(
                f"{where} is of the type {self.type!r}, which Dfns does not accept; {SUPPORTED}"
            )
        return KEY_TYPES[self.type]

    def require_version(self, version: int) -> None:
        """See that there is such a version, archived or not.

        Raises:
            KeyNotFoundError: there is none.
        """
        if version > self.latest_version:
            raise errors.KeyNotFoundError(
                f"{self._where} has no version {version}; its latest is {self.latest_version}: "
                "check 'key_version'"
            )

    def next_version(self, version: int) -> int | None:
        """The lowest version above another that signs; None if there is none."""
        lowest = max(version + 1, self.lowest_signing)
        return min((one for one in self.versions if one >= lowest), default=None)

    def public_key(self, version: int) -> PublicKey:
        """The public key of a version.

        Raises:
            KeyNotFoundError: there is no such version.
            KeyStateError: it is archived, or below what may sign.
            UnsupportedKeyError: as ``require_key_type``.
        """
        key_type = self.require_key_type()
        self.require_version(version)
        if self.versions.get(version) is None:
            available = quoted(", ".join(map(str, sorted(self.versions))))
            raise errors.KeyStateError(
                f"version {version} of {self._where} is archived: it is below the key's "
                f"min_decryption_version; available are {available}; lower that minimum, or "
                "register a newer version with Dfns"
            )
        if version < self.lowest_signing:
            raise errors.KeyStateError(
                f"version {version} of {self._where} does not sign: it is below the key's "
                f"min_encryption_version, {self.lowest_signing}; lower that minimum, or register a "
                "newer version with Dfns"
            )
        return key_type.read_public_key(self.versions[version] or "")

    @property
    def _where(self) -> str:
        return f"the key {self.path} at Vault at {self.location}"


DescriptionT = TypeVar("DescriptionT", bound=Description)


def read_description(vault: Vault, mount: str, key: str) -> Description:
    """Ask Vault for a key, as ``read_as`` does."""
    return read_as(Description, vault, mount, key)


def read_as(kind: type[DescriptionT], vault: Vault, mount: str, key: str) -> DescriptionT:
    """Ask Vault for a key.

    Args:
        kind: what to read of it.
        vault: the server.
        mount: where the secrets engine is mounted.
        key: name of the key.

    Raises:
        KeyNotFoundError: there is no such key, mount or namespace.
        SigningKeyError: Vault refused or failed.
    """
    path = f"{mount}/{key}"
    remedy = missing_policy(rule(f"{mount}/keys/{key}", "read"))
    purpose = vault.purpose(f"read the key {path}", remedy, mount)

    def read(client: Any, _: Attempt) -> DescriptionT:
        answer = Sealed(client.secrets.transit.read_key(key, mount_point=mount))
        return kind.model_validate(
            {**answer.open()["data"], "path": path, "location": vault.location}
        )

    return vault.request(purpose, read)

"""What a backend offers besides opening keys, where its key store can: create and list them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.options import StrictModel
from dfns_signers.errors import UnsupportedKeyError


class ManagementOptions(StrictModel):
    """Base of the options of ``create`` and ``list_keys``."""


CreateT = TypeVar("CreateT", bound=BaseModel)
ListT = TypeVar("ListT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """A key in its store, as ``create`` made it or ``list_keys`` found it.

    Attributes:
        reference: the key as the store names it in full, such as an ARN with its region.
        algorithm: what it signs with; None for a key that Dfns does not accept.
        kind: the store's own word for the kind of key, such as ``ECC_NIST_P256``.
        state: the store's own word, such as ``Enabled``.
        names: aliases, or other names that lead to the same key.
        signer: the ``[signer]`` table that opens it; empty for a key that Dfns does not accept.
    """

    reference: str
    algorithm: Algorithm | None
    kind: str
    state: str
    names: tuple[str, ...] = ()
    signer: Mapping[str, Any] = field(default_factory=dict)


class ManagesKeys(ABC, Generic[CreateT, ListT]):
    """A backend that can create and list keys; inherit it along with Backend.

    Options that a profile's ``[signer]`` table has too (region, address, credentials) bear the same
    names in all three models, so that the command line can take them from the profile.

    Attributes:
        create_options: pydantic model of what ``create`` takes.
        list_options: pydantic model of what ``list_keys`` takes.
    """

    create_options: ClassVar[type[BaseModel]]
    list_options: ClassVar[type[BaseModel]]

    def derived_options(self, signer: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a ``[signer]`` table says of the store in options of other names.

        Override it where the name of a key has the place it is in, such as the region in an ARN.
        The command line takes what ``create_options`` or ``list_options`` has, unless the table or
        the user gives it.

        Args:
            signer: the table without ``backend``; it is not checked yet.
        """
        del signer
        return {}

    def suggestions(self, profile: str, folder: Path) -> Mapping[str, str | None]:
        """Options of ``create`` and ``list_keys`` that a person is asked for, required or not.

        Those that are required are asked for anyway. Override it for what is usually given, such as
        a region, and for the name of the key: one that the profile's name leads to, so that
        ``find`` finds it again.

        Args:
            profile: name of the profile that the key is for.
            folder: that of the configuration file, where files of the profile belong.

        Returns:
            What to suggest for each, as on a command line; None for nothing.
        """
        del profile, folder
        return {}

    @abstractmethod
    def create(self, algorithm: Algorithm, options: CreateT) -> KeyDescription:
        """Create a key for signing, and wait until it can sign.

        Raises:
            UnsupportedKeyError: the key store has no keys for that algorithm.
            SigningKeyError: it refused or failed.
        """

    def find(self, algorithm: Algorithm, options: CreateT) -> KeyDescription | None:
        """The key that an earlier ``create`` made of the same options, for it to be resumed.

        Override it where options name a key, and where a key that was created and not yet named
        can be recognised. Found half-made (without its alias, say), a key is completed.

        Returns:
            The key, with the algorithm that it really has, also where that is another one: the
            caller compares. None if there is none.

        Raises:
            UnsupportedKeyError: the options say more of the key, such as its size, than is true.
            SigningKeyError: the key store refused or failed, or the options name no key.
        """
        del algorithm, options
        return None

    def create_next(self, options: Any) -> KeyDescription:
        """Create the key that is to follow a configured one, with the same algorithm.

        A new version where the key store has versions, else a new key. One that an earlier call
        made, and that may sign, is returned instead: calling it again makes no second one. The
        configured key stays as it is.

        Args:
            options: those of the ``[signer]`` table.

        Returns:
            The next key; its ``signer`` is a complete table, with all that reaching it takes.

        Raises:
            UnsupportedKeyError: this backend makes no next keys.
            SigningKeyError: the key store refused or failed.
        """
        del options
        raise UnsupportedKeyError(
            f"{type(self).__name__} makes no next keys: create one with the tools of its key store"
        )

    @abstractmethod
    def list_keys(self, options: ListT) -> Iterator[KeyDescription]:
        """Every signing key that the caller may see, page by page.

        Raises:
            SigningKeyError: the key store refused or failed.
        """

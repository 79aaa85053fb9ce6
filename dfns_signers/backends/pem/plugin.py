"""The ``pem`` backend: opens a PemKey from the configuration, and makes keys in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.management import KeyDescription, ManagesKeys
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.backends.pem.options import PemCreate, PemList, PemOptions
from dfns_signers.private_files import file_of
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import SigningKey


class PemBackend(Backend[PemOptions], ManagesKeys[PemCreate, PemList]):
    """Opens private keys in PEM from files and environment variables, and makes keys in files."""

    options = PemOptions
    create_options = PemCreate
    list_options = PemList

    def open(self, options: PemOptions) -> SigningKey:
        """Read the key; see PemKey for what is refused."""
        passphrase = Sealed(options.passphrase.reveal() if options.passphrase else None)
        if options.path is not None:
            return PemKey.from_file(options.path, passphrase.open(), verify=options.verify)
        return PemKey.from_env(options.env or "", passphrase.open(), verify=options.verify)

    def derived_options(self, signer: Mapping[str, Any]) -> Mapping[str, Any]:
        """The folder of the key's file."""
        path = signer.get("path")
        return {"folder": str(Path(path).parent)} if isinstance(path, str) and path else {}

    def suggestions(self, profile: str, folder: Path) -> Mapping[str, str | None]:
        """A file with the name of the profile, beside the configuration file."""
        return {"path": str(file_of(profile, ".pem", folder)), "folder": str(folder)}

    def create(self, algorithm: Algorithm, options: PemCreate) -> KeyDescription:
        """Make a key in a new file of mode 0600, encrypted if a passphrase is given.

        Raises:
            SigningKeyError: the file exists already, or cannot be created.
        """
        from dfns_signers.backends.pem.management import create_key  # noqa: PLC0415

        return create_key(algorithm, options)

    def find(self, algorithm: Algorithm, options: PemCreate) -> KeyDescription | None:
        """The key in the file; SigningKeyError if there is something else in it."""
        from dfns_signers.backends.pem.management import find_key  # noqa: PLC0415

        del algorithm
        return find_key(options)

    def create_next(self, options: PemOptions) -> KeyDescription:
        """Make a key in the next file, encrypted as the first is: ``key-2.pem`` for ``key.pem``.

        Raises:
            UnsupportedKeyError: the key is in an environment variable.
            SigningKeyError: there is another key in that file, or it cannot be created.
        """
        from dfns_signers.backends.pem.management import create_next_key  # noqa: PLC0415

        return create_next_key(options)

    def list_keys(self, options: PemList) -> Iterator[KeyDescription]:
        """The keys in a folder, as far as they can be read."""
        from dfns_signers.backends.pem.management import list_keys  # noqa: PLC0415

        return list_keys(options)

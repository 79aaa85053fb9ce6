"""A signing key in PEM, in the memory of this process: for laptops and tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dfns_signers.algorithms import SCHEMES
from dfns_signers.backends.pem.parsing import PrivateKey, parse_private_key
from dfns_signers.errors import ConfigurationError, KeyNotFoundError, SigningKeyError
from dfns_signers.private_files import is_exposed, read_private_file, reason_of, warn_of_exposure
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import KeyResponse, SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self


class PemKey(SigningKey):
    """A private key that this process holds.

    PKCS#8, SEC1, PKCS#1 and OpenSSH's own format are read. Make one with ``from_file``,
    ``from_env`` or ``from_pem``; each takes

    * ``passphrase``: text or UTF-8 bytes, for an encrypted key;
    * ``fingerprint``: refuse the key unless its public key has this SHA-256;
    * ``verify``: verify each signature as is done for a remote key. Off by default: the
      signature never leaves this process on its way here.

    Each raises UnsupportedKeyError for anything but a private key of a kind that Dfns
    accepts, SigningKeyError for a passphrase that does not fit, FingerprintMismatchError for
    another key than the pinned one.
    """

    # A signature takes 0.02 to 0.5 ms (RSA-4096: 1.7), and a thread 0.14: not worth the detour.
    signs_in_process = True

    def __init__(self, private_key: PrivateKey, *, reference: str, verify: bool = False) -> None:
        super().__init__(private_key.public_key(), reference=reference, verify_signatures=verify)
        self._sign_with: Callable[..., bytes] = private_key.sign
        self._parameters = SCHEMES[self.algorithm].parameters

    @classmethod
    def from_pem(
        cls,
        pem: str | bytes,
        passphrase: str | bytes | None = None,
        *,
        fingerprint: str | None = None,
        verify: bool = False,
        reference: str = "a PEM in memory",
    ) -> Self:
        """Read a key from PEM text or bytes; ``reference`` names it in errors."""
        given, opening = Sealed(pem), Sealed(passphrase)
        del pem, passphrase
        data, secret = _to_bytes(given, "PEM"), _to_bytes(opening, "passphrase")
        private_key = parse_private_key(data.open() or b"", secret.open(), reference)
        key = cls(private_key, reference=reference, verify=verify)
        if fingerprint is not None:
            key.require_fingerprint(fingerprint)
        return key

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        passphrase: str | bytes | None = None,
        *,
        fingerprint: str | None = None,
        verify: bool = False,
    ) -> Self:
        """Read a key from a file; warns in the log if other users can read it.

        Raises:
            ConfigurationError: the path is neither a string nor a path.
            KeyNotFoundError: the file does not exist.
            SigningKeyError: it cannot be read, or other users can write it.
        """
        from pathlib import Path  # noqa: PLC0415  # a key from memory has no path

        opening = Sealed(passphrase)
        del passphrase
        if not isinstance(path, (str, os.PathLike)):
            raise ConfigurationError(
                f"the path of the key file must be a string or path, not {type(path).__name__}"
            )
        return cls.from_pem(
            _read(Path(path)).open(),
            opening.open(),
            fingerprint=fingerprint,
            verify=verify,
            reference=f"file {os.fspath(path)}",
        )

    @classmethod
    def from_env(
        cls,
        name: str,
        passphrase: str | bytes | None = None,
        *,
        fingerprint: str | None = None,
        verify: bool = False,
    ) -> Self:
        r"""Read a key from an environment variable; a literal ``\n`` counts as a line break.

        Raises:
            ConfigurationError: the name is not a string.
            KeyNotFoundError: the variable is not set.
        """
        opening = Sealed(passphrase)
        del passphrase
        if not isinstance(name, str):
            raise ConfigurationError(
                "the name of the environment variable with the key must be a string, not "
                f"{type(name).__name__}"
            )
        if name not in os.environ:
            raise KeyNotFoundError(
                f"the environment variable {name} is not set; it should hold a private key in PEM"
            )
        return cls.from_pem(
            os.environ[name],
            opening.open(),
            fingerprint=fingerprint,
            verify=verify,
            reference=f"environment variable {name}",
        )

    def _sign(self, message: bytes) -> KeyResponse:
        return KeyResponse(self._sign_with(message, *self._parameters))

    def _reopen(self) -> None:
        """Nothing to do: a forked child has the private key in its own memory."""


def _to_bytes(value: Sealed[Any], what: str) -> Sealed[bytes | None]:
    if not isinstance(value.open(), (str, bytes, type(None))):
        found = type(value.open()).__name__
        raise ConfigurationError(f"the {what} must be a string or bytes, not {found}")
    if isinstance(value.open(), str):
        return Sealed(value.open().encode("utf-8", "replace"))
    return value


def _read(path: Path) -> Sealed[bytes]:
    try:
        content, status = read_private_file(path, "the key file", SigningKeyError)
    except FileNotFoundError as error:
        raise KeyNotFoundError(f"the key file {path} does not exist; check the path") from error
    except (OSError, ValueError) as error:
        raise SigningKeyError(f"the key file {path} cannot be read: {reason_of(error)}") from error
    if is_exposed(status):
        warn_of_exposure("the key file", path)
    return content

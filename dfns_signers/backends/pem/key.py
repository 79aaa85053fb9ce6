"""A signing key in PEM, in the memory of this process: for laptops and tests."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Final

from typing_extensions import Self

from dfns_signers.algorithms import SCHEMES
from dfns_signers.backends.pem.parsing import MAX_BYTES, PrivateKey, parse_private_key
from dfns_signers.errors import KeyNotFoundError, SigningKeyError
from dfns_signers.file_modes import readable_by_others
from dfns_signers.signing_key import KeyResponse, SigningKey

_log: Final = logging.getLogger(__name__)


class PemKey(SigningKey):
    """A private key that this process holds.

    PKCS#8 (plain or encrypted), SEC1 and PKCS#1 are read. Make one with ``from_file``,
    ``from_env`` or ``from_pem``; each takes

    * ``passphrase``: text or UTF-8 bytes, for an encrypted key;
    * ``fingerprint``: refuse the key unless its public key has this SHA-256;
    * ``verify``: verify each signature as is done for a remote key. Off by default: the
      signature never leaves this process on its way here.

    Each raises UnsupportedKeyError for anything but a private key of a kind that Dfns
    accepts, SigningKeyError for a passphrase that does not fit, FingerprintMismatchError for
    another key than the pinned one.
    """

    signs_in_process = True

    def __init__(self, private_key: PrivateKey, *, reference: str, verify: bool = False) -> None:
        super().__init__(private_key.public_key(), reference=reference, verify_signatures=verify)
        self._private_key = private_key

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
        secret = _to_bytes(passphrase) if passphrase is not None else None
        private_key = parse_private_key(_to_bytes(pem), secret, reference)
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
            KeyNotFoundError: the file does not exist.
            SigningKeyError: it cannot be read.
        """
        return cls.from_pem(
            _read(Path(path)),
            passphrase,
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
            KeyNotFoundError: the variable is not set.
        """
        pem = os.environ.get(name)
        if pem is None:
            raise KeyNotFoundError(
                f"the environment variable {name} is not set; it should hold a private key in PEM"
            )
        return cls.from_pem(
            pem,
            passphrase,
            fingerprint=fingerprint,
            verify=verify,
            reference=f"environment variable {name}",
        )

    def _sign(self, message: bytes) -> KeyResponse:
        sign: Any = self._private_key.sign
        return KeyResponse(sign(message, *SCHEMES[self.algorithm].parameters))

    async def _asign(self, message: bytes) -> KeyResponse:
        # Signing takes 0.02 to 1.5 ms, a thread about 0.1 ms: not worth the detour.
        return self._sign(message)

    def _reopen(self) -> None:
        """Nothing to do: a forked child has the private key in its own memory."""


def _to_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else value


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            # One byte more than a key may have: a larger file is recognised by it.
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise KeyNotFoundError(f"the key file {path} does not exist; check the path") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SigningKeyError(f"the key file {path} cannot be read: {reason}") from error
    if readable_by_others(mode):
        _log.warning("other users can read the key file %s; run: chmod 600 %s", path, path)
    return data

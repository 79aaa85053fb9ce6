"""From PEM text to a private key that Dfns accepts, or to an error that says what was found."""

from __future__ import annotations

import base64
import re
from typing import Any, Final, TypeAlias

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dfns_signers.algorithms import SUPPORTED, algorithm_of
from dfns_signers.errors import SigningKeyError, UnsupportedKeyError
from dfns_signers.private_files import MAX_BYTES
from dfns_signers.sealed import Sealed

PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

EXPECTED: Final = (
    "expected a private key in PEM: PKCS#8 ('PRIVATE KEY' or 'ENCRYPTED PRIVATE KEY'), SEC1 "
    "('EC PRIVATE KEY'), PKCS#1 ('RSA PRIVATE KEY') or OpenSSH ('OPENSSH PRIVATE KEY')"
)

# A block never reaches over the beginning of another, which also keeps the search linear.
_BLOCK: Final = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]+)-----((?:(?!-----BEGIN ).)*?)-----END \1-----", re.DOTALL
)
_LEGACY_ENCRYPTION: Final = b"Proc-Type: 4,ENCRYPTED"
_RSASSA_PSS: Final = bytes.fromhex("06092a864886f70d01010a")  # OID 1.2.840.113549.1.1.10 in DER
_ALGORITHM_ENDS: Final = 48  # bytes of PKCS#8 by which its algorithm identifier has been named
_OPENSSH: Final = b"-----BEGIN OPENSSH "
_OPENSSH_CIPHER: Final = re.compile(rb"openssh-key-v1\0\0\0\0.(?!none)", re.DOTALL)
_PRIVATE_LABELS: Final = frozenset(
    {
        b"PRIVATE KEY",
        b"ENCRYPTED PRIVATE KEY",
        b"EC PRIVATE KEY",
        b"RSA PRIVATE KEY",
        b"OPENSSH PRIVATE KEY",
    }
)
_ADVICE: Final = {
    b"PUBLIC KEY": "the private key of the pair is needed",
    b"RSA PUBLIC KEY": "the private key of the pair is needed",
    b"CERTIFICATE": "the private key that belongs to it is needed",
}


def parse_private_key(data: bytes, passphrase: bytes | None, source: str) -> PrivateKey:
    r"""Read one private key from PEM.

    Args:
        data: the PEM. A literal ``\n`` counts as a line break, as environment files write it.
        passphrase: for an encrypted key.
        source: where the PEM comes from, for errors.

    Raises:
        UnsupportedKeyError: the PEM has no private key of a supported kind; the message says what
            there is instead.
        SigningKeyError: the passphrase is missing, wrong or needless.
    """
    pem, secret = Sealed(data), Sealed(passphrase)
    del data, passphrase
    if len(pem.open()) > MAX_BYTES:
        raise UnsupportedKeyError(f"{source} is over {MAX_BYTES} bytes, more than any key has")
    block = _only_private_block(pem, source)
    encrypted = _is_encrypted(block)
    if encrypted and not secret.open():
        raise SigningKeyError(
            f"the private key in {source} is encrypted: set its passphrase, such as "
            'passphrase = { env = "NAME" }'
        )
    if secret.open() and not encrypted:
        raise SigningKeyError(
            f"the private key in {source} is not encrypted, though a passphrase is configured: "
            "remove the passphrase, or encrypt the key with 'openssl pkcs8 -topk8'"
        )
    key = _load(block, secret, source, encrypted=encrypted)
    if not encrypted and _is_limited_to_pss(block):
        raise UnsupportedKeyError(
            f"the private key in {source} is unusable: found an RSA key for RSASSA-PSS alone, "
            f"which Dfns does not accept; supported are {SUPPORTED}"
        )
    try:
        algorithm_of(key.public_key())
    except UnsupportedKeyError as error:
        raise UnsupportedKeyError(f"the private key in {source} is unusable: {error}") from None
    return key  # type: ignore[no-any-return]  # narrowed by algorithm_of


def _load(
    block: Sealed[bytes], passphrase: Sealed[bytes | None], source: str, *, encrypted: bool
) -> Any:
    load: Any = serialization.load_pem_private_key
    if block.open().startswith(_OPENSSH):
        load = serialization.load_ssh_private_key
    try:
        return load(block.open(), passphrase.open() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm, OverflowError, InternalError) as error:
        # Not chained: the frames of the library hold the key.
        problem = str(error)
    if encrypted and "bcrypt" in problem:
        raise SigningKeyError(
            f"the private key in {source} is encrypted as OpenSSH does, which takes the package "
            "bcrypt: run 'pip install bcrypt', or make a key with 'openssl genpkey'"
        )
    raise _unreadable(source, encrypted=encrypted)


def _is_encrypted(block: Sealed[bytes]) -> bool:
    if block.open().startswith(_OPENSSH):
        # The name of the cipher comes first (openssh/PROTOCOL.key); of a plain key, it is "none".
        return _OPENSSH_CIPHER.match(_body(block).open()) is not None
    return block.open().startswith(b"-----BEGIN ENCRYPTED ") or _LEGACY_ENCRYPTION in block.open()


def _is_limited_to_pss(block: Sealed[bytes]) -> bool:
    # The loaded key does not say: its algorithm identifier has to be looked at.
    return _RSASSA_PSS in _body(block).open()[:_ALGORITHM_ENDS]


def _body(block: Sealed[bytes]) -> Sealed[bytes]:
    """What a PEM block encodes; nothing if it is damaged."""
    try:
        return Sealed(base64.b64decode(b"".join(block.open().splitlines()[1:-1])))
    except ValueError:
        return Sealed(b"")


def _only_private_block(pem: Sealed[bytes], source: str) -> Sealed[bytes]:
    data = Sealed(pem.open().replace(rb"\r", b"").replace(rb"\n", b"\n"))
    blocks = [(match[1], Sealed(match[0])) for match in _BLOCK.finditer(data.open())]
    private = [block for label, block in blocks if label in _PRIVATE_LABELS]
    if len(private) == 1:
        return private[0]
    if private:
        raise UnsupportedKeyError(
            f"{source} holds {len(private)} private keys, and it is ambiguous which one is meant: "
            "keep one"
        )
    labels = [label for label, _ in blocks]
    raise UnsupportedKeyError(f"{source} {_describe_content(data, labels)}; {EXPECTED}")


def _describe_content(data: Sealed[bytes], labels: list[bytes]) -> str:
    if not data.open().strip():
        return "is empty"
    if not labels:
        return "holds no complete PEM block"
    label = labels[0]
    advice = f" ({_ADVICE[label]})" if label in _ADVICE else ""
    return f"holds a PEM block of the kind '{label.decode()}'{advice}"


def _unreadable(source: str, *, encrypted: bool) -> SigningKeyError:
    if encrypted:
        return SigningKeyError(
            f"the private key in {source} cannot be decrypted: the passphrase is wrong, or the "
            "file is damaged or encrypted in an unsupported way"
        )
    return UnsupportedKeyError(
        f"the private key in {source} cannot be read: the PEM is damaged, or of an unsupported "
        f"algorithm; {EXPECTED}"
    )

"""Create, find and list private keys in PEM files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from dfns_signers.algorithms import Algorithm, PublicKey, algorithm_of, describe
from dfns_signers.backends.management import KeyDescription
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.backends.pem.options import PemCreate, PemList, PemOptions
from dfns_signers.backends.pem.parsing import PrivateKey
from dfns_signers.errors import KeyNotFoundError, SigningKeyError, UnsupportedKeyError
from dfns_signers.private_files import create_private_file, reason_of
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret

_GENERATE: Final[Mapping[Algorithm, Callable[[int], PrivateKey]]] = {
    Algorithm.ED25519: lambda _: ed25519.Ed25519PrivateKey.generate(),
    Algorithm.ES256: lambda _: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.ES256K: lambda _: ec.generate_private_key(ec.SECP256K1()),
    Algorithm.RS256: lambda bits: rsa.generate_private_key(65537, bits),
}
_ENDINGS: Final = (".pem", ".key")
_NUMBERED: Final = re.compile(r"(?P<name>.*?)(?:-(?P<number>\d{1,9}))?")


def create_key(algorithm: Algorithm, options: PemCreate) -> KeyDescription:
    """Make a key in a new file; see the backend for what is refused."""
    path, passphrase = options.path, _revealed(options.passphrase)
    private_key = Sealed(_GENERATE[algorithm](options.rsa_bits))
    content = _encoded(private_key, passphrase, path)
    try:
        create_private_file(path, content)
    except FileExistsError as error:
        raise SigningKeyError(
            f"the key file {path} exists already, and was left as it is: choose another path"
        ) from error
    except FileNotFoundError as error:
        raise SigningKeyError(
            f"the key file {path} cannot be created: there is no folder {path.parent}; make it "
            "first"
        ) from error
    except (OSError, ValueError) as error:
        raise SigningKeyError(
            f"the key file {path} cannot be created: {reason_of(error)}"
        ) from error
    return _description(path, private_key.open().public_key(), options.passphrase)


def find_key(options: PemCreate) -> KeyDescription | None:
    """The key in the file that a creation would make."""
    try:
        with _opened(options.path, options.passphrase) as key:
            return _description(options.path, key.public_key, options.passphrase)
    except KeyNotFoundError:
        return None


def create_next_key(options: PemOptions) -> KeyDescription:
    """Make the key beside a configured one, or find it: ``key-2.pem`` follows ``key.pem``."""
    if options.path is None:
        raise UnsupportedKeyError(
            f"the key in the environment variable {options.env} has no file for the next one to be "
            "beside: create one with 'dfns-signers keys create'"
        )
    path = _next_path(options.path)
    with _opened(options.path, options.passphrase) as key:
        current = key.public_key
        algorithm, fingerprint = key.algorithm, key.fingerprint
    try:
        with _opened(path, options.passphrase) as follower:
            if follower.algorithm != algorithm or follower.fingerprint == fingerprint:
                raise SigningKeyError(
                    f"the key file {path} exists already, and is not the next key of "
                    f"{options.path}: it has {describe(follower.public_key)}, with the fingerprint "
                    f"{follower.fingerprint}. Move it away"
                )
            made = _description(path, follower.public_key, options.passphrase)
    except KeyNotFoundError:
        bits = current.key_size if isinstance(current, rsa.RSAPublicKey) else 0
        new = PemCreate.model_construct(path=path, passphrase=options.passphrase, rsa_bits=bits)
        made = create_key(algorithm, new)
    verified = {"verify": True} if options.verify else {}
    return replace(made, signer={**made.signer, **verified})


def list_keys(options: PemList) -> Iterator[KeyDescription]:
    """The private keys in a folder; files that hold none are left out."""
    try:
        paths = sorted(path for path in options.folder.iterdir() if path.suffix in _ENDINGS)
    except OSError as error:
        raise SigningKeyError(
            f"the folder {options.folder} cannot be listed: {reason_of(error)}"
        ) from error
    for path in paths:
        for passphrase in dict.fromkeys((None, options.passphrase)):
            try:
                with _opened(path, passphrase) as key:
                    yield _description(path, key.public_key, passphrase)
            except SigningKeyError:
                continue


def _opened(path: Path, passphrase: Secret | None) -> PemKey:
    return PemKey.from_file(path, _revealed(passphrase).open())


def _revealed(passphrase: Secret | None) -> Sealed[str | None]:
    return Sealed(passphrase.reveal() if passphrase else None)


def _encoded(key: Sealed[PrivateKey], passphrase: Sealed[str | None], path: Path) -> Sealed[bytes]:
    """The key as PKCS#8 in PEM."""
    secret = Sealed((passphrase.open() or "").encode("utf-8"))
    try:
        return Sealed(
            key.open().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(secret).open())
        )
    except ValueError as error:  # not chained: its frames have the passphrase
        problem = str(error)
    raise SigningKeyError(f"the key file {path} was not created: {problem}")


def _encryption(passphrase: Sealed[bytes]) -> Sealed[KeySerializationEncryption]:
    if not passphrase.open():
        return Sealed(NoEncryption())
    return Sealed(BestAvailableEncryption(passphrase.open()))


def _next_path(path: Path) -> Path:
    found = _NUMBERED.fullmatch(path.stem)
    name, number = found.group("name", "number") if found else (path.stem, None)
    return path.with_name(f"{name}-{int(number or 1) + 1}{path.suffix}")


def _description(path: Path, key: PublicKey, passphrase: Secret | None) -> KeyDescription:
    """A key in a file; a passphrase that is a literal is not repeated."""
    reference = passphrase.reference if passphrase else None
    return KeyDescription(
        reference=f"file {path}",
        algorithm=algorithm_of(key),
        kind=describe(key).partition(" ")[2],
        state="encrypted" if passphrase else "not encrypted",
        names=(path.stem,),
        signer={
            "backend": "pem",
            "path": os.path.abspath(path),  # noqa: PTH100  # a link stays one
            **({"passphrase": dict(reference)} if reference else {}),
        },
    )

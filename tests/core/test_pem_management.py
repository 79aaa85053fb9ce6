"""Private keys in PEM files: created once, found, listed, and followed by the next one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.backends.pem.options import PemCreate, PemList, PemOptions
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.errors import ConfigurationError, SigningKeyError, UnsupportedKeyError
from dfns_signers.signing_key import SigningKey
from tests.core.keys import ALGORITHMS, is_signature, private_key, private_pem
from tests.secrecy import CANARY
from tests.support.local_variables import leaks_of

BACKEND = PemBackend()
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def create(path: Path, algorithm: str = "ES256", **more: Any) -> KeyDescription:
    options = PemCreate.model_validate({"path": str(path), **more})
    return BACKEND.create(Algorithm(algorithm), options)


def find(path: Path, **more: Any) -> KeyDescription | None:
    options = PemCreate.model_validate({"path": str(path), **more})
    return BACKEND.find(Algorithm.ES256, options)


def table(path: Path, **more: Any) -> PemOptions:
    return PemOptions.model_validate({"path": str(path), **more})


def opened(description: KeyDescription) -> SigningKey:
    values = {name: value for name, value in description.signer.items() if name != "backend"}
    return BACKEND.open(PemOptions.model_validate(values))


@pytest.fixture
def passphrase(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("KEY_PASSPHRASE", CANARY)
    return {"env": "KEY_PASSPHRASE"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_created_key_signs_by_its_table(tmp_path: Path, algorithm: str) -> None:
    description = create(tmp_path / "key.pem", algorithm)

    key = opened(description)

    assert description.signer == {"backend": "pem", "path": str(tmp_path / "key.pem")}
    assert (description.reference, description.algorithm) == (key.reference, algorithm)
    assert is_signature(key.public_key, b"message", key.sign(b"message"))


@POSIX
def test_created_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create(tmp_path / "key.pem")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_created_key_is_encrypted_on_request_and_its_table_refers_to_the_passphrase(
    tmp_path: Path, passphrase: dict[str, str]
) -> None:
    description = create(tmp_path / "key.pem", passphrase=passphrase)

    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "key.pem").read_bytes()
    assert description.signer["passphrase"] == passphrase
    assert opened(description).algorithm == "ES256"


def test_passphrase_that_is_a_literal_is_not_repeated(tmp_path: Path) -> None:
    description = create(tmp_path / "key.pem", passphrase=CANARY)

    assert CANARY not in repr(description)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "key.pem").read_bytes()


@pytest.mark.parametrize("bits", [2048, 3072])
def test_size_of_an_rsa_key_is_chosen(tmp_path: Path, bits: int) -> None:
    key = opened(create(tmp_path / "key.pem", "RS256", rsa_bits=bits))

    assert isinstance(key.public_key, rsa.RSAPublicKey)
    assert key.public_key.key_size == bits


def test_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("precious")

    with pytest.raises(SigningKeyError, match=r"key\.pem exists already, and was left as it is"):
        create(tmp_path / "key.pem")

    assert (tmp_path / "key.pem").read_text() == "precious"


@POSIX
def test_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key.pem").symlink_to(tmp_path / "elsewhere.pem")

    with pytest.raises(SigningKeyError, match="exists already"):
        create(tmp_path / "key.pem")

    assert not (tmp_path / "elsewhere.pem").exists()


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match=r"there is no folder .*absent; make it first"):
        create(tmp_path / "absent" / "key.pem")


@POSIX
def test_file_that_cannot_be_written_whole_is_not_left_behind(tmp_path: Path) -> None:
    import resource  # noqa: PLC0415  # POSIX has it

    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(SigningKeyError, match=r"key\.pem cannot be created: File too large"):
            create(tmp_path / "key.pem")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert not (tmp_path / "key.pem").exists()


def test_key_is_found_once_it_was_created(tmp_path: Path, passphrase: dict[str, str]) -> None:
    before = find(tmp_path / "key.pem", passphrase=passphrase)
    created = create(tmp_path / "key.pem", passphrase=passphrase)

    assert before is None
    assert find(tmp_path / "key.pem", passphrase=passphrase) == created


def test_file_without_a_key_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("precious")
    (tmp_path / "key.pem").chmod(0o600)

    with pytest.raises(SigningKeyError, match="holds no complete PEM block"):
        find(tmp_path / "key.pem")


def test_keys_of_a_folder_are_listed_as_far_as_they_can_be_read(
    tmp_path: Path, passphrase: dict[str, str]
) -> None:
    plain = create(tmp_path / "a.pem")
    encrypted = create(tmp_path / "b.key", "Ed25519", passphrase=passphrase)
    (tmp_path / "c.pem").write_bytes(private_pem(private_key("ES256"), b"another passphrase"))
    (tmp_path / "d.pem").write_text("precious")
    (tmp_path / "e.txt").write_bytes(private_pem(private_key("ES256")))

    values = {"folder": str(tmp_path), "passphrase": passphrase}
    found = list(BACKEND.list_keys(PemList.model_validate(values)))

    assert found == [plain, encrypted]


def test_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match=r"absent cannot be listed: No such file"):
        list(BACKEND.list_keys(PemList(folder=tmp_path / "absent")))


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("key.pem", "key-2.pem"),
        ("key-2.pem", "key-3.pem"),
        ("key-9.pem", "key-10.pem"),
        ("dfns-production.key", "dfns-production-2.key"),
        ("key", "key-2"),
        ("2024.pem", "2024-2.pem"),
    ],
)
def test_next_key_is_in_a_file_beside_the_configured_one(
    tmp_path: Path, name: str, following: str
) -> None:
    create(tmp_path / name)

    made = BACKEND.create_next(table(tmp_path / name))

    assert made.signer == {"backend": "pem", "path": str(tmp_path / following)}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_next_key_is_another_one_of_the_same_kind_and_is_made_once(
    tmp_path: Path, algorithm: str
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(private_pem(private_key(algorithm)))
    path.chmod(0o600)
    before = path.read_bytes()

    first, again = BACKEND.create_next(table(path)), BACKEND.create_next(table(path))

    key = opened(first)
    assert first == again
    assert key.algorithm == algorithm
    assert key.fingerprint != BACKEND.open(table(path)).fingerprint
    assert path.read_bytes() == before


def test_next_key_is_encrypted_as_the_configured_one(
    tmp_path: Path, passphrase: dict[str, str]
) -> None:
    create(tmp_path / "key.pem", passphrase=passphrase)

    made = BACKEND.create_next(table(tmp_path / "key.pem", passphrase=passphrase))

    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "key-2.pem").read_bytes()
    assert made.signer["passphrase"] == passphrase
    assert opened(made).algorithm == "ES256"


def test_next_rsa_key_is_as_long_as_the_configured_one(tmp_path: Path) -> None:
    create(tmp_path / "key.pem", "RS256", rsa_bits=3072)

    key = opened(BACKEND.create_next(table(tmp_path / "key.pem")))

    assert isinstance(key.public_key, rsa.RSAPublicKey)
    assert key.public_key.key_size == 3072


def test_next_key_opens_with_the_verification_of_the_configured_one(tmp_path: Path) -> None:
    create(tmp_path / "key.pem")

    made = BACKEND.create_next(table(tmp_path / "key.pem", verify=True))

    assert made.signer["verify"] is True


@pytest.mark.parametrize("other", ["Ed25519", "the same key"])
def test_another_key_in_the_next_file_is_not_taken(tmp_path: Path, other: str) -> None:
    create(tmp_path / "key.pem")
    if other == "the same key":
        (tmp_path / "key-2.pem").write_bytes((tmp_path / "key.pem").read_bytes())
        (tmp_path / "key-2.pem").chmod(0o600)
    else:
        create(tmp_path / "key-2.pem", other)

    with pytest.raises(SigningKeyError, match=r"key-2\.pem exists already, and is not the next"):
        BACKEND.create_next(table(tmp_path / "key.pem"))


def test_key_in_a_variable_has_no_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_KEY", private_pem(private_key("ES256")).decode())

    with pytest.raises(UnsupportedKeyError, match="dfns-signers keys create"):
        BACKEND.create_next(PemOptions(env="DFNS_KEY"))


@pytest.mark.parametrize(
    ("path", "passphrase"),
    [("taken.pem", CANARY), ("absent/key.pem", CANARY), ("key.pem", CANARY * 200)],
)
def test_no_error_leaves_with_the_passphrase_in_a_local_variable(
    tmp_path: Path, path: str, passphrase: str
) -> None:
    (tmp_path / "taken.pem").write_text("")

    assert leaks_of(lambda: create(tmp_path / path, passphrase=passphrase)) == []


def test_missing_passphrase_makes_no_file(tmp_path: Path, passphrase: dict[str, str]) -> None:
    options = PemCreate.model_validate({"path": str(tmp_path / "k.pem"), "passphrase": passphrase})
    del os.environ["KEY_PASSPHRASE"]

    with pytest.raises(ConfigurationError, match="KEY_PASSPHRASE is not set"):
        BACKEND.create(Algorithm.ES256, options)

    assert not (tmp_path / "k.pem").exists()

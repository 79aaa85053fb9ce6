"""A key in PEM: where it is read from, how it signs, and what it never shows."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.errors import (
    ConfigurationError,
    FingerprintMismatchError,
    InvalidSignatureError,
    KeyNotFoundError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers.signing_key import KeyResponse
from tests.core.keys import (
    ALGORITHMS,
    is_signature,
    make_signature,
    private_key,
    private_pem,
    public_der,
    public_key,
    stranger,
)

MESSAGE = b'{"type":"key.get","challenge":"Y2g"}'
PASSPHRASE = "correct höst 9f2e"

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes say nothing here")


def pem_of(algorithm: str) -> bytes:
    return private_pem(private_key(algorithm))


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("dfns_signers")]


class LyingKey(PemKey):
    """A key in PEM that signs with another one."""

    def _sign(self, message: bytes) -> KeyResponse:
        return KeyResponse(make_signature(stranger(self.algorithm), message))


class SilentKey(PemKey):
    """A key in PEM that gives no signature at all."""

    def _sign(self, message: bytes) -> KeyResponse:
        return KeyResponse(b"")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", [bytes, bytes.decode])
def test_from_pem_text_or_bytes_gives_a_key_that_signs(
    algorithm: str, form: Callable[[bytes], str | bytes]
) -> None:
    key = PemKey.from_pem(form(pem_of(algorithm)))

    assert key.algorithm == algorithm
    assert key.reference == "a PEM in memory"
    assert is_signature(public_key(algorithm), MESSAGE, key.sign(MESSAGE))


@pytest.mark.anyio
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_asign_gives_a_signature_by_the_key(algorithm: str) -> None:
    async with PemKey.from_pem(pem_of(algorithm)) as key:
        signature = await key.asign(MESSAGE)

    assert is_signature(public_key(algorithm), MESSAGE, signature)
    with pytest.raises(SigningKeyError, match="closed"):
        await key.asign(MESSAGE)


@pytest.mark.parametrize("form", [str.encode, str])
def test_passphrase_text_or_utf_8_bytes_opens_an_encrypted_key(
    form: Callable[[str], str | bytes],
) -> None:
    pem = private_pem(private_key("ES256"), PASSPHRASE.encode())

    key = PemKey.from_pem(pem, form(PASSPHRASE))

    assert is_signature(public_key("ES256"), MESSAGE, key.sign(MESSAGE))


@pytest.mark.parametrize("form", [Path, str])
def test_from_file_names_the_file(tmp_path: Path, form: Callable[[Path], Path | str]) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(private_pem(private_key("ES256"), PASSPHRASE.encode()))

    key = PemKey.from_file(form(path), PASSPHRASE)

    assert key.reference == f"file {path}"
    assert is_signature(public_key("ES256"), MESSAGE, key.sign(MESSAGE))


@pytest.mark.parametrize("line_break", ["\n", "\\n", "\r\n"])
def test_from_env_takes_the_line_breaks_of_environment_files(
    monkeypatch: pytest.MonkeyPatch, line_break: str
) -> None:
    monkeypatch.setenv("DFNS_KEY", pem_of("ES256").decode().replace("\n", line_break))

    key = PemKey.from_env("DFNS_KEY")

    assert key.reference == "environment variable DFNS_KEY"
    assert is_signature(public_key("ES256"), MESSAGE, key.sign(MESSAGE))


def test_from_env_passphrase_opens_an_encrypted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_KEY", private_pem(private_key("ES256"), PASSPHRASE.encode()).decode())

    assert PemKey.from_env("DFNS_KEY", PASSPHRASE).algorithm == "ES256"


@pytest.mark.parametrize("given", [None, 5, b"key.pem", ["key.pem"]])
@pytest.mark.parametrize("make", [PemKey.from_file, PemKey.from_env])
def test_path_or_name_of_the_wrong_type_refused(make: Callable[[Any], PemKey], given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"must be a string.*, not {type(given).__name__}"):
        make(given)


def test_pem_of_the_wrong_type_refused() -> None:
    with pytest.raises(ConfigurationError, match="PEM must be a string or bytes, not int"):
        PemKey.from_pem(cast(Any, 5))


def test_from_env_variable_that_is_not_set_refused_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DFNS_KEY", raising=False)

    with pytest.raises(KeyNotFoundError, match="DFNS_KEY is not set"):
        PemKey.from_env("DFNS_KEY")


def test_from_env_empty_variable_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_KEY", "")

    with pytest.raises(UnsupportedKeyError, match="environment variable DFNS_KEY is empty"):
        PemKey.from_env("DFNS_KEY")


def test_from_file_that_is_missing_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "absent.pem"

    with pytest.raises(KeyNotFoundError, match="check the path") as caught:
        PemKey.from_file(path)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("", "Is a directory", id="directory"),
        pytest.param("key.pem/inner", "Not a directory", id="below a file"),
        pytest.param("loop", "symbolic links", id="a link to itself"),
        pytest.param("n" * 5000, "too long", id="name too long"),
        pytest.param("a\0b", "embedded null", id="null byte"),
    ],
)
def test_from_file_that_cannot_be_read_refused_with_path_and_reason(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "key.pem").write_bytes(pem_of("ES256"))
    (tmp_path / "loop").symlink_to("loop")
    path = tmp_path / name

    with pytest.raises(SigningKeyError, match=reason) as caught:
        PemKey.from_file(path)

    assert str(path) in str(caught.value)


def test_from_file_of_another_size_of_thing_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(pem_of("ES256"))
    os.truncate(path, 2_000_000)

    with pytest.raises(SigningKeyError, match="over 1000000 bytes"):
        PemKey.from_file(path)


@posix_only
def test_from_file_without_an_end_refused() -> None:
    with pytest.raises(SigningKeyError, match="over 1000000 bytes"):
        PemKey.from_file("/dev/zero")


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_from_file_that_others_can_read_warns_with_what_to_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of("ES256"))
    path.chmod(mode)

    PemKey.from_file(path)

    (record,) = ours(caplog)
    assert record.levelno == logging.WARNING
    assert f"chmod 600 {path}" in record.getMessage()


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_from_file_that_only_its_owner_can_read_is_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of("ES256"))
    path.chmod(mode)

    PemKey.from_file(path)

    assert ours(caplog) == []


def test_pinned_fingerprint_of_the_key_accepted_from_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = hashlib.sha256(public_der(public_key("ES256"))).hexdigest()
    (tmp_path / "key.pem").write_bytes(pem_of("ES256"))
    monkeypatch.setenv("DFNS_KEY", pem_of("ES256").decode())

    for key in (
        PemKey.from_pem(pem_of("ES256"), fingerprint=pin),
        PemKey.from_file(tmp_path / "key.pem", fingerprint=pin),
        PemKey.from_env("DFNS_KEY", fingerprint=pin),
    ):
        assert key.fingerprint == "sha256:" + pin


def test_pinned_fingerprint_of_another_key_refused_from_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = hashlib.sha256(public_der(stranger("ES256").public_key())).hexdigest()
    (tmp_path / "key.pem").write_bytes(pem_of("ES256"))
    monkeypatch.setenv("DFNS_KEY", pem_of("ES256").decode())

    with pytest.raises(FingerprintMismatchError, match="a PEM in memory"):
        PemKey.from_pem(pem_of("ES256"), fingerprint=pin)
    with pytest.raises(FingerprintMismatchError, match=r"key\.pem"):
        PemKey.from_file(tmp_path / "key.pem", fingerprint=pin)
    with pytest.raises(FingerprintMismatchError, match="DFNS_KEY"):
        PemKey.from_env("DFNS_KEY", fingerprint=pin)


def test_pinned_fingerprint_that_is_empty_refused_rather_than_ignored() -> None:
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        PemKey.from_pem(pem_of("ES256"), fingerprint="")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_is_not_verified_by_default_and_the_evidence_says_so(algorithm: str) -> None:
    key = LyingKey.from_pem(pem_of(algorithm))

    assert key.sign_with_evidence(MESSAGE).evidence.verified is False


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_is_verified_on_request_and_the_evidence_says_so(algorithm: str) -> None:
    key = PemKey.from_pem(pem_of(algorithm), verify=True)

    assert key.sign_with_evidence(MESSAGE).evidence.verified is True
    with pytest.raises(InvalidSignatureError, match="not by this key"):
        LyingKey.from_pem(pem_of(algorithm), verify=True).sign(MESSAGE)


@pytest.mark.parametrize("verify", [True, False])
def test_form_of_a_signature_is_always_checked(verify: bool) -> None:
    with pytest.raises(InvalidSignatureError, match="expected 64 bytes, found 0"):
        SilentKey.from_pem(pem_of("Ed25519"), verify=verify).sign(MESSAGE)


def test_subclass_constructors_give_the_subclass() -> None:
    assert type(LyingKey.from_pem(pem_of("ES256"))) is LyingKey

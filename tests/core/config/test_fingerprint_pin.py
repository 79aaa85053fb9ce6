"""A key that is pinned by its fingerprint is opened, and no other one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dfns_signers import DfnsClient, load_signer
from dfns_signers.errors import FingerprintMismatchError
from tests.core.config.support import write_config
from tests.core.keys import private_key, public_der, stranger


def fingerprint_of(key: object) -> str:
    return "sha256:" + hashlib.sha256(public_der(key)).hexdigest()


PINNED = fingerprint_of(private_key("Ed25519").public_key())
OTHER = fingerprint_of(stranger("Ed25519").public_key())


def pinned_to(folder: Path, fingerprint: str) -> Path:
    return write_config(
        folder,
        f"""
        default_profile = "p"
        [profiles.p]
        auth_token = "token"
        credential_id = "Y2kt"
        [profiles.p.signer]
        backend = "pem"
        path = "key.pem"
        fingerprint = "{fingerprint}"
        """,
    )


@pytest.mark.parametrize(
    "form",
    [PINNED, PINNED.removeprefix("sha256:").upper()],
    ids=["as it is printed", "upper case without a prefix"],
)
def test_key_of_the_pinned_fingerprint_is_opened(folder: Path, key_file: Path, form: str) -> None:
    with load_signer(config=pinned_to(folder, form)) as signer:
        assert signer.key.fingerprint == PINNED


def test_key_of_another_fingerprint_refused_naming_both_and_the_key(
    folder: Path, key_file: Path
) -> None:
    config = pinned_to(folder, OTHER)

    with pytest.raises(FingerprintMismatchError) as caught:
        load_signer(config=config)

    for part in (PINNED, OTHER, str(key_file)):
        assert part in str(caught.value)


def test_client_is_not_made_with_a_key_of_another_fingerprint(folder: Path, key_file: Path) -> None:
    with pytest.raises(FingerprintMismatchError):
        DfnsClient.from_config(config=pinned_to(folder, OTHER))


def test_fingerprint_in_the_line_pins_too(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "Y2kt")
    monkeypatch.setenv("DFNS_SIGNER", f"pem:?path={key_file}&fingerprint={OTHER}")

    with pytest.raises(FingerprintMismatchError):
        load_signer()

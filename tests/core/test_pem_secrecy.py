"""Neither the PEM nor its passphrase appears in an error, a repr or the log."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.errors import DfnsSignersError
from tests.core.keys import private_key, private_pem

PASSPHRASE = "canary höst 9f2e"
MESSAGE = b"message"


def failures(pem: bytes, other_pem: bytes) -> list[tuple[bytes, str | None, str | None]]:
    """PEM, passphrase and fingerprint that do not fit together."""
    p384 = private_pem(ec.generate_private_key(ec.SECP384R1()))
    return [
        (pem, None, None),
        (pem, PASSPHRASE + "x", None),
        (pem, PASSPHRASE, "00" * 32),
        (pem[:-30], PASSPHRASE, None),
        (pem + other_pem, PASSPHRASE, None),
        (other_pem, PASSPHRASE, None),
        (p384, None, None),
        (other_pem.replace(b"M", b"N"), None, None),
    ]


def test_error_repr_and_log_never_show_pem_or_passphrase(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pem, other = (
        private_pem(private_key("ES256"), PASSPHRASE.encode()),
        private_pem(private_key("ES256K")),
    )
    shown: list[str] = []
    for number, (content, passphrase, pin) in enumerate(failures(pem, other)):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(content)
        with pytest.raises(DfnsSignersError) as caught:
            PemKey.from_file(path, passphrase, fingerprint=pin)
        shown += [repr(caught.value), *traceback.format_exception(caught.value)]
        secrets = [line.decode() for line in content.splitlines() if b"-----" not in line]
        assert secrets
        assert not any(secret in part for part in shown + caplog.messages for secret in secrets)
    key = PemKey.from_pem(pem, PASSPHRASE)
    shown += [repr(key), str(key), repr(key.sign_with_evidence(MESSAGE).evidence)]

    assert "canary" not in "".join(shown + caplog.messages)

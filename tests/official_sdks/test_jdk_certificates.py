"""The HTTP client of the JDK shows a client certificate, named in system properties."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)

from tests.core.keys import private_key, private_pem
from tests.gateway.running import TOKEN, running_gateway
from tests.gateway.user_actions.signing_callers import CREDENTIAL, signing_caller
from tests.official_sdks.test_jdk_client import PROGRAM
from tests.support.certificates import Authority

KEY = private_key("Ed25519")
PASSWORD = "changeit"  # of stores of a moment
SPIFFE = "spiffe://example.org/payments"
MUTUAL = """
listen = ["localhost:0?tls=local"]

[gateway.tls.local]
certificate = "gateway.pem"
key = { file = "gateway.key" }
client_ca = "ca.pem"
"""
CERTIFIED = f"""
[gateway.callers.payments]
identified_by = "all"
certificate = ["{SPIFFE}"]"""


def test_signed_call_is_made_with_a_token_and_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("gateway", "localhost")
    authority.issue("caller", SPIFFE)
    (tmp_path / "gateway.key").chmod(0o600)
    (tmp_path / "caller-key.pem").write_bytes(private_pem(KEY))
    caller = signing_caller(tmp_path, key=KEY).replace("\n[gateway.callers.payments]", CERTIFIED)

    with running_gateway(tmp_path, MUTUAL + caller) as running:
        done = subprocess.run(
            ["java", *store_options(tmp_path), PROGRAM, running.urls[0], TOKEN, CREDENTIAL,
             tmp_path / "caller-key.pem", "POST", "/wallets", '{"network":"EthereumSepolia"}'],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    assert done.stdout.startswith("200\n"), done.stdout + done.stderr


def store_options(folder: Path) -> list[str]:
    """Options of ``java`` for stores with the authority, and with key and certificate."""
    (folder / "caller.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"caller",
            load_pem_private_key((folder / "caller.key").read_bytes(), None),  # type: ignore[arg-type]  # elliptic
            x509.load_pem_x509_certificate((folder / "caller.pem").read_bytes()),
            None,
            BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-file", folder / "ca.pem",
         "-keystore", folder / "trusted.p12", "-storepass", PASSWORD],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    stores = {"trustStore": "trusted.p12", "keyStore": "caller.p12"}
    return [
        option
        for name, file in stores.items()
        for option in (
            f"-Djavax.net.ssl.{name}={folder / file}",
            f"-Djavax.net.ssl.{name}Password={PASSWORD}",
        )
    ]

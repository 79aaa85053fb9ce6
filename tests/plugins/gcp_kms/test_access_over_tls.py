"""Credentials on their way to the service: over TLS, in a process that trusts its certificate."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_kms_emulator import CloudKmsEmulator
from tests.plugins.gcp_kms.conftest import STRICT
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, seed
from tests.plugins.gcp_kms.test_credentials import (
    EMAIL,
    service_account_info,
    workload_identity_info,
)
from tests.secrecy import CANARY

PROGRAM = """
import asyncio, json, sys
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from dfns_signers_gcp_kms.options import GcpKmsOptions

try:
    with GcpKmsBackend().open(GcpKmsOptions.model_validate(json.loads(sys.argv[1]))) as key:
        key.sign(b"m")
        asyncio.run(key.asign(b"m"))
except Exception as error:
    print(type(error).__name__, error)
else:
    print("signed")
"""

DIAGNOSIS = """
import json, sys
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from dfns_signers_gcp_kms.options import GcpKmsOptions

options = GcpKmsOptions.model_validate(json.loads(sys.argv[1]))
for found in GcpKmsBackend().diagnose(options):
    print(found.severity.name, found.check, "|", found.message, "|", found.remedy)
"""


def self_signed() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


class TlsService:
    """The emulator over TLS, and a process that uses it."""

    def __init__(
        self, emulator: CloudKmsEmulator, roots: Path, tls: grpc.ServerCredentials
    ) -> None:
        self.emulator = emulator
        self.tls = tls
        self._roots = roots

    def use(self, program: str = PROGRAM, **options: Any) -> str:
        """What a process prints; the default one signs sync and async."""
        settings = {
            "key_version": seed(self.emulator, "EC_SIGN_ED25519"),
            "endpoint": self.emulator.endpoint,
            **options,
        }
        trust = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self._roots), "NO_GCE_CHECK": "true"}
        result = subprocess.run(
            [sys.executable, *STRICT, "-c", program, json.dumps(settings)],
            env={**os.environ, **trust},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return result.stdout


def account_file(folder: Path) -> str:
    file = folder / "account.json"
    file.write_text(json.dumps(service_account_info()), encoding="utf-8")
    return str(file)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[TlsService]:
    private, certificate = self_signed()
    roots = tmp_path / "roots.pem"
    roots.write_bytes(certificate)
    tls = grpc.ssl_server_credentials([(private, certificate)])
    with CloudKmsEmulator("localhost", tls=tls) as emulator:
        yield TlsService(emulator, roots, tls)


def test_answer_that_is_too_long_is_refused(service: TlsService, tmp_path: Path) -> None:
    class Endless(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in stubs only
        def service(self, _details: object) -> grpc.RpcMethodHandler[Any, Any]:
            return grpc.unary_unary_rpc_method_handler(lambda *_: b"a" * 1_100_000)

    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=[Endless()])
        port = server.add_secure_port("localhost:0", service.tls)
        server.start()
        file = account_file(tmp_path)
        printed = service.use(credentials_file=file, endpoint=f"https://localhost:{port}")
        server.stop(grace=None).wait(10)

    assert printed.startswith("SigningKeyError cannot open the key")
    assert "longer than any of Cloud KMS" in printed


def test_service_account_calls_with_its_token_and_quota_project(
    service: TlsService, tmp_path: Path
) -> None:
    printed = service.use(credentials_file=account_file(tmp_path), quota_project="p-3")

    assert printed == "signed\n"
    sent = [call.metadata for call in service.emulator.calls]
    assert len(sent) == 3
    assert {metadata["authorization"] for metadata in sent} == {"Bearer"}
    assert {metadata["x-goog-user-project"] for metadata in sent} == {"p-3"}


def test_diagnosis_names_the_service_account_that_is_answered(
    service: TlsService, tmp_path: Path
) -> None:
    printed = service.use(DIAGNOSIS, credentials_file=account_file(tmp_path)).splitlines()

    assert [line.partition(" |")[0] for line in printed] == [
        "OK key store",
        "OK key state",
        "OK permissions",
    ]
    assert f"{service.emulator.endpoint} answers serviceAccount:{EMAIL}" in printed[0]
    assert f"serviceAccount:{EMAIL} may view the public key of {CRYPTO_KEY}" in printed[2]


def test_diagnosis_grants_what_is_missing_to_the_service_account(
    service: TlsService, tmp_path: Path
) -> None:
    service.emulator.deny("cloudkms.cryptoKeyVersions.useToSign", CRYPTO_KEY)

    printed = service.use(DIAGNOSIS, credentials_file=account_file(tmp_path)).splitlines()

    assert printed[2].startswith("FAILURE permissions | serviceAccount:")
    assert printed[2].endswith(f" --member serviceAccount:{EMAIL} --role roles/cloudkms.signer")


def test_certificate_that_is_not_trusted_is_the_only_finding(
    service: TlsService, tmp_path: Path
) -> None:
    private, certificate = self_signed()
    stranger = grpc.ssl_server_credentials([(private, certificate)])
    with CloudKmsEmulator("localhost", tls=stranger) as emulator:
        options = {"credentials_file": account_file(tmp_path), "max_attempts": 1}
        printed = service.use(DIAGNOSIS, endpoint=emulator.endpoint, **options)

    (line,) = printed.splitlines()
    assert line.startswith("FAILURE key store | ")
    assert "check the network and endpoint" in line


class TokenService(HTTPServer):
    """Google's security token service, on this machine: exchanges tokens of somebody else."""

    def __init__(self, status: int, answer: dict[str, object]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answer = status, json.dumps(answer).encode()
        self.asked: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class _Answering(BaseHTTPRequestHandler):
    server: TokenService

    def do_POST(self) -> None:
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the output is the test's."""


def use_workload_identity(
    service: TlsService,
    folder: Path,
    status: int,
    answer: dict[str, object],
    program: str = PROGRAM,
) -> tuple[str, list[bytes]]:
    """What a process prints that signs with a token of its workload, and what was exchanged."""
    (folder / "token").write_text(CANARY, encoding="utf-8")
    with TokenService(status, answer) as tokens:
        threading.Thread(target=tokens.serve_forever, daemon=True).start()
        info = workload_identity_info({"file": str(folder / "token")})
        file = folder / "workload.json"
        file.write_text(json.dumps({**info, "token_url": tokens.url}), encoding="utf-8")
        try:
            return service.use(program, credentials_file=str(file)), tokens.asked
        finally:
            tokens.shutdown()


def test_workload_identity_exchanges_the_token_of_the_workload_once(
    service: TlsService, tmp_path: Path
) -> None:
    granted = {
        "access_token": "t",
        "expires_in": 3600,
        "token_type": "Bearer",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }

    printed, asked = use_workload_identity(service, tmp_path, 200, granted)

    assert printed == "signed\n"
    assert len(asked) == 1
    assert f"subject_token={CANARY}".encode() in asked[0]
    assert b"auth%2Fcloudkms" in asked[0]
    sent = [call.metadata["authorization"] for call in service.emulator.calls]
    assert sent == ["Bearer"] * 3


def test_token_that_google_does_not_grant_is_reported_as_such(
    service: TlsService, tmp_path: Path
) -> None:
    refused: dict[str, object] = {"error": "invalid_grant", "error_description": "it was revoked"}

    printed, _ = use_workload_identity(service, tmp_path, 400, refused)

    assert printed.startswith("KeyAccessError cannot open the key projects/p-1/")
    assert "no access token could be obtained: renew the credentials" in printed
    assert "gcloud auth application-default login" in printed
    assert "it was revoked" in printed
    assert CANARY not in printed


def test_diagnosis_of_credentials_without_a_token_ends_with_them(
    service: TlsService, tmp_path: Path
) -> None:
    refused: dict[str, object] = {"error": "invalid_grant", "error_description": "it was revoked"}

    printed, _ = use_workload_identity(service, tmp_path, 400, refused, DIAGNOSIS)

    (line,) = printed.splitlines()
    assert line.startswith("FAILURE key store | ")
    assert "it was revoked" in line
    assert "no access token could be obtained: renew the credentials" in line
    assert CANARY not in line

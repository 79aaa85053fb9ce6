"""From the start of a process to its first signature: a function that starts cold, a short job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlencode

from bench.measuring import Effort, children_in_turns
from bench.table import Goal, Row
from dfns_signers.cli.demo_signers import LocalSigner, local_signers, pem_signers

_OURS: Final = "from dfns_signers import load_signer\nload_signer().sign({'challenge': 'Y2g'})"

_PEM: Final = """
import os
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
with open(os.environ["BENCH_PATH"], "rb") as file:
    key = serialization.load_pem_private_key(file.read(), None)
sign = lambda: key.sign(b"message", ec.ECDSA(hashes.SHA256()))
"""
_AWS: Final = """
import os
import boto3
client = boto3.client(
    "kms", region_name=os.environ["BENCH_REGION"], endpoint_url=os.environ["BENCH_ENDPOINT_URL"]
)
sign = lambda: client.sign(
    KeyId=os.environ["BENCH_KEY_ID"], Message=b"message", SigningAlgorithm="ECDSA_SHA_256"
)
"""
_VAULT: Final = """
import os
import hvac
client = hvac.Client(os.environ["BENCH_ADDRESS"], os.environ["VAULT_TOKEN"])
sign = lambda: client.secrets.transit.sign_data(
    os.environ["BENCH_KEY"], "bWVzc2FnZQ==", mount_point=os.environ["BENCH_MOUNT"]
)
"""
_GCP: Final = """
import hashlib
import os
import grpc
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service import transports
client = kms_v1.KeyManagementServiceClient(
    transport=transports.KeyManagementServiceGrpcTransport(
        channel=grpc.insecure_channel(os.environ["BENCH_ENDPOINT"].removeprefix("http://"))
    )
)
sign = lambda: client.asymmetric_sign(
    name=os.environ["BENCH_KEY_VERSION"],
    digest=kms_v1.Digest(sha256=hashlib.sha256(b"message").digest()),
)
"""


@dataclass(frozen=True)
class Store:
    """A key store: keys on local servers, and code that defines a bare ``sign()``."""

    name: str
    signers: Callable[[], AbstractContextManager[Sequence[LocalSigner]]]
    shown: str
    bare: str
    goal: float | None


STORES: Final = (
    Store("PEM", pem_signers, "ES256.pem", _PEM, None),
    Store("AWS", partial(local_signers, "aws-kms"), "ES256 MiniStack", _AWS, 330),
    Store("Vault", partial(local_signers, "vault-transit"), "ecdsa-p256", _VAULT, 210),
    Store("GCP", partial(local_signers, "gcp-kms"), "ES256 SOFTWARE", _GCP, 520),
)


def environment(store: Store, signers: Sequence[LocalSigner]) -> dict[str, str]:
    """What configures the key of P-256 for our code and, as ``BENCH_…``, for the bare code."""
    signer = next(signer for signer in signers if signer.name.endswith(store.shown))
    options = {name: value for name, value in signer.signer.items() if name != "backend"}
    return {
        **signer.environment,
        **{f"BENCH_{name.upper()}": str(value) for name, value in options.items()},
        "DFNS_SIGNER": f"{signer.signer['backend']}:?{urlencode(options)}",
        "DFNS_CREDENTIAL_ID": "cr-1",
    }


def rows(effort: Effort) -> Iterator[Row]:
    """A row for each key store."""
    rounds = effort.of(15)
    for store in STORES:
        with store.signers() as signers:
            samples = children_in_turns(
                {"ours": ["-c", _OURS], "bare": ["-c", f"{store.bare}\nsign()"]},
                rounds=rounds,
                environment=environment(store, signers),
                above_python=True,
            )
        yield Row(
            f"cold start to the first signature, {store.name}",
            samples.of("ours", factor=1e3),
            "ms CPU",
            f"{rounds} processes each, above a Python that does nothing; P-256, local server",
            {"bare SDK": samples.of("bare", factor=1e3)},
            Goal(at_most=store.goal) if store.goal else None,
        )

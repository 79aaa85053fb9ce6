"""AWS KMS with one P-256 key under every key ARN; answers GetPublicKey, DescribeKey and Sign.

``python -m bench.fakes.aws_kms DELAY`` prints its port.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from bench.fakes import started

_KEY: Final = ec.generate_private_key(ec.SECP256R1())
_PUBLIC: Final = _KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)


@contextmanager
def running(delay: float = 0.0) -> Iterator[str]:
    """The address of a server whose answers take so many seconds."""
    with started(__name__, str(delay)) as port:
        yield f"http://127.0.0.1:{int(port)}"


def _get_public_key(arn: str, _: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {
        "KeyId": arn,
        "PublicKey": base64.b64encode(_PUBLIC).decode(),
        "KeySpec": "ECC_NIST_P256",
        "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": ["ECDSA_SHA_256"],
    }


def _describe_key(arn: str, _: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {"KeyMetadata": {"Arn": arn, "KeyId": arn, "KeyState": "Enabled"}}


def _sign(arn: str, members: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    if members.get("DryRun"):
        return 412, {"__type": "DryRunOperationException", "message": "would have succeeded"}
    digest = base64.b64decode(members["Message"])
    signature = _KEY.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    return 200, {
        "KeyId": arn,
        "SigningAlgorithm": "ECDSA_SHA_256",
        "Signature": base64.b64encode(signature).decode(),
    }


_OPERATIONS: Final = {
    "TrentService.GetPublicKey": _get_public_key,
    "TrentService.DescribeKey": _describe_key,
    "TrentService.Sign": _sign,
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = (line.partition(": ") for line in head.split("\r\n"))
            headers = {name.lower(): value for name, _, value in fields}
            members = json.loads(await reader.readexactly(int(headers["content-length"])))
            await asyncio.sleep(delay)
            status, answer = _OPERATIONS[headers["x-amz-target"]](members["KeyId"], members)
            body = json.dumps(answer)
            writer.write(
                f"HTTP/1.1 {status} Answer\r\nContent-Type: application/x-amz-json-1.1\r\n"
                f"x-amzn-RequestId: 5a1f1c4e-3f8e-4f0c-8f5a-0123456789ab\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(delay: float) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _serve(reader, writer, delay), "127.0.0.1", 0, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1])))

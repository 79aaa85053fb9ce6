"""The Dfns API of a signed call over http and over TLS; counts its connections.

``python -m bench.fakes.dfns_api FOLDER LATENCY`` prints its two ports; the folder has
``server.pem`` and ``server.key``, the latency of an answer is in seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.fakes import started
from tests.support.certificates import Authority

_UNIQUE: Final = "u" * 300  # another text in each answer
_ALLOWED: Final = {"key": [{"id": "cr-bench", "type": "public-key"}], "webauthn": []}
_CHALLENGE: Final = {
    "challenge": "MWM0MmM5ZTYyZmQ4ZTk4M2ZmMzc4YzdhZTIwYzIyZTk3YzUzYmI3NTNmNDg1ODk5MDgx",
    "challengeIdentifier": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9." + _UNIQUE,
    "supportedCredentialKinds": [
        {"kind": "Key", "factor": "either", "requiresSecondFactor": False}
    ],
    "userVerification": "required",
    "attestation": "direct",
    "allowCredentials": _ALLOWED,
}
_WALLET: Final = {
    "id": "wa-3tql5-5kg4u-f2s9k2l0p6ojkn8t",
    "network": "EthereumSepolia",
    "status": "Active",
    "address": "0x00e3495cf6af59008f22ffaf32d4c92ac33dac47",
    "dateCreated": "2026-01-01T00:00:00.000Z",
    "custodial": True,
    "signingKey": {"id": "key-1", "scheme": "ECDSA", "curve": "secp256k1", "publicKey": "02" * 33},
}


@dataclass(frozen=True)
class DfnsApi:
    """Where the server is.

    Attributes:
        http: base URL.
        https: base URL of the same server over TLS.
        authority: PEM file of the certificate authority.
    """

    http: str
    https: str
    authority: Path

    def connections(self) -> int:
        """How many connections it has taken, this one not counted."""
        return int(httpx.get(f"{self.http}/connections", trust_env=False).json()["connections"])


@contextmanager
def running(*, latency: float = 0) -> Iterator[DfnsApi]:
    """Run the server, which takes so many seconds for each answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Authority(folder).issue("server", "localhost")
        with started(__name__, str(folder), str(latency)) as ports:
            plain, secure = ports.split()
            yield DfnsApi(
                f"http://127.0.0.1:{plain}", f"https://localhost:{secure}", folder / "ca.pem"
            )


def _answer(body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return head.encode() + b"\r\n\r\n" + content


_ANSWERS: Final = {
    b"/auth/action/init": _answer(_CHALLENGE),
    b"/auth/action": _answer({"userAction": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9." + _UNIQUE}),
    b"/wallets": _answer(_WALLET),
}
_COUNT: Final = b"/connections"


class _Connection(asyncio.Protocol):
    taken = 0
    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._received = b""
        _Connection.taken += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._complete()) is not None:
            self._send(self._answer(request))

    def _send(self, answer: bytes) -> None:
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _complete(self) -> bytes | None:
        """The target of a request that has arrived as a whole."""
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        _, _, length = head.lower().partition(b"content-length: ")
        missing = int(length.split(b"\r\n", 1)[0] or 0)
        if len(rest) < missing:
            return None
        self._received = rest[missing:]
        return head.split(b" ", 2)[1]

    def _answer(self, target: bytes) -> bytes:
        if target == _COUNT:
            _Connection.taken -= 1  # the connection that asks
            return _answer({"connections": _Connection.taken})
        return _ANSWERS[target].replace(_UNIQUE.encode(), os.urandom(150).hex().encode())


async def _serve(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    loop = asyncio.get_running_loop()
    make = loop.create_server
    plain = await make(_Connection, "127.0.0.1", 0, backlog=1024)
    secure = await make(_Connection, "127.0.0.1", 0, backlog=1024, ssl=context)
    ports = (server.sockets[0].getsockname()[1] for server in (plain, secure))
    sys.stdout.write(" ".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    _Connection.latency = float(sys.argv[2])
    asyncio.run(_serve(Path(sys.argv[1])))

"""Answers that never end, or are far larger than any of Vault's."""

from __future__ import annotations

import gzip
import json
import ssl
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import pytest

from dfns_signers.errors import KeyNotFoundError, KeyStoreUnavailableError, SigningKeyError
from dfns_signers.plugin import RequestLimits
from dfns_signers_vault_transit.key import VaultTransitKey
from dfns_signers_vault_transit.vault import Vault
from tests.core.client.scripted import Reply, ScriptedApi
from tests.plugins.vault_transit.conftest import OpenKey, open_with, sign_together
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN
from tests.plugins.vault_transit.raw_server import raw_server
from tests.support.certificates import Authority

LOOKUP = "/v1/auth/token/lookup-self"
LOGIN = "/v1/auth/approle/login"
APPROLE = {"method": "approle", "role_id": "r"}

MEGABYTE = 1_000_000
BOMB = gzip.compress(b'{"data": "' + bytes(100 * MEGABYTE) + b'"}')

HEAD = b"HTTP/1.1 400 Bad Request\r\n"
REFUSAL = b'{"errors": ["came to its end"]}'
END = b"Content-Length: %d\r\n\r\n%s" % (len(REFUSAL), REFUSAL)
PIECES = 1000

# Each comes to its end after 50 seconds, with an answer that says so.
SLOW: dict[str, Sequence[bytes]] = {
    "silence": [*[b""] * PIECES, HEAD + END],
    "head": [HEAD, *[b"X-Slow: 1\r\n"] * 90, b"X-Slow: ", *[b"a"] * PIECES, b"\r\n" + END],
    "head in one line": [HEAD + b"X-Slow: ", *[b"a"] * PIECES, b"\r\n" + END],
    "body": [HEAD + b"Content-Length: 1031\r\n\r\n", *[b" "] * PIECES, REFUSAL],
    "chunks": [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        *[b"1\r\n \r\n"] * PIECES,
        b"1f\r\n" + REFUSAL + b"\r\n0\r\n\r\n",
    ],
    "a chunk": [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n407\r\n",
        *[b" "] * PIECES,
        REFUSAL + b"\r\n0\r\n\r\n",
    ],
    "until the connection closes": [HEAD + b"\r\n", *[b" "] * PIECES, REFUSAL],
    "interim answers": [*[b"HTTP/1.1 100 Continue\r\n\r\n"] * PIECES, HEAD + END],
}


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Fails if more than 20 MB were in use at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 20 * MEGABYTE
    finally:
        tracemalloc.stop()


def slow_settings(port: int, scheme: str = "http", **more: Any) -> dict[str, Any]:
    address = f"{scheme}://127.0.0.1:{port}"
    limits = {"timeout": 0.4, "read_timeout": 100, "max_attempts": 1}
    return {"address": address, "key": "k", "auth": APPROLE, **limits, **more}


@pytest.mark.parametrize("status", [200, 400, 307, 503])
@pytest.mark.parametrize("path", [FAKE_READ, FAKE_SIGN, LOOKUP, LOGIN])
def test_compressed_answer_is_refused_and_not_unpacked(
    path: str, status: int, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    headers = {"Content-Encoding": "gzip", "Location": "/v1/elsewhere"}
    fake.on(path, always=Reply(status=status, body=BOMB, headers=headers))
    auth = {"auth": APPROLE} if path == LOGIN else {}

    with bounded_memory(), pytest.raises(SigningKeyError, match=f"HTTP {status}"):
        open_fake(**auth).sign(b"message")


def test_answers_are_asked_for_uncompressed(fake: ScriptedApi, open_fake: OpenKey) -> None:
    open_fake()

    assert {seen.headers["accept-encoding"] for seen in fake.seen} == {"identity"}


@pytest.mark.parametrize("path", [FAKE_READ, FAKE_SIGN, LOOKUP])
def test_answer_that_is_too_long_is_refused(
    path: str, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    fake.on(path, Reply(body={"data": "a" * 3 * MEGABYTE}))

    with pytest.raises(SigningKeyError, match=r"HTTP 200: the answer is longer than 2,097,152"):
        open_fake().sign(b"message")


def test_error_that_is_too_long_keeps_its_status(fake: ScriptedApi, open_fake: OpenKey) -> None:
    fake.on(FAKE_SIGN, Reply(status=503, body={"errors": ["a" * MEGABYTE]}))

    with pytest.raises(KeyStoreUnavailableError, match="answered HTTP 503; the server failed"):
        open_fake().sign(b"message")


def test_results_of_the_largest_batch_are_read_from_an_answer_with_an_error_status(
    fake: ScriptedApi,
) -> None:
    results = [{"error": "signing key not found" + " " * 700}] * 496
    assert len(json.dumps(results)) > 64 * 1024
    fake.on(FAKE_SIGN, Reply(status=400, body={"data": {"batch_results": results}}))

    outcomes = sign_together([b"message"] * 496, at=fake.url)

    assert [type(outcome) for outcome in outcomes] == [KeyNotFoundError] * 496


@pytest.mark.parametrize("pieces", SLOW.values(), ids=SLOW)
def test_slow_answer_ends_by_the_timeout_of_the_operation(pieces: Sequence[bytes]) -> None:
    with (
        raw_server(pieces) as port,
        pytest.raises(KeyStoreUnavailableError, match="no answer in time"),
    ):
        open_with(slow_settings(port))


@pytest.mark.parametrize("pieces", [SLOW["head"], SLOW["chunks"]], ids=["head", "chunks"])
def test_slow_answer_over_tls_ends_by_the_timeout_of_the_operation(
    pieces: Sequence[bytes], tmp_path: Path
) -> None:
    Authority(tmp_path).issue("server", "vault.internal")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trust = {"ca_cert": str(tmp_path / "ca.pem"), "tls_server_name": "vault.internal"}

    with (
        raw_server(pieces, tls) as port,
        pytest.raises(KeyStoreUnavailableError, match="no answer in time"),
    ):
        open_with(slow_settings(port, "https", **trust))


def test_server_that_accepts_and_shakes_no_hands_is_unavailable() -> None:
    with (
        raw_server(SLOW["silence"]) as port,
        pytest.raises(KeyStoreUnavailableError, match="no answer in time"),
    ):
        open_with(slow_settings(port, "https", connect_timeout=100))


@pytest.mark.parametrize("part", ["silence", "body", "chunks", "until the connection closes"])
def test_slow_body_ends_by_the_timeout_for_a_client_of_the_caller_too(part: str) -> None:
    with raw_server(SLOW[part]) as port:
        client = hvac.Client(url=f"http://127.0.0.1:{port}", token="token", timeout=100)
        vault = Vault(client, limits=RequestLimits(timeout=0.4, max_attempts=1))

        with pytest.raises(KeyStoreUnavailableError, match="no answer in time"):
            VaultTransitKey(vault, "k")


def test_cookies_are_not_kept(fake: ScriptedApi, open_fake: OpenKey) -> None:
    cookie = {"Set-Cookie": "session=caf\u00e9; Path=/"}
    fake.on(LOOKUP, always=Reply(body={"data": {"ttl": 0}}, headers=cookie))
    fake.on(FAKE_SIGN, always=Reply(status=400, headers=cookie))
    key = open_fake()

    for _ in range(2):
        with pytest.raises(SigningKeyError, match="HTTP 400"):
            key.sign(b"message")

    assert [seen for seen in fake.seen if "cookie" in seen.headers] == []

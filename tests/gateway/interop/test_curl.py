"""curl as a plain caller: the gateway signs for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import DIGEST, TOKEN, running_gateway
from tests.gateway.user_actions.signing_callers import WALLETS
from tests.support.certificates import Authority

CREATE = '{"network": "EthereumSepolia", "name": "é"}'
JSON = ("--header", "Content-Type: application/json")
TLS = """
[gateway.tls.local]
certificate = "gateway.pem"
key = { file = "gateway.key" }
"""
MUTUAL = f'{TLS}client_ca = "ca.pem"\n'
SPIFFE = "spiffe://example.org/payments"
CERTIFIED = f'certificate = ["{SPIFFE}"]'
TOKEN_OF_CALLER = f'token_sha256 = ["{DIGEST}"]'
BEARER = ("--header", f"Authorization: Bearer {TOKEN}")


def curl(url: str, path: str, *arguments: str) -> tuple[int, Any]:
    """Status and answer of a request to a listener."""
    program = shutil.which("curl")
    assert program, "curl not found: apt-get install curl"
    socket = ["--unix-socket", url.removeprefix("unix:")] if url.startswith("unix:") else []
    host = "http://localhost" if socket else url
    done = subprocess.run(
        [program, "--silent", "--show-error", "--write-out", r"\n%{http_code}", *socket,
         *arguments, host + path],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(answer)


@pytest.fixture(params=["TCP", "TLS", "mTLS", "unix socket"])
def call(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """curl with what it needs to be a caller of a listener."""
    authority = Authority(tmp_path)
    authority.issue("gateway", "localhost")
    authority.issue("caller", SPIFFE)
    (tmp_path / "gateway.key").chmod(0o600)
    trusting = ("--cacert", str(tmp_path / "ca.pem"))
    showing = ("--cert", str(tmp_path / "caller.pem"), "--key", str(tmp_path / "caller.key"))
    address, tables, identity, arguments = {
        "TCP": ("127.0.0.1:0", "", TOKEN_OF_CALLER, BEARER),
        "TLS": ("localhost:0?tls=local", TLS, TOKEN_OF_CALLER, (*BEARER, *trusting)),
        "mTLS": ("localhost:0?tls=local", MUTUAL, CERTIFIED, (*trusting, *showing)),
        "unix socket": (f"unix:{tmp_path}/api.sock", "", f"unix = {{ uid = [{os.getuid()}] }}", ()),
    }[request.param]
    caller = f"[gateway.callers.payments]\n{identity}\nreads = true\n{WALLETS}"
    with running_gateway(tmp_path, f'listen = ["{address}"]\n{tables}\n{caller}') as running:
        yield lambda path, *more: curl(running.urls[0], path, *arguments, *more)


def test_plain_call_is_signed_by_the_gateway(call: Callable[..., Any]) -> None:
    status, wallet = call("/wallets", *JSON, "--data", CREATE)

    assert (status, wallet["name"]) == (200, "é")
    assert call("/wallets") == (200, {"items": [wallet]})


def test_call_that_no_rule_allows_is_refused(call: Callable[..., Any]) -> None:
    status, refusal = call("/keys", *JSON, "--data", "{}")

    assert status == 403
    assert refusal["error"]["details"]["gateway"] == "no-rule"


def test_body_that_curl_announces_with_expect_is_taken(call: Callable[..., Any]) -> None:
    body = json.dumps({"network": "EthereumSepolia", "name": "a", "tags": ["x" * 40] * 40})

    status, _ = call("/wallets", *JSON, "--header", "Expect: 100-continue", "--data", body)

    assert status == 200

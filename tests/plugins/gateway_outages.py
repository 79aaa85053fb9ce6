"""A gateway whose key store refuses or is away for a while."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from dfns_signers.emulator import Emulator
from dfns_signers_testkit.servers import free_port
from tests.gateway.running import LISTEN, PAYMENTS, client_of, served
from tests.plugins.flow import PROFILE, Flow
from tests.support.byte_fault_proxy import ByteFaultProxy

Outage = Callable[[], AbstractContextManager[object]]


def assert_says_so_and_recovers(
    emulator: Emulator, folder: Path, signer: Mapping[str, Any], outage: Outage, check: str
) -> None:
    """While the key cannot sign, callers get 503 and what to do, and nobody gets a secret.

    Args:
        emulator: the API.
        folder: where files go.
        signer: table of the key.
        outage: makes the key unusable, and usable again at its end.
        check: names the reason for callers.
    """
    flow = Flow.of(emulator, folder, {**signer, "max_attempts": 1})
    admin, trail = f"127.0.0.1:{free_port()}", folder / "audit.jsonl"
    with flow.config.open("a") as config:
        config.write(
            f"""
[profiles.{PROFILE}.audit]
file = "{trail}"

[gateway]
profile = "{PROFILE}"
admin = "{admin}"
{LISTEN}
{PAYMENTS}"""
        )
    with served(flow.config) as (url,), client_of(url) as caller:
        assert _create(caller).status_code == 200
        before = _wallets(emulator)

        with outage():
            refused = _create(caller)

        error = refused.json()["error"]
        assert (refused.status_code, error["details"]["gateway"]) == (503, check), error
        assert "the call took no effect" in error["message"]
        shown = refused.text + trail.read_text(encoding="utf-8")
        assert emulator.auth_token not in shown
        assert not [one for one in _values(signer) if one in refused.text]
        assert _wallets(emulator) == before
        assert "failed" in {record["event"] for record in _events(trail)}
        metrics = httpx.get(f"http://{admin}/metrics", trust_env=False).text
        assert 'outcome="failed"' in metrics
        assert httpx.get(f"http://{admin}/readyz", trust_env=False).status_code == 200

        deadline = time.monotonic() + 60
        while _create(caller).status_code != 200:  # a connection may pause before another try
            assert time.monotonic() < deadline, "the key never signs again"


@contextmanager
def unreachable(proxy: ByteFaultProxy) -> Iterator[None]:
    """No connection gets through a proxy."""
    proxy.plan = lambda _: "refuse"
    proxy.break_connections()
    yield
    proxy.plan = lambda _: None


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a server."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def _wallets(emulator: Emulator) -> Any:
    headers = {"Authorization": f"Bearer {emulator.auth_token}"}
    return httpx.get(f"{emulator.url}/wallets", headers=headers, trust_env=False).json()


def _create(caller: httpx.Client) -> httpx.Response:
    return caller.post("/wallets", json={"network": "EthereumSepolia"})


def _events(trail: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in trail.read_text(encoding="utf-8").splitlines()]


def _values(signer: Mapping[str, Any]) -> Iterator[str]:
    """What names the key and its store, and secrets, which the operator alone may see."""
    for name, value in signer.items():
        if isinstance(value, dict):
            yield from (one for key, one in value.items() if key != "method")
        elif name != "backend" and isinstance(value, str):
            yield value

"""The admin listener: health and metrics, read-only, apart from the API."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.operation.admin import AdminApplication
from dfns_signers.gateway.operation.health import Health
from dfns_signers.gateway.operation.metrics import Metrics
from tests.gateway.operation.administered import (
    Files,
    administered_gateway,
    gateway_files,
)
from tests.gateway.running import TOKEN, UPSTREAM_TOKEN, RunningGateway

PAGES = ["/livez", "/startupz", "/readyz", "/readyz?verbose", "/metrics"]


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[RunningGateway, Files]]:
    with administered_gateway() as running:
        yield running


@pytest.fixture
def admin(gateway: tuple[RunningGateway, Files]) -> Iterator[httpx.Client]:
    with gateway[1].client() as client:
        yield client


def asked(health: Health, target: str, *, host: str = "localhost") -> httpx.Response:
    """What an admin application answers that serves nothing else."""
    application: Any = AdminApplication(health, Metrics(), frozenset({"localhost"}))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(target)

    return asyncio.run(ask())


@pytest.mark.parametrize("page", PAGES)
def test_gateway_that_serves_is_alive_started_ready_and_measured(
    admin: httpx.Client, page: str
) -> None:
    assert admin.get(page).status_code == 200


def test_readiness_names_what_was_looked_at(admin: httpx.Client) -> None:
    answer = admin.get("/readyz?verbose").json()

    assert (answer["ready"], answer["state"]) == (True, "serving")
    assert [(c["name"], c["ok"], c["problem"]) for c in answer["checks"]] == [
        ("state", True, None),
        ("token", True, None),
        ("audit trail", True, None),
    ]


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        ("starting", {"/livez": 200, "/startupz": 503, "/readyz": 503}),
        ("serving", {"/livez": 200, "/startupz": 200, "/readyz": 200}),
        ("draining", {"/livez": 200, "/startupz": 200, "/readyz": 503}),
    ],
)
def test_states_are_told_apart(state: Any, statuses: Mapping[str, int]) -> None:
    assert {page: asked(Health(state), page).status_code for page in statuses} == statuses


def test_gateway_is_not_ready_while_its_token_cannot_be_read() -> None:
    with administered_gateway() as (_, files), files.client() as admin:
        files.token.unlink()
        without = admin.get("/readyz?verbose")
        files.token.write_text(UPSTREAM_TOKEN, encoding="utf-8")
        files.token.chmod(0o600)
        again = admin.get("/readyz")

    assert without.status_code == 503
    (token,) = [check for check in without.json()["checks"] if check["name"] == "token"]
    assert "No such file" in token["problem"]
    assert again.status_code == 200


def test_gateway_is_not_ready_while_its_audit_trail_cannot_be_written() -> None:
    with administered_gateway() as (_, files), files.client() as admin:
        files.audit.unlink(missing_ok=True)
        files.audit.mkdir()
        answer = admin.get("/readyz?verbose")

    assert answer.status_code == 503
    (audit,) = [check for check in answer.json()["checks"] if check["name"] == "audit trail"]
    assert audit["problem"] == f"{files.audit}: Is a directory"


def test_check_that_hangs_does_not_hold_a_probe() -> None:
    released = threading.Event()
    health = Health("serving", {"disk": released.wait}, patience=0.01)

    answer = asked(health, "/readyz?verbose")
    released.set()

    assert answer.status_code == 503
    assert answer.json()["checks"][1]["problem"] == "no result in 0.01 seconds"


def test_readiness_asks_neither_dfns_nor_the_key(
    gateway: tuple[RunningGateway, Files], admin: httpx.Client
) -> None:
    before = len(gateway[0].emulator.requests)

    for page in PAGES:
        admin.get(page)

    assert len(gateway[0].emulator.requests) == before
    assert 'dfns_gateway_sign_seconds_count{backend="pem"}' not in admin.get("/metrics").text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("page", ["/livez", "/metrics"])
def test_nothing_but_reading_is_offered(admin: httpx.Client, method: str, page: str) -> None:
    answer = admin.request(method, page)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path", ["/", "/wallets", "/metrics/", "/Metrics", "/readyz/x", "/%6civez"]
)
def test_other_paths_do_not_exist(admin: httpx.Client, path: str) -> None:
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9464", ""])
def test_host_that_is_not_an_address_of_the_listener_is_refused(
    admin: httpx.Client, host: str
) -> None:
    assert admin.get("/metrics", headers={"Host": host}).status_code in {400, 421}


def test_api_listener_has_no_page_of_the_admin_listener(
    gateway: tuple[RunningGateway, Files],
) -> None:
    with gateway[0].client() as caller, gateway[0].client("a stranger's") as stranger:
        for page in PAGES:
            assert caller.get(page).status_code in {403, 404}
            assert stranger.get(page).status_code == 401


@pytest.mark.parametrize("address", ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464"])
def test_admin_listener_off_this_machine_is_refused(tmp_path: Path, address: str) -> None:
    with Emulator() as emulator, gateway_files(emulator) as files:
        text = files.config.read_text(encoding="utf-8")
        files.config.write_text(text.replace(f"unix:{files.admin}", address), encoding="utf-8")

        with pytest.raises(ConfigurationError, match="for this machine alone"):
            load_gateway(config=files.config)


def test_socket_of_the_admin_listener_is_for_its_owner_alone(
    gateway: tuple[RunningGateway, Files],
) -> None:
    assert stat.S_IMODE(gateway[1].admin.stat().st_mode) == 0o600


def test_calls_are_counted_and_no_page_shows_a_secret() -> None:
    with administered_gateway() as (running, files):
        with running.client() as caller:
            assert caller.post("/wallets", json={"network": "EthereumSepolia"}).is_success
            assert caller.get("/wallets?limit=1").is_success
            assert caller.post("/keys", json={"curve": "ed25519"}).status_code == 403
        with files.client() as admin:
            pages = {page: admin.get(page).text for page in PAGES}

    lines = pages["/metrics"].splitlines()
    counted = [line for line in lines if line.startswith("dfns_gateway_requests_total{")]
    assert (
        'dfns_gateway_requests_total{caller="payments",method="POST",outcome="answered",'
        'rule="wallets"} 1.0'
    ) in counted
    assert 'dfns_gateway_sign_seconds_count{backend="pem"} 1.0' in lines
    assert 'dfns_gateway_refusals_total{caller="payments",check="no-rule"} 1.0' in lines
    for text in pages.values():
        assert TOKEN not in text
        assert UPSTREAM_TOKEN not in text
        assert "wa-" not in text

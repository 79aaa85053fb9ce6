"""The end of a gateway: what is under way ends well, and nothing is left behind."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from dfns_signers.gateway.serving.bounds import Bounds
from tests.gateway.holding import held_gateway
from tests.gateway.processes import GatewayProcess, eventually, gateway_process
from tests.gateway.requests.raw_sockets import (
    connection_to,
    head,
    received,
    status_of,
    status_of_one,
)
from tests.gateway.running import PAYMENTS, TOKEN, client_of, served

GATEWAY = f'listen = ["127.0.0.1:0"]\n{PAYMENTS}'
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WALLET = {"network": "EthereumSepolia"}


def create_wallet(gateway: GatewayProcess) -> httpx.Response:
    url = f"{gateway.urls[0]}/wallets"
    return httpx.post(url, json=WALLET, headers=HEADERS, timeout=60, trust_env=False)


def accepts(gateway: GatewayProcess) -> bool:
    try:
        httpx.get(gateway.urls[0], timeout=60, trust_env=False)
    except httpx.TransportError:
        # Refused; or reset, where it was made in the moment in which the listener closed.
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_calls_under_way_at_the_signal_all_end_well(tmp_path: Path, number: signal.Signals) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, _),
        gateway_process(file) as gateway,
        ThreadPoolExecutor(20) as callers,
    ):
        calls = [callers.submit(create_wallet, gateway) for _ in range(20)]
        eventually(lambda: len(upstream.held) == 20, "20 calls are under way")

        gateway.signal(number)
        eventually(lambda: not accepts(gateway), "no connection is accepted")
        upstream.let_go.set()

        answers = [call.result() for call in calls]
        assert [answer.status_code for answer in answers] == [200] * 20
        assert {answer.headers["connection"] for answer in answers} == {"close"}
        assert gateway.exit_code() == 0
        assert len(gateway.logged("ending: calls under way have 25 seconds")) == 1
        assert len({answer.json()["id"] for answer in answers}) == 20
        assert len(upstream.held) == 20


def test_call_that_does_not_end_in_time_is_answered_as_uncertain(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, _),
        ThreadPoolExecutor(1) as callers,
        ExitStack() as serving,
    ):
        (url,) = serving.enter_context(served(file, Bounds(drain=0.1)))
        with client_of(url) as caller:
            call = callers.submit(caller.post, "/wallets", json=WALLET)
            eventually(lambda: len(upstream.held) == 1, "a call is under way")

            serving.close()

            answer = call.result()
    assert answer.status_code == 503
    details = answer.json()["error"]["details"]
    assert details == {"gateway": "ending", "mayHaveTakenEffect": True}
    assert "calls that did not end in 0.1 seconds and are cut off: 1" in caplog.text
    assert "Traceback" not in caplog.text


def test_body_that_does_not_arrive_in_time_is_refused_like_any_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with held_gateway(tmp_path, GATEWAY) as (file, upstream, _), ExitStack() as serving:
        (url,) = serving.enter_context(served(file, Bounds(drain=0.1)))
        with connection_to(url) as caller:
            awaited = ("Content-Type: application/json", "Content-Length: 99")
            caller.sendall(
                head(url, "POST /wallets HTTP/1.1", *awaited, "Expect: 100-continue") + b"{"
            )
            assert caller.recv(65536).startswith(b"HTTP/1.1 100")

            serving.close()

            answer = received(caller)
    assert status_of(answer) == 503
    assert b'"details":{"gateway":"ending"}' in answer
    assert "Traceback" not in caplog.text
    assert not upstream.held


def test_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, _),
        gateway_process(file) as gateway,
        ThreadPoolExecutor(1) as callers,
    ):
        call = callers.submit(create_wallet, gateway)
        eventually(lambda: len(upstream.held) == 1, "a call is under way")

        gateway.signal(signal.SIGTERM)
        eventually(lambda: not accepts(gateway), "no connection is accepted")
        gateway.signal(signal.SIGTERM)

        assert gateway.exit_code() == -signal.SIGTERM
        assert isinstance(call.exception(), httpx.TransportError)


def test_reloads_that_are_asked_for_until_the_end_do_not_cut_it_off(tmp_path: Path) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, _, _),
        gateway_process(file) as gateway,
    ):
        gateway.signal(signal.SIGTERM)
        while gateway.process.poll() is None:
            gateway.signal(signal.SIGHUP)
            time.sleep(0.0005)  # else it may do nothing but handle signals

        assert gateway.exit_code() == 0


def test_idle_connections_are_closed_while_calls_are_under_way(tmp_path: Path) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, _),
        gateway_process(file) as gateway,
        ThreadPoolExecutor(1) as callers,
        connection_to(gateway.urls[0]) as idle,
    ):
        idle.sendall(head(gateway.urls[0], "GET /keys HTTP/1.1"))
        assert status_of_one(idle) == 403
        call = callers.submit(create_wallet, gateway)
        eventually(lambda: len(upstream.held) == 1, "a call is under way")

        gateway.signal(signal.SIGTERM)

        assert received(idle) == b""
        upstream.let_go.set()
        assert call.result().status_code == 200
        assert gateway.exit_code() == 0


def test_connections_are_accepted_for_the_drain_delay_and_readiness_ends_at_once(
    tmp_path: Path,
) -> None:
    delayed = f'drain_delay = 3600\nadmin = "unix:{tmp_path}/admin.sock"\n{GATEWAY}'
    with (
        held_gateway(tmp_path, delayed) as (file, upstream, _),
        gateway_process(file) as gateway,
        httpx.Client(
            transport=httpx.HTTPTransport(uds=f"{tmp_path}/admin.sock"),
            base_url="http://localhost",
        ) as admin,
    ):
        upstream.let_go.set()
        assert admin.get("/readyz").status_code == 200
        assert "connection" not in create_wallet(gateway).headers

        gateway.signal(signal.SIGTERM)
        eventually(lambda: admin.get("/readyz").status_code == 503, "it is not ready")

        answer = create_wallet(gateway)
        assert answer.status_code == 200
        assert answer.headers["connection"] == "close"
        assert admin.get("/livez").status_code == 200


def test_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    listening = f'listen = ["127.0.0.1:0", "unix:{path}"]\n{PAYMENTS}'
    with (
        held_gateway(tmp_path, listening) as (file, _, _),
        gateway_process(file) as gateway,
    ):
        assert path.is_socket()

        gateway.signal(signal.SIGTERM)

        assert gateway.exit_code() == 0
        assert not path.exists()


def test_call_is_carried_out_once_when_its_caller_hangs_up(tmp_path: Path) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, emulator),
        gateway_process(file) as gateway,
    ):
        impatient = httpx.Timeout(60, read=0.001)
        with (
            httpx.Client(base_url=gateway.urls[0], headers=HEADERS, trust_env=False) as caller,
            pytest.raises(httpx.ReadTimeout),
        ):
            caller.post("/wallets", json=WALLET, timeout=impatient)
        eventually(lambda: len(upstream.held) == 1, "the call is under way")
        upstream.let_go.set()

        gateway.signal(signal.SIGTERM)

        assert gateway.exit_code() == 0
        assert len(upstream.held) == 1
        listed = httpx.get(
            f"{emulator.url}/wallets",
            headers={"Authorization": f"Bearer {emulator.auth_token}"},
            trust_env=False,
        )
        assert len(listed.json()["items"]) == 1

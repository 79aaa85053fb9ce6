"""How a gateway with an audit trail and limits ends, is killed, and starts again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dfns_signers.audit.reading import heads_in
from dfns_signers.audit.verification import Verification, verify
from dfns_signers.emulator import Emulator
from tests.emulator.caller import answered, compact
from tests.gateway.callers.test_limits import WALLET, caller
from tests.gateway.holding import Holding
from tests.gateway.processes import GatewayProcess, eventually, gateway_process
from tests.gateway.replicas import shared
from tests.gateway.running import LISTEN, RunningGateway, configuration, configuration_for
from tests.gateway.user_actions.signing_callers import by_hand, signing_caller
from tests.support.redis_servers import RedisServer

pytestmark = pytest.mark.timeout(120)
AUDIT = 'audit = {{ file = "{}/audit.jsonl" }}'


@dataclass(frozen=True)
class Held:
    """A configuration whose calls wait for a test, and what a gateway of it leaves behind."""

    file: Path
    upstream: Holding
    emulator: Emulator
    folder: Path

    @property
    def sockets(self) -> list[Path]:
        return list(self.folder.glob("*.sock"))

    def running(self, gateway: GatewayProcess) -> RunningGateway:
        return RunningGateway(gateway.urls, self.emulator)

    def verified(self, *gateways: GatewayProcess) -> Verification:
        heads = [head for gateway in gateways for _, head in heads_in(gateway.log)]
        assert heads
        return verify([self.folder / "audit.jsonl"], heads=heads)

    def create(self, gateway: GatewayProcess) -> httpx.Response:
        with self.running(gateway).client() as client:
            return client.post("/wallets", json=WALLET, timeout=60)


@contextmanager
def held(folder: Path, settings: str) -> Iterator[Held]:
    with Emulator(exact_payloads=True) as emulator, Holding(emulator.url) as upstream:
        configuration(folder, emulator, settings)  # adds the identity of the gateway
        file = configuration_for(upstream.url, folder, settings, AUDIT.format(folder))
        yield Held(file, upstream, emulator, folder)


def listening(folder: Path) -> str:
    return f"""
listen = ["127.0.0.1:0", "unix:{folder}/api.sock"]
admin = "unix:{folder}/admin.sock"
"""


def test_end_with_calls_under_way_leaves_a_whole_trail_its_head_in_the_log_and_no_socket(
    tmp_path: Path, store: RedisServer
) -> None:
    settings = shared(store).replace(LISTEN, listening(tmp_path)) + caller(rule='rate = "9/hour"')
    with (
        held(tmp_path, settings) as api,
        gateway_process(api.file) as gateway,
        ThreadPoolExecutor(9) as callers,
    ):
        assert len(api.sockets) == 2
        calls = [callers.submit(api.create, gateway) for _ in range(9)]
        eventually(lambda: len(api.upstream.held) == 9, "9 calls are under way")

        gateway.signal(signal.SIGTERM)
        eventually(lambda: len(api.sockets) < 2, "no connection is accepted")
        api.upstream.let_go.set()

        assert [call.result().status_code for call in calls] == [200] * 9
        assert gateway.exit_code() == 0
        assert api.sockets == []
        found = api.verified(gateway)
        assert (found.findings, found.warnings, found.open_calls) == ([], [], 0)
        assert (found.calls, found.events["answered"]) == (9, 9)


def test_gateway_that_was_killed_starts_again_and_goes_on_with_its_trail(tmp_path: Path) -> None:
    trail = tmp_path / "audit.jsonl"
    with (
        held(tmp_path, listening(tmp_path) + caller()) as api,
        ThreadPoolExecutor(1) as callers,
    ):
        with gateway_process(api.file, "killed") as killed:
            call = callers.submit(api.create, killed)
            eventually(lambda: len(api.upstream.held) == 1, "a call is under way")
            killed.signal(signal.SIGKILL)
            assert isinstance(call.exception(), httpx.TransportError)
        assert len(api.sockets) == 2
        with trail.open("ab") as stream:
            stream.write(b'{"event":"answ')  # what a disk may have of a record by then
        api.upstream.let_go.set()

        with gateway_process(api.file, "restarted") as restarted:
            assert api.create(restarted).status_code == 200
            restarted.signal(signal.SIGTERM)
            assert restarted.exit_code() == 0

        found = api.verified(restarted)
        assert found.findings == []
        assert any("a torn line" in note for note in found.notes)
        assert (found.calls, found.events["answered"]) == (2, 1)
        assert api.sockets == []


def test_challenge_of_a_replica_that_ends_is_answered_and_used_at_another(
    tmp_path: Path, store: RedisServer
) -> None:
    payload = compact(WALLET)
    plain = caller("plain", "token-of-another-caller")
    with (
        held(tmp_path, shared(store) + signing_caller(tmp_path) + plain) as api,
        gateway_process(api.file, "ending") as ending,
        gateway_process(api.file, "other") as other,
        by_hand(api.running(ending)) as at_ending,
        by_hand(api.running(other)) as at_other,
        ThreadPoolExecutor(1) as callers,
    ):
        challenge = at_ending.challenge("POST", "/wallets", payload.decode())
        action = at_ending.user_action("POST", "/wallets", payload.decode())
        under_way = callers.submit(at_ending.send, "POST", "/wallets", payload, user_action=action)
        eventually(lambda: len(api.upstream.held) == 1, "a call is under way")
        ending.signal(signal.SIGTERM)

        completed = at_other.complete(challenge, at_ending.factor(challenge))
        api.upstream.let_go.set()
        sent = [
            at_other.send("POST", "/wallets", payload, user_action=token)
            for token in (answered(completed)["userAction"], action)
        ]

        assert [answer.status_code for answer in sent] == [200, 403]
        assert under_way.result().status_code == 200
        assert ending.exit_code() == 0
        assert len(api.upstream.held) == 2


def test_store_that_fails_while_calls_are_made_has_them_refused_until_it_is_back(
    tmp_path: Path, own_store: RedisServer
) -> None:
    with (
        held(tmp_path, shared(own_store) + caller(rule='rate = "100/hour"')) as api,
        gateway_process(api.file) as gateway,
    ):
        api.upstream.let_go.set()
        assert api.create(gateway).status_code == 200

        own_store.stop()
        refused = [api.create(gateway) for _ in range(3)]
        own_store.start()

        checks = [answer.json()["error"]["details"]["gateway"] for answer in refused]
        assert checks == ["rate-store"] * 3
        assert len(api.upstream.held) == 1
        eventually(lambda: api.create(gateway).status_code == 200, "calls are counted again")

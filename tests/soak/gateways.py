"""``make soak ARGS=--gateway``: calls through processes of the gateway, under faults on all sides.

While callers call, the API and the key store meet faults, and each process gets SIGHUP; at the end
it gets SIGTERM, while callers go on to call.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count, cycle
from pathlib import Path
from typing import Any

import tomlkit

from dfns_signers import load_signer
from dfns_signers.emulator import Emulator
from tests.core.keys import private_pem
from tests.gateway.processes import GatewayProcess, eventually, gateway_process
from tests.gateway.replicas import SEAL_KEY
from tests.gateway.running import KEY, UPSTREAM_TOKEN
from tests.gateway.user_actions.signing_callers import signing_caller
from tests.soak.driving import Target
from tests.soak.gateway_callers import TOKENS, CallersOfGateways
from tests.soak.gateway_verdicts import Held, judge_trail
from tests.soak.key_stores import CREDENTIAL_ID, KeyStores
from tests.soak.rounds import Report, public_pem, wallets_by_name
from tests.support.dfns_requests import CallLabels
from tests.support.fault_proxy import FaultProxy, SeededPlan, no_faults
from tests.support.faults import FAULTS
from tests.support.redis_servers import redis_server

_KEYS = ("pem", "aws-kms", "vault-transit", "gcp-kms")
_SECONDS = 60.0  # that processes are used
_BETWEEN_RELOADS = 2.0
_RATE = 0.25  # of requests to the API
_RULE = """
[[gateway.callers.{name}.allow]]
name = "{name}"
call = "POST /wallets"
"""


@dataclass(frozen=True)
class GatewayRounds:
    """One or two processes of a gateway for several rounds of calls.

    Attributes:
        key: the kind of key that signs.
        processes: how many; several share a store and an audit trail.
        seed: what decides about the faults.
        calls: of a round.
    """

    key: str
    processes: int
    seed: int
    calls: int = 200

    def __str__(self) -> str:
        return f"{self.processes} gateway(s), {self.key}, seed {self.seed}"

    @contextmanager
    def started(self, stores: KeyStores) -> Iterator[StartedGateways]:
        """The processes, ready; they end with the block."""
        report = Report()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            store = stack.enter_context(redis_server("valkey")).url if self.processes > 1 else None
            table, fail = stack.enter_context(self._key(stores, folder, report.faults))
            with load_signer(credential_id=CREDENTIAL_ID, signer=table) as signer:
                credentials = {CREDENTIAL_ID: public_pem(signer)}
            emulator = stack.enter_context(Emulator(credentials=credentials, token=UPSTREAM_TOKEN))
            proxy = stack.enter_context(
                FaultProxy(emulator.url, labels=CallLabels(), seed=self.seed)
            )
            gateways = []
            for number in range(self.processes):
                file = folder / f"gateway-{number}.toml"
                file.write_text(_configuration(folder, number, proxy.url, table, store))
                file.chmod(0o600)
                gateways.append(stack.enter_context(gateway_process(file, file.stem)))
            fail()
            yield StartedGateways(self, folder, gateways, emulator, proxy, report)

    @contextmanager
    def _key(
        self, stores: KeyStores, folder: Path, faults: Counter[str]
    ) -> Iterator[tuple[dict[str, Any], Callable[[], None]]]:
        """The table of the signer, and what has its key store meet faults from then on."""
        if self.key == "pem":
            path = folder / "key.pem"
            path.write_bytes(private_pem(KEY))
            path.chmod(0o600)
            yield {"backend": "pem", "path": str(path)}, lambda: None
            return
        stores.start(self.key)
        with stores.table(self.key, self.seed, faults) as (table, fail):
            yield table, fail


@dataclass
class StartedGateways:
    """What a round needs of the processes, and what the rounds came to."""

    rounds: GatewayRounds
    folder: Path
    gateways: Sequence[GatewayProcess]
    emulator: Emulator
    proxy: FaultProxy
    report: Report
    bodies: dict[str, str] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)

    def play(self, number: int, *, ends: bool = False) -> None:
        """A round: many calls at once, and what became of each.

        Args:
            number: of the round.
            ends: whether the processes get SIGTERM in the middle of it.
        """
        seed = self.rounds.seed
        labels = [f"call-{seed}-{number}-{n}" for n in range(self.rounds.calls)]
        self.proxy.plan = SeededPlan(seed, tuple(FAULTS), _RATE)
        callers = CallersOfGateways([gateway.urls for gateway in self.gateways])
        with self._reloading():
            played = callers.play(labels, self._terminate if ends else None)
        self.bodies.update(callers.bodies)
        if not ends:
            self.held.append(Held.by([gateway.process.pid for gateway in self.gateways]))
            self.proxy.plan = no_faults
        else:
            self._require_end()
        effects = wallets_by_name(self.emulator)
        self.report.add(
            Report.of(played, Counter({label: effects[label] for label in labels}), Counter())
        )

    def judge(self) -> Report:
        """Once the processes have ended."""
        self.report.faults.update(self.proxy.faults)
        judge_trail(
            self.folder / "audit.jsonl",
            [gateway.log for gateway in self.gateways],
            self.bodies,
            wallets_by_name(self.emulator),
            self.report.violations,
        )
        Held.judge(self.held, self.report.violations)
        return self.report

    @contextmanager
    def _reloading(self) -> Iterator[None]:
        over = threading.Event()

        def reload() -> None:
            while not over.wait(_BETWEEN_RELOADS):
                for gateway in self.gateways:
                    gateway.signal(signal.SIGHUP)

        thread = threading.Thread(target=reload)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _terminate(self) -> None:
        for gateway in self.gateways:
            gateway.signal(signal.SIGTERM)

    def _require_end(self) -> None:
        for gateway in self.gateways:
            if code := gateway.exit_code():
                self.report.violations.lost.append(f"a gateway ended with {code}")
            eventually(lambda: not self._sockets(), "the sockets are removed")

    def _sockets(self) -> list[Path]:
        return list(self.folder.glob("*.sock"))


def rounds_for(minutes: float, seed: int, stores: KeyStores) -> Iterator[tuple[str, Report]]:
    """Rounds until the time is over: how each set of processes was started, and its report."""
    ends = time.monotonic() + minutes * 60
    kinds = ((key, processes) for key in _KEYS for processes in (1, 2))
    for number, (key, processes) in enumerate(cycle(kinds)):
        if time.monotonic() > ends:
            return
        rounds = GatewayRounds(key, processes, seed + number)
        with rounds.started(stores) as gateways:
            until = min(ends, time.monotonic() + _SECONDS)
            played = count()
            while time.monotonic() < until:
                gateways.play(next(played))
            gateways.play(next(played), ends=True)
            yield str(rounds), gateways.judge()


def _configuration(
    folder: Path, number: int, base_url: str, table: dict[str, object], store: str | None
) -> str:
    shared = f'store = "{store}"\nseal_keys = ["{SEAL_KEY}"]' if store else ""
    signing = signing_caller(folder, _RULE.format(name="signing"), "signing", TOKENS["signing"])
    return f"""
[profiles.soak]
base_url = "{base_url}"
auth_token = "{UPSTREAM_TOKEN}"
credential_id = "{CREDENTIAL_ID}"
audit = {{ file = "audit.jsonl" }}
timeout = {Target.timeout}
call_timeout = {Target.call_timeout}
max_retry_after = 2.0
max_attempts = 2

[profiles.soak.signer]
{tomlkit.dumps(table)}
[gateway]
profile = "soak"
listen = ["127.0.0.1:0", "unix:{folder}/gateway-{number}.sock"]
organisation_rate = "1000000/minute"
{shared}

[gateway.callers.plain]
token_sha256 = ["{sha256(TOKENS["plain"].encode()).hexdigest()}"]
{_RULE.format(name="plain")}
[gateway.callers.local]
unix = {{ uid = [{os.getuid()}] }}
{_RULE.format(name="local")}
{signing}
"""

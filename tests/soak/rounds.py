"""One round: an emulator, a fault proxy before it, many calls, and what became of each."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers import KeySigner
from dfns_signers.emulator import Emulator
from tests.soak import drivers, interruptions
from tests.soak.driving import Driver, Played, Target
from tests.soak.verdicts import Violations, judge
from tests.support.dfns_requests import CALL, STEPS, CallLabels
from tests.support.exchange import Request
from tests.support.fault_proxy import FaultProxy, Plan, SeededPlan
from tests.support.faults import FAULTS, QUICK

_SLACK = 2.0  # seconds, for a machine that is busy
DRIVERS: dict[str, Driver] = {
    driver.__name__: driver
    for driver in (
        drivers.sync_threads,
        drivers.asyncio_tasks,
        drivers.trio_tasks,
        drivers.delegated_threads,
        drivers.delegated_tasks,
        drivers.user_action_auth,
        interruptions.cancelled_asyncio_tasks,
        interruptions.cancelled_trio_tasks,
        interruptions.closed_under_threads,
        interruptions.closed_under_tasks,
        interruptions.forked,
    )
}


@dataclass(frozen=True)
class EachFaultOnce:
    """Each fault at each step: call by call, at the first request of that step."""

    kinds: Sequence[str]

    @property
    def calls(self) -> int:
        """How many calls meet them all."""
        return len(self.kinds) * len(_STEPS)

    def __call__(self, request: Request) -> str | None:
        if not request.label:
            return None
        kind, step = divmod(int(request.label.rpartition("-")[2]), len(_STEPS))
        # Without an earlier fault, the place of a request is that of its step.
        is_first = request.ordinal == step and request.step == _STEPS[step]
        return self.kinds[kind] if is_first else None


_STEPS = (*STEPS.values(), CALL)


@dataclass(frozen=True)
class Round:
    """What a round does; its command does it again.

    Attributes:
        driver: name of one of DRIVERS.
        seed: what decides about the faults.
        calls: how many; None for as many as meet each fault at each step once.
        kinds: the faults to draw from.
        rate: the share of requests that meet one.
        key: the kind of key that signs.
    """

    driver: str
    seed: int
    calls: int | None
    kinds: Sequence[str] = QUICK
    rate: float = 0.25
    key: str = "pem"

    @property
    def command(self) -> str:
        """Repeats the round."""
        words = [".venv/bin/python", "-m", "tests.soak", "--seed", str(self.seed)]
        words += ["--driver", self.driver]
        words += ["--calls", str(self.calls), "--rate", str(self.rate)] if self.calls else []
        words += ["--key", self.key] if self.key != "pem" else []
        if tuple(self.kinds) != QUICK:
            words += ["--slow"] if tuple(self.kinds) == tuple(FAULTS) else ["--only", *self.kinds]
        return shlex.join(words)

    def play(self, signer: KeySigner) -> Report:
        """Make the calls, and judge them."""
        each = EachFaultOnce(self.kinds)
        plan: Plan = SeededPlan(self.seed, self.kinds, self.rate) if self.calls else each
        labels = [f"call-{self.seed}-{n}" for n in range(self.calls or each.calls)]
        credentials = {signer.credential_id: public_pem(signer)}
        with Emulator(credentials=credentials) as emulator:
            with FaultProxy(emulator.url, plan, labels=CallLabels(), seed=self.seed) as proxy:
                target = Target(proxy.url, emulator.auth_token, signer)
                played = DRIVERS[self.driver](target, labels)
            # No request is under way any more: the proxy's threads have ended.
            effects = wallets_by_name(emulator)
        report = Report.of(played, effects, proxy.faults)
        if self.driver == drivers.user_action_auth.__name__:
            report.late = 0  # a client of the caller has no call_timeout
        return report


@dataclass
class Report:
    """What a round, or several, came to; ``late`` are calls that went on past their deadline."""

    calls: int = 0
    succeeded: int = 0
    effects: int = 0
    late: int = 0
    slowest: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    violations: Violations = field(default_factory=Violations)

    @classmethod
    def of(cls, played: Played, effects: Counter[str], faults: Counter[str]) -> Report:
        """What calls came to."""
        outcomes = played.outcomes
        violations = judge(outcomes, effects)
        violations.tasks.extend(played.tasks_left)
        return cls(
            calls=len(outcomes),
            succeeded=sum(not (o.error or o.is_cancelled) for o in outcomes),
            effects=effects.total(),
            late=sum(o.seconds > Target.call_timeout + _SLACK for o in outcomes),
            slowest=max((o.seconds for o in outcomes), default=0.0),
            faults=faults,
            violations=violations,
        )

    def add(self, other: Report) -> None:
        """Count another report in."""
        self.calls += other.calls
        self.succeeded += other.succeeded
        self.effects += other.effects
        self.late += other.late
        self.slowest = max(self.slowest, other.slowest)
        self.faults += other.faults
        for kind, sentences in other.violations:
            getattr(self.violations, kind).extend(sentences)


def wallets_by_name(emulator: Emulator) -> Counter[str]:
    """How many wallets of each name there are, asked for past the proxy."""
    names: Counter[str] = Counter()
    params: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {emulator.auth_token}"}
    with httpx.Client(base_url=emulator.url, headers=headers, trust_env=False) as http:
        while True:
            page = http.get("/wallets", params=params).raise_for_status().json()
            names.update(wallet["name"] for wallet in page["items"])
            if not page.get("nextPageToken"):
                return names
            params = {"paginationToken": page["nextPageToken"]}


def public_pem(signer: KeySigner) -> bytes:
    """SPKI PEM of the key that signs."""
    return signer.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

"""What must hold of a gateway's audit trail, and of what its process holds."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfns_signers.audit.reading import heads_in
from dfns_signers.audit.verification import verify
from tests.soak.verdicts import Violations

_MORE_DESCRIPTORS: Final = 32  # than early, such as connections that are kept
_MORE_THREADS: Final = 32
_MORE_MEMORY: Final = 32 * 2**20  # bytes
_WARM_UP: Final = 3  # rounds


def judge_trail(
    trail: Path,
    logs: Sequence[Path],
    bodies: Mapping[str, str],
    effects: Counter[str],
    found: Violations,
) -> None:
    """Each record is where it was written, and each call with an effect was decided on before.

    Args:
        trail: of processes that have ended.
        logs: of these processes, with the heads of the trail.
        bodies: label of each call by the SHA-256 of its body.
        effects: how many there were of each call.
        found: where to say what does not hold.
    """
    heads = [head for log in logs for _, head in heads_in(log)]
    verified = verify([trail], heads=heads)
    found.audit.extend([*verified.findings, *verified.warnings])
    if verified.open_calls:
        found.audit.append(f"{verified.open_calls} calls were neither signed nor failed")
    if not heads:
        found.audit.append("no log has a head of the trail")
    events: defaultdict[str, list[str]] = defaultdict(list)
    labels: dict[str, str] = {}
    with trail.open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record["event"] != "started":
                is_refusal = record.get("outcome") == "refused"
                events[record["call"]].append("refused" if is_refusal else record["event"])
                labels.setdefault(record["call"], bodies.get(record.get("bodySha256"), ""))
    for call, of_call in events.items():
        found.audit.extend(_judge_call(f"{labels[call]} {call}", Counter(of_call)))
    recorded = {labels[call] for call, of_call in events.items() if "answered" in of_call}
    lost = effects.keys() - recorded
    found.audit.extend(f"{label} took effect, and was not recorded" for label in lost)


def _judge_call(call: str, events: Counter[str]) -> list[str]:
    """Each attempt is decided on before it is signed, ends as signed or failed, and is answered."""
    signed, ended = events["signed"], events["signed"] + events["failed"]
    is_whole = events["answered"] == signed <= events["decided"] <= ended
    return [] if is_whole else [f"{call} has the records {dict(events)}"]


@dataclass(frozen=True)
class Held:
    """What processes hold while no call is under way: descriptors, threads and bytes."""

    descriptors: int
    threads: int
    memory: int

    @classmethod
    def by(cls, pids: Sequence[int]) -> Held:
        """Of all these processes together."""
        statuses = [Path(f"/proc/{pid}/status").read_text("ascii") for pid in pids]
        return cls(
            sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids),
            sum(_number(status, "Threads") for status in statuses),
            sum(_number(status, "VmRSS") * 1024 for status in statuses),
        )

    @staticmethod
    def judge(held: Sequence[Held], found: Violations) -> None:
        """After each of several rounds, the last one compared with the first ones."""
        if len(held) <= _WARM_UP:
            return
        early, late = held[_WARM_UP - 1], held[-1]
        if (more := late.descriptors - early.descriptors) > _MORE_DESCRIPTORS:
            found.sockets.append(f"the gateway holds {more} more descriptors")
        if (more := late.threads - early.threads) > _MORE_THREADS:
            found.threads.append(f"the gateway holds {more} more threads")
        if (more := late.memory - early.memory) > _MORE_MEMORY:
            found.memory.append(f"the gateway holds {more / 2**20:.0f} MiB more")


def _number(status: str, name: str) -> int:
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])

"""``make soak``: rounds of calls under faults until the time is over, and a table of the results.

Each round takes the next driver, and now and then another kind of key. It ends with 1 if a call
ended as none may, or something was left behind.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import count

from tests.soak.gateways import rounds_for
from tests.soak.key_stores import KEYS, KeyStores
from tests.soak.leaks import Watch, use_one_arena
from tests.soak.rounds import DRIVERS, Report, Round
from tests.support.faults import FAULTS, QUICK

_CALLS = 200
_BACKEND_CALLS = 60


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, help="go on this long with further seeds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--calls", type=int, help="of a round; by default each fault meets each step once"
    )
    parser.add_argument("--rate", type=float, default=0.25, help="share of requests with a fault")
    parser.add_argument("--driver", choices=DRIVERS, default="sync_threads")
    parser.add_argument("--key", choices=KEYS, default="pem")
    parser.add_argument("--only", nargs="+", choices=FAULTS, metavar="FAULT")
    parser.add_argument("--gateway", action="store_true", help="through processes of the gateway")
    parser.add_argument("--slow", action="store_true", help="also the faults that take seconds")
    chosen = parser.parse_args()
    chosen.only = tuple(chosen.only or (FAULTS if chosen.slow or chosen.minutes else QUICK))
    return chosen


def _rounds(chosen: argparse.Namespace) -> Iterator[Round]:
    if not chosen.minutes:
        yield Round(
            chosen.driver,
            chosen.seed,
            chosen.calls,
            kinds=chosen.only,
            rate=chosen.rate,
            key=chosen.key,
        )
        return
    ends = time.monotonic() + chosen.minutes * 60
    signing = [name for name in DRIVERS if "delegated" not in name and name != "user_action_auth"]
    for seed in count(chosen.seed):
        for driver in DRIVERS:
            if time.monotonic() > ends:
                return
            yield Round(driver, seed, chosen.calls or _CALLS, chosen.only, chosen.rate)
        for number, key in enumerate(KEYS[1:]):
            if time.monotonic() > ends:
                return
            yield Round(signing[(seed + number) % len(signing)], seed, _BACKEND_CALLS, key=key)


def _in_this_process(
    chosen: argparse.Namespace, stores: KeyStores, watch: Watch
) -> Iterator[tuple[str, Report]]:
    for round_ in _rounds(chosen):
        report = Report()
        stores.start(round_.key)
        with (
            watch.over(report.violations, collects=round_.key != "pem"),
            stores.signer(round_.key, round_.seed, report.faults) as signer,
        ):
            report.add(round_.play(signer))
        yield round_.command, report


def _through_gateways(
    chosen: argparse.Namespace, stores: KeyStores, _: Watch
) -> Iterator[tuple[str, Report]]:
    return rounds_for(chosen.minutes or 1, chosen.seed, stores)


def main() -> int:
    """Play the rounds, and print what they came to."""
    chosen = _arguments()
    use_one_arena()
    stores, total, watch = KeyStores(), Report(), Watch()
    try:
        played = _through_gateways if chosen.gateway else _in_this_process
        for title, report in played(chosen, stores, watch):
            if report.violations:
                _say(f"{title}\n{report.violations}")
            total.add(report)
    except KeyboardInterrupt:
        _say("interrupted")
    finally:
        stores.close()
    watch.judge_memory(total.violations)
    __say(total, watch)
    return 1 if total.violations else 0


def __say(total: Report, watch: Watch) -> None:
    _say(f"\n{'calls':44}{total.calls:8}")
    _say(f"{'succeeded':44}{total.succeeded:8}")
    _say(f"{'effects':44}{total.effects:8}")
    _say(f"{'slowest call, seconds':44}{total.slowest:8.1f}")
    _say(f"{'calls past their deadline':44}{total.late:8}")
    _say(f"{'memory growth, MiB':44}{watch.growth / 2**20:8.1f}")
    _say(f"{'faults':44}{total.faults.total():8}")
    for name, times in sorted(total.faults.items()):
        _say(f"  {name:42}{times:8}")
    for kind, sentences in total.violations:
        _say(f"{kind.replace('_', ' '):44}{len(sentences):8}")


if __name__ == "__main__":
    sys.exit(main())

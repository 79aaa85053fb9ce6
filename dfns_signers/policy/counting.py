"""Calls are counted against the rates of rules, in memory or in a store."""

from __future__ import annotations

from collections.abc import Callable

from dfns_signers.errors import NoPermitError, PolicyRefusedError
from dfns_signers.rate_limits.counters import Counters, counter_name
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.rate_limits.stores import PAUSE


def counting(counters: Counters, *place: str) -> Callable[[str, str], float]:
    """The argument ``count`` of a ``Policy``.

    Args:
        counters: where the calls are counted.
        place: names what has the rules among all that share the counters.
    """

    def count(rule: str, rate: str) -> float:
        try:
            return counters.take(counter_name(*place, "rule", rule), Rate.parse(rate))
        except NoPermitError as error:
            raise PolicyRefusedError(
                f"the rate of rule {rule!r} cannot be counted: {error}",
                check="rate-store",
                rule=rule,
                retry_after=PAUSE,
            ) from error

    return count

"""What a profile says of rates: the limit of its clients, and the rates of its rules."""

from __future__ import annotations

from collections.abc import Callable

from dfns_signers.config.loading import LoadedProfile
from dfns_signers.errors import ConfigurationError
from dfns_signers.rate_limits.rate_limit import RateLimit
from dfns_signers.sealed import Sealed


def rate_limit_of(loaded: LoadedProfile) -> RateLimit | None:
    """The limit of the requests of clients; None where there is none."""
    settings = loaded.settings
    if settings.rate_limit is None:
        if settings.rate_limit_store is not None and not _has_rates(loaded):
            with loaded.placing("rate_limit_store"):
                raise ConfigurationError(
                    "it has no effect without 'rate_limit' or a rule with a 'rate': set one, too"
                )
        return None
    setting = "rate_limit_store" if settings.rate_limit_store else "rate_limit"
    with loaded.placing(setting):
        return RateLimit(
            settings.rate_limit,
            store=settings.rate_limit_store,
            name=settings.rate_limit_name,
            fallback=settings.rate_limit_fallback,
        )


def rate_counter_of(loaded: LoadedProfile) -> Callable[[str, str], float] | None:
    """Counts calls against the rates of the rules, for a ``Policy``; None where no rule has one."""
    if not _has_rates(loaded):
        return None
    from dfns_signers.policy.counting import counting  # noqa: PLC0415  # most have no rates
    from dfns_signers.rate_limits.counters import counters_of  # noqa: PLC0415

    settings = loaded.settings
    with loaded.placing("rate_limit_store"):
        url = Sealed(settings.rate_limit_store.reveal()) if settings.rate_limit_store else None
        counters = counters_of(url, "'rate_limit_store'")
    return counting(counters, settings.base_url, loaded.name or "")


def _has_rates(loaded: LoadedProfile) -> bool:
    return any(rule.rate for rule in loaded.settings.allow)

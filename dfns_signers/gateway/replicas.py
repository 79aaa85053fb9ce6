"""What replicas of a gateway share: a store, and the keys that seal challenges."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.user_actions.single_use import InMemory, Shared, SingleUse
from dfns_signers.rate_limits.counters import Counters, counters_of
from dfns_signers.rate_limits.stores import Store
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret

_LEAST: Final = 32  # bytes of a seal key
_SETTING: Final = "'store' of [gateway]"


@dataclass(frozen=True, slots=True)
class Replicas:
    """What a gateway shares with its replicas, or has for itself.

    Attributes:
        counters: of rates.
        used: what has been used once.
        seal_keys: of challenges, 32 bytes or more each; the first seals, all open. None of them
            where this process makes its own.
    """

    counters: Counters
    used: SingleUse
    seal_keys: Sealed[list[bytes]]


def replicas_of(settings: GatewaySettings) -> Replicas:
    """What the configuration says that replicas share.

    Raises:
        ConfigurationError: the store or a seal key cannot be used.
    """
    keys = Sealed(
        [_seal_key(number, secret).open() for number, secret in enumerate(settings.seal_keys)]
    )
    if settings.store is None:
        if settings.seal_keys:
            raise ConfigurationError(
                "key 'seal_keys': without a 'store', each replica and each start would take what "
                "has been used already: set 'store', or leave out 'seal_keys'"
            )
        return Replicas(counters_of(None, _SETTING), InMemory(), keys)
    if not settings.seal_keys:
        raise ConfigurationError(
            "key 'seal_keys': missing; replicas that share a 'store' need a seal key in "
            "common: make one with 'openssl rand -hex 32'"
        )
    url = Sealed(settings.store.reveal())
    return Replicas(counters_of(url, _SETTING), Shared(Store(url, _SETTING)), keys)


def _seal_key(number: int, secret: Secret) -> Sealed[bytes]:
    key = Sealed(b"")
    with suppress(ValueError):
        key = Sealed(bytes.fromhex(secret.reveal()))
    if len(key.open()) < _LEAST:
        raise ConfigurationError(
            f"key 'seal_keys.{number}': expected {_LEAST} bytes or more in hexadecimal, "
            "as 'openssl rand -hex 32' makes them"
        )
    return key

"""Procedures of ``dfns_signers.lifecycle``, each driven in blocking code, asyncio and trio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio

from dfns_signers import (
    AsyncDelegatedDfnsClient,
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    KeySigner,
    PemKey,
    lifecycle,
)
from dfns_signers.emulator import Emulator
from tests.core.keys import private_key, private_pem, stranger

FIRST = "cr-first"
"""The credential of the emulator's user, an Ed25519 key."""

WAYS = ("blocking", "asyncio", "trio")


def first_signer() -> KeySigner:
    return KeySigner(PemKey.from_pem(private_pem(private_key("Ed25519"))), FIRST)


def new_key(algorithm: str = "ES256") -> PemKey:
    return PemKey.from_pem(private_pem(stranger(algorithm)))


@dataclass(frozen=True)
class Lifecycle:
    """Calls a function of ``lifecycle``, or its asynchronous twin, with a client of its own.

    Attributes:
        way: one of WAYS.
        emulator: whose user the client is.
        url: of the emulator, or of a proxy before it.
    """

    way: str
    emulator: Emulator
    url: str

    def __call__(
        self,
        function: str,
        *arguments: Any,
        signer: KeySigner | None = None,
        token: str | None = None,
        **keywords: Any,
    ) -> Any:
        """What it returns, given the arguments, and the client after the first one."""
        options = {"base_url": self.url, "timeout": 5, "max_attempts": 1}
        used = signer or first_signer()
        bearer = token or self.emulator.auth_token
        if self.way == "blocking":
            with DfnsClient(bearer, used, **options) as dfns:  # type: ignore[arg-type]
                return self._call(function, dfns, arguments, keywords)

        async def main() -> Any:
            async with AsyncDfnsClient(bearer, used, **options) as dfns:  # type: ignore[arg-type]
                return await self._call(f"a{function}", dfns, arguments, keywords)

        return anyio.run(main, backend=self.way)

    def delegated(self, function: str, *arguments: Any, **keywords: Any) -> Any:
        """The same, with a delegated client."""
        token = self.emulator.auth_token
        if self.way == "blocking":
            with DelegatedDfnsClient(token, base_url=self.url) as dfns:
                return self._call(function, dfns, arguments, keywords)

        async def main() -> Any:
            async with AsyncDelegatedDfnsClient(token, base_url=self.url) as dfns:
                return await self._call(f"a{function}", dfns, arguments, keywords)

        return anyio.run(main, backend=self.way)

    def _call(
        self, function: str, dfns: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        first, *rest = arguments
        return getattr(lifecycle, function)(first, dfns, *rest, **keywords)

"""Calls made in every way that the package offers: each driver makes many at once and waits."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx

from dfns_signers import (
    AsyncDelegatedDfnsClient,
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    UserActionAuth,
)
from tests.soak.driving import (
    AT_ONCE,
    NETWORK,
    Played,
    Target,
    arguments,
    atimed,
    in_threads,
    on_a_loop,
    timed,
)
from tests.soak.verdicts import Outcome


def sync_client(target: Target) -> DfnsClient:
    return DfnsClient(target.auth_token, target.signer, **target.options)


def async_client(target: Target) -> AsyncDfnsClient:
    return AsyncDfnsClient(target.auth_token, target.signer, **target.options)


async def create(client: Any, label: str) -> Outcome:
    """One awaited call."""
    return await atimed(label, lambda: client.wallets.create(**arguments(label)))


def sync_threads(target: Target, labels: Sequence[str]) -> Played:
    """One blocking client in many threads."""
    with sync_client(target) as dfns:
        return in_threads(labels, lambda label: dfns.wallets.create(**arguments(label)))


def asyncio_tasks(target: Target, labels: Sequence[str]) -> Played:
    return on_a_loop(labels, lambda: async_client(target), create, "asyncio")


def trio_tasks(target: Target, labels: Sequence[str]) -> Played:
    return on_a_loop(labels, lambda: async_client(target), create, "trio")


def delegated_threads(target: Target, labels: Sequence[str]) -> Played:
    """One delegated client in many threads; this process signs in the browser's place."""
    with DelegatedDfnsClient(target.auth_token, **target.options) as dfns:

        def call(label: str) -> Any:
            pending = dfns.wallets.create(**arguments(label))
            return dfns.complete(pending, target.signer.sign(pending.challenge))

        return in_threads(labels, call)


def delegated_tasks(target: Target, labels: Sequence[str]) -> Played:
    async def both_parts(dfns: AsyncDelegatedDfnsClient, label: str) -> Any:
        pending = await dfns.wallets.create(**arguments(label))
        return await dfns.complete(pending, await target.signer.asign(pending.challenge))

    async def call(dfns: AsyncDelegatedDfnsClient, label: str) -> Outcome:
        return await atimed(label, lambda: both_parts(dfns, label))

    def open_client() -> AsyncDelegatedDfnsClient:
        return AsyncDelegatedDfnsClient(target.auth_token, **target.options)

    return on_a_loop(labels, open_client, call, "asyncio")


def user_action_auth(target: Target, labels: Sequence[str]) -> Played:
    """An httpx client of the caller's; what becomes of the call's own answer is up to httpx."""
    auth = UserActionAuth(target.auth_token, target.signer, base_url=target.base_url)
    with httpx.Client(auth=auth, timeout=target.timeout, trust_env=False) as http:

        def call(label: str) -> Outcome:
            body = {"network": NETWORK, "name": label}
            outcome = timed(label, lambda: http.post(f"{target.base_url}/wallets", json=body))
            return replace(outcome, is_raw=True)

        with ThreadPoolExecutor(AT_ONCE, "driver") as pool:
            return Played(list(pool.map(call, labels)))

"""A signed call as a whole: three requests and a signature, one at a time and many at once."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Final

import dfns_sdk
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.fakes import dfns_api
from bench.fakes.dfns_api import DfnsApi
from bench.measuring import Effort, Samples, Spread, in_turns
from bench.table import Goal, Row
from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner, PemKey

_TOKEN: Final = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9." + "t" * 300
_CREDENTIAL: Final = "cr-bench"
_WALLET: Final = {"network": "EthereumSepolia", "name": "bench"}
_KEY: Final = Ed25519PrivateKey.generate()
_PEM: Final = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
_LATENCY: Final = 0.02  # seconds of the API for an answer, where calls are many at once
_KEPT: Final = 3600.0  # seconds; a turn of httpx may take longer than the default
_GOALS: Final = {100: 1.8, 500: 2.6}  # ms of CPU, by calls at once


def rows(effort: Effort) -> Iterator[Row]:
    """Every row of this area."""
    with dfns_api.running() as api:
        os.environ["SSL_CERT_FILE"] = str(api.authority)
        yield from _one_at_a_time(api, effort)
    with dfns_api.running(latency=_LATENCY) as api:
        os.environ["SSL_CERT_FILE"] = str(api.authority)
        for base_url in (api.http, api.https):
            for number, goal in _GOALS.items():
                yield from _at_once(api, base_url, number, goal, effort)


def _one_at_a_time(api: DfnsApi, effort: Effort) -> Iterator[Row]:
    calls, rounds = 25, effort.of(60)
    how = f"{rounds} rounds of {calls} calls, Ed25519 in a PEM, server in another process"
    for base_url in (api.http, api.https):
        with ExitStack() as stack:
            subjects = _blocking(base_url, stack)
            samples = in_turns(subjects, rounds=rounds, calls=calls)
        scheme = base_url.partition(":")[0]
        yield Row(
            f"signed call, sync, {scheme}",
            samples.speed("dfns-signers", beside="httpx"),
            "of bare httpx",
            how,
            {"dfns-sdk": samples.speed("dfns-sdk", beside="httpx")},
            Goal(at_least=1.0),
        )
        yield Row(
            f"signed call, sync, time, {scheme}",
            samples.of("dfns-signers", factor=1e3),
            "ms CPU",
            how,
            {name: samples.of(name, factor=1e3) for name in ("httpx", "dfns-sdk")},
        )


def _blocking(base_url: str, stack: ExitStack) -> dict[str, Callable[[], object]]:
    ours = stack.enter_context(DfnsClient(_TOKEN, _signer(), base_url=base_url))
    http = stack.enter_context(httpx.Client(**_options(base_url)))
    config = dfns_sdk.DfnsClientConfig(
        auth_token=_TOKEN,
        base_url=base_url,
        signer=dfns_sdk.KeySigner(credential_id=_CREDENTIAL, private_key=_PEM.decode()),
    )
    official = dfns_sdk.DfnsClient(config)
    stack.callback(official.close)
    return {
        "dfns-signers": lambda: ours.post("/wallets", json=_WALLET),
        "httpx": lambda: _by_hand(http),
        "dfns-sdk": lambda: official.wallets.create_wallet(_WALLET),  # type: ignore[arg-type]
    }


def _at_once(
    api: DfnsApi, base_url: str, number: int, goal: float, effort: Effort
) -> Iterator[Row]:
    rounds, bursts = effort.of(8, least=2), max(1, 200 // number)
    samples, connections = asyncio.run(
        _bursts(api, base_url, number=number, rounds=rounds, bursts=bursts)
    )
    scheme = base_url.partition(":")[0]
    how = f"{rounds} rounds of {bursts} times {number} calls, Ed25519 in a PEM, answers after 20 ms"
    yield Row(
        f"signed call, async, {number} at once, {scheme}",
        samples.of("dfns-signers", factor=1e3),
        "ms CPU",
        how,
        {"httpx": samples.of("httpx", factor=1e3)},
        Goal(at_most=goal),
    )
    requests = 3 * number * bursts * (rounds + 1)
    yield Row(
        f"signed call, async, {number} at once, connections, {scheme}",
        Spread.of([connections["dfns-signers"]]),
        f"for {requests:,} requests",
        "as the server counted them, the first round with the others",
        {"httpx": Spread.of([connections["httpx"]])},
        Goal(at_most=number),
    )


async def _bursts(
    api: DfnsApi, base_url: str, *, number: int, rounds: int, bursts: int
) -> tuple[Samples, dict[str, float]]:
    """CPU seconds of a call, and the connections that the bursts of each subject took."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(
            AsyncDfnsClient(_TOKEN, _signer(), base_url=base_url, keepalive_expiry=_KEPT)
        )
        http = await stack.enter_async_context(httpx.AsyncClient(**_options(base_url)))
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "dfns-signers": lambda: ours.post("/wallets", json=_WALLET),
            "httpx": lambda: _by_hand_at_once(http),
        }
        samples, connections = Samples(calls), dict.fromkeys(calls, 0.0)
        for burst in range(-1, rounds):
            for name, call in calls.items():
                before = api.connections()
                seconds = await _cpu_of(call, number, bursts)
                connections[name] += api.connections() - before
                if burst >= 0:
                    samples.add(name, seconds)
        return samples, connections


async def _cpu_of(call: Callable[[], Awaitable[object]], number: int, bursts: int) -> float:
    gc.collect()
    begin = time.process_time()
    for _ in range(bursts):
        await asyncio.gather(*(call() for _ in range(number)))
    return (time.process_time() - begin) / (number * bursts)


def _signer() -> KeySigner:
    return KeySigner(PemKey.from_pem(_PEM), _CREDENTIAL)


def _options(base_url: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    return {
        "base_url": base_url,
        "headers": headers,
        "trust_env": False,
        "timeout": 120.0,
        "verify": ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]),
    }


def _by_hand(http: httpx.Client) -> Any:
    steps = _steps()
    request = next(steps)
    while True:
        response = http.post(**request)
        response.raise_for_status()
        try:
            request = steps.send(response.json())
        except StopIteration as done:
            return done.value


async def _by_hand_at_once(http: httpx.AsyncClient) -> Any:
    steps = _steps()
    request = next(steps)
    while True:
        response = await http.post(**request)
        response.raise_for_status()
        try:
            request = steps.send(response.json())
        except StopIteration as done:
            return done.value


def _steps() -> Generator[dict[str, Any], Any, Any]:
    """The requests of a signed call as arguments of ``post``, each sent the answer to the last."""
    payload = json.dumps(_WALLET, separators=(",", ":"))
    challenge = yield {
        "url": "/auth/action/init",
        "json": {
            "userActionPayload": payload,
            "userActionHttpMethod": "POST",
            "userActionHttpPath": "/wallets",
            "userActionServerKind": "Api",
        },
    }
    client_data = json.dumps({"type": "key.get", "challenge": challenge["challenge"]}).encode()
    assertion = {
        "credId": _CREDENTIAL,
        "clientData": _base64url(client_data),
        "signature": _base64url(_KEY.sign(client_data)),
    }
    completed = yield {
        "url": "/auth/action",
        "json": {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": {"kind": "Key", "credentialAssertion": assertion},
        },
    }
    return (
        yield {
            "url": "/wallets",
            "content": payload,
            "headers": {
                "Content-Type": "application/json",
                "X-DFNS-USERACTION": completed["userAction"],
            },
        }
    )


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()

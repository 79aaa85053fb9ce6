"""Four processes that send all they can keep to one limit, as the emulator counts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator, service
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.support.rate_limited_callers import Order, run
from tests.support.redis_servers import RedisServer

LIMIT = 100
WINDOW = 3  # seconds, in place of a minute
MARGIN = 6  # seconds; what a busy machine may delay a request by
SECONDS = 60  # far more than it takes


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Refuses above the limit in any window."""
    monkeypatch.setattr(service, "RATE_WINDOW", WINDOW)
    credentials = {"cr-1": public_pem(public_key("Ed25519"))}
    with Emulator(credentials=credentials, rate_limit=LIMIT) as running:
        yield running


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "key.pem"
    path.write_bytes(private_pem(private_key("Ed25519")))
    path.chmod(0o600)
    return str(path)


def test_four_processes_with_a_store_never_exceed_the_limit_and_use_it_again_and_again(
    emulator: Emulator, key: str, store: RedisServer
) -> None:
    orders = [
        Order(
            emulator.url,
            emulator.auth_token,
            key,
            LIMIT,
            SECONDS,
            requests=LIMIT // 4 + 1,
            store=store.url,
            window=WINDOW,
            margin=MARGIN,
            is_async=is_async,
        )
        for is_async in (False, True, False, True)
    ]

    report = run(orders)

    assert report.refused == 0
    assert len(report.ends) > LIMIT


@pytest.mark.parametrize("is_async", [False, True])
def test_one_process_never_exceeds_its_own_limit_and_uses_it_again_and_again(
    emulator: Emulator, key: str, *, is_async: bool
) -> None:
    order = Order(
        emulator.url,
        emulator.auth_token,
        key,
        LIMIT,
        SECONDS,
        requests=LIMIT + 1,
        window=WINDOW,
        is_async=is_async,
    )

    report = run([order])

    assert report.refused == 0
    assert len(report.ends) > LIMIT

"""SIGHUP: what a running gateway takes of a file that was changed."""

from __future__ import annotations

import signal
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.gateway.processes import eventually, gateway_process
from tests.gateway.reloads import NOT_TAKEN, WALLET, change, kept_alive, reloaded
from tests.gateway.running import DIGEST, LISTEN, PAYMENTS

ANOTHER = f"""
[gateway.callers.treasury]
token_sha256 = ["{sha256(b"another").hexdigest()}"]
reads = true
"""


def test_caller_that_was_removed_is_refused_at_once_on_its_open_connection(file: Path) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        change(file, PAYMENTS, ANOTHER)
        reloaded(gateway)

        assert caller.post("/wallets", json=WALLET).status_code == 401


def test_caller_that_was_added_is_served(file: Path) -> None:
    with gateway_process(file) as gateway:
        change(file, PAYMENTS, PAYMENTS + ANOTHER)
        reloaded(gateway)

        headers = {"Authorization": "Bearer another"}
        url = f"{gateway.urls[0]}/wallets"
        assert httpx.get(url, headers=headers, trust_env=False).status_code == 200


def test_rule_that_was_removed_allows_nothing_any_more(file: Path) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        change(file, 'call = "POST /wallets"', 'call = "POST /keys"')
        reloaded(gateway)

        assert caller.post("/wallets", json=WALLET).status_code == 403
        assert caller.post("/keys", json={"scheme": "ECDSA", "curve": "secp256k1"}).is_success


def test_signals_in_a_row_end_with_what_the_file_says(file: Path) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        for _ in range(20):
            change(file, PAYMENTS, ANOTHER)
            gateway.signal(signal.SIGHUP)
            change(file, ANOTHER, PAYMENTS)
            gateway.signal(signal.SIGHUP)

        eventually(
            lambda: caller.post("/wallets", json=WALLET).status_code == 200, "the caller is back"
        )


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "wallets"', "", "[gateway]"),
        ("[gateway.callers.payments]", "[gateway.callers.payments", "is not valid TOML"),
        (LISTEN, 'listen = ["127.0.0.1:1"]', "'listen' in [gateway]"),
        ('credential_id = "cr-1"', 'credential_id = "cr-2"', "'credential_id' in profile"),
    ],
    ids=["wrong rule", "not TOML", "listener", "profile"],
)
def test_file_that_cannot_be_taken_changes_nothing_and_is_one_line_in_the_log(
    file: Path, old: str, new: str, place: str
) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        change(file, old, new)
        change(file, DIGEST, sha256(b"another").hexdigest())
        line = reloaded(gateway, NOT_TAKEN)

        assert str(file) in line
        assert not gateway.logged("Traceback")
        assert caller.post("/wallets", json=WALLET).status_code == 200
        assert place in line

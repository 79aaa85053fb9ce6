"""Attacks on the audit trail of a gateway, and on what it must never have."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfns_signers.audit.verification import verify
from tests.gateway.running import TOKEN, RunningGateway, running_gateway
from tests.secrecy import LEAK

BODY = {"network": "Bitcoin", "name": "value-of-the-caller"}
Lines = list[bytes]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def gateway(tmp_path: Path, file: Path) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path, profile=f'audit.file = "{file}"') as gateway:
        yield gateway


@pytest.fixture
def written(gateway: RunningGateway, file: Path) -> Lines:
    """The lines of a trail of three calls."""
    with gateway.client() as client:
        for _ in range(3):
            assert client.post("/wallets", json=BODY).status_code == 200
    return file.read_bytes().splitlines(keepends=True)


def edited(lines: Lines) -> Lines:
    return [line.replace(b'"payments"', b'"nobody"') for line in lines]


def forged(lines: Lines) -> Lines:
    """One record changed, and its own hash made again."""
    from dfns_signers.audit.records import Head, line_after  # noqa: PLC0415

    record = json.loads(lines[3])
    head = Head(record.pop("sequence") - 1, record.pop("previous"))
    del record["hash"]
    line, _ = line_after(head, {**record, "milliseconds": 0})
    return [*lines[:3], line, *lines[4:]]


@pytest.mark.parametrize(
    "attack",
    [
        edited,
        forged,
        lambda lines: lines[1:],
        lambda lines: [*lines[:3], *lines[6:]],
        lambda lines: lines[:-1],
        lambda lines: [],
        lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
        lambda lines: [*lines[:4], lines[2], *lines[4:]],
        lambda lines: [*lines[:4], b'{"event":"decided"}\n', *lines[4:]],
    ],
    ids=[
        *("edit", "forge one record", "cut the beginning", "remove a call", "truncate", "empty"),
        *("reorder", "repeat", "insert"),
    ],
)
def test_trail_that_was_tampered_with_is_found(
    written: Lines, file: Path, attack: Callable[[Lines], Lines]
) -> None:
    head = json.loads(written[-1])["hash"]
    assert verify([file], head=head).findings == []

    file.write_bytes(b"".join(attack(written)))

    assert verify([file], head=head).findings != []


def test_call_that_cannot_be_recorded_is_not_signed(gateway: RunningGateway, file: Path) -> None:
    file.unlink(missing_ok=True)
    file.mkdir()

    with gateway.client() as client:
        refused = client.post("/wallets", json=BODY)

    assert not refused.is_success
    paths = [request.raw_path for request in gateway.emulator.requests]
    assert "/auth/action" not in paths
    assert "/wallets" not in paths


def test_trail_and_log_have_no_secret_and_no_value_of_a_body(
    gateway: RunningGateway, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with gateway.client() as client:
        assert client.post("/wallets", json=BODY).status_code == 200
        client.post("/wallets?state=value-of-the-caller", json=BODY)
        client.post("/wallets", json={**BODY, "network": "Nowhere"})
    received = gateway.emulator.requests
    secrets = {TOKEN, "upstream-token", "value-of-the-caller"}
    for request in received:
        if request.raw_path == "/auth/action":
            body = json.loads(request.body)
            secrets.add(body["challengeIdentifier"])
            secrets |= set(body["firstFactor"]["credentialAssertion"].values()) - {"cr-1"}
    assert len(secrets) > 6

    trail = file.read_text()
    own_log = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("dfns_signers") and "emulator" not in record.name
    )

    assert [secret for secret in secrets if secret in trail] == []
    assert not LEAK.search(trail)  # a user action, which the emulator does not show
    assert [secret for secret in secrets if secret in own_log] == []

"""How long a request may take, and what is repeated."""

from __future__ import annotations

import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import KeyStateError, KeyStoreUnavailableError
from tests.plugins.gcp_kms.conftest import OpenKey


class Watching:
    """Keeps how long each request may take; sending one takes some seconds on its clock."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.now = 0.0
        self.timeouts: list[tuple[str, float]] = []
        self._seconds = seconds

    def see(self, method: str, timeout: float) -> None:
        self.timeouts.append((method, timeout))
        self.now += self._seconds

    def clock(self) -> float:
        return self.now


def about(seconds: float) -> object:
    """Google's client takes off what passed on its own clock until it sends."""
    return pytest.approx(seconds, abs=0.45)


@pytest.mark.parametrize(
    ("connect_timeout", "read_timeout", "timeout", "expected"),
    [(3.0, 10.0, 30.0, 13.0), (1.0, 0.5, 30.0, 1.5), (3.0, 10.0, 5.0, 5.0)],
)
def test_request_may_take_as_long_as_connecting_and_answering_within_the_operation(
    connect_timeout: float,
    read_timeout: float,
    timeout: float,
    expected: float,
    version: str,
    open_key: OpenKey,
) -> None:
    watching = Watching()

    open_key(
        version,
        see=watching.see,
        clock=watching.clock,
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        timeout=timeout,
    )

    assert watching.timeouts == [("GetPublicKey", about(expected))]


def test_repeated_request_may_take_what_is_left_of_the_operation(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    watching = Watching(seconds=4.0)
    cloud_kms.faults.add(*[Fault("GetPublicKey", status="UNAVAILABLE")] * 9)

    with pytest.raises(KeyStoreUnavailableError, match=r"\(attempt 3 of 9\)"):
        open_key(version, see=watching.see, clock=watching.clock, timeout=10.0, max_attempts=9)

    assert [timeout for _, timeout in watching.timeouts] == [about(10.0), about(6.0), about(2.0)]


def test_state_is_read_within_the_deadline_of_the_signature(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    watching = Watching(seconds=8.0)
    key = open_key(version, see=watching.see, clock=watching.clock, timeout=10.0)
    cloud_kms.faults.add(Fault("AsymmetricSign", status="FAILED_PRECONDITION", message="no"))

    with pytest.raises(KeyStateError):
        key.sign(b"m")

    assert watching.timeouts[1:] == [
        ("AsymmetricSign", about(10.0)),
        ("GetCryptoKeyVersion", about(2.0)),
    ]


def test_call_that_hangs_ends_at_the_timeout(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    key = open_key(version, timeout=1.0)
    cloud_kms.faults.add(*[Fault("AsymmetricSign", delay=300.0)] * 5)

    with pytest.raises(KeyStoreUnavailableError, match="there was no answer in time"):
        key.sign(b"m")


def test_evidence_counts_the_attempts(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    key = open_key(version)
    cloud_kms.faults.add(
        Fault("AsymmetricSign", status="UNAVAILABLE"),
        Fault("AsymmetricSign", status="RESOURCE_EXHAUSTED"),
    )

    assert key.sign_with_evidence(b"m").evidence.attempts == 3

from __future__ import annotations

from dfns_signers.emulator.resources import behaving_routes


def test_no_operation_is_answered_in_two_places() -> None:
    operations = [route.operation for route in behaving_routes()]

    assert len(operations) == len(set(operations))

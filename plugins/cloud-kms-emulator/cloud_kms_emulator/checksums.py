"""CRC32C both ways: refuse what arrived damaged, and say what was sent."""

from __future__ import annotations

import google_crc32c

from cloud_kms_emulator.refusals import invalid


def crc32c(data: bytes) -> int:
    """The CRC32C (Castagnoli) of some bytes."""
    return int(google_crc32c.value(data))


def check_sent(field: str, data: bytes, checksum: object) -> bool:
    """Whether the client sent a checksum with a field, and it fits.

    Raises:
        Refusal: INVALID_ARGUMENT, it does not fit.
    """
    if checksum is None:
        return False
    if checksum != crc32c(data):
        raise invalid(f"The checksum in {field}_crc32c did not match the data in {field}.")
    return True

"""What a signature under way comes to when its key is closed, or its call is cancelled."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import SigningKeyError
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import QUICK, OpenKey


def test_key_closed_while_it_signs_says_that_it_is_closed(
    key: GcpKmsKey, cloud_kms: CloudKmsEmulator
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=600.0))

    with ThreadPoolExecutor(1) as pool:
        signing = pool.submit(key.sign, b"m")
        while len(cloud_kms.faults):
            pass
        key.close()

        with pytest.raises(SigningKeyError, match="is closed"):
            signing.result()


def test_key_closed_within_a_loop_while_it_signs_says_that_it_is_closed(
    key: GcpKmsKey, cloud_kms: CloudKmsEmulator
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=600.0))

    async def main() -> None:
        signing = asyncio.ensure_future(key.asign(b"m"))
        while len(cloud_kms.faults):  # noqa: ASYNC110  # it is taken in a thread of the server
            await asyncio.sleep(0)
        await key.aclose()
        with pytest.raises(SigningKeyError, match="is closed"):
            await signing

    asyncio.run(main())


def test_key_closed_between_two_requests_says_that_it_is_closed(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    key = open_key(version, replace(QUICK, sleep=lambda _seconds: key.close()))
    cloud_kms.faults.add(Fault("AsymmetricSign", status="UNAVAILABLE"))

    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(b"m")


def test_key_closed_within_a_loop_between_two_requests_says_that_it_is_closed(
    cloud_kms: CloudKmsEmulator, key: GcpKmsKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", status="UNAVAILABLE"))

    async def close_key(_seconds: float) -> None:
        await key.aclose()

    async def main() -> None:
        monkeypatch.setattr(asyncio, "sleep", close_key)
        await key.asign(b"m")

    with pytest.raises(SigningKeyError, match="is closed"):
        asyncio.run(main())


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_call_that_cloud_kms_cancels_is_an_error_and_no_cancellation(
    driver: str, cloud_kms: CloudKmsEmulator, key: GcpKmsKey
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", status="CANCELLED"))

    with pytest.raises(SigningKeyError, match="did not do asymmetric_sign"):
        key.sign(b"m") if driver == "sync" else asyncio.run(key.asign(b"m"))


def test_caller_who_is_cancelled_and_then_closes_the_key_is_cancelled(
    key: GcpKmsKey, cloud_kms: CloudKmsEmulator
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=600.0))

    async def main() -> Any:
        signing = asyncio.ensure_future(key.asign(b"m"))
        while len(cloud_kms.faults):  # noqa: ASYNC110  # it is taken in a thread of the server
            await asyncio.sleep(0)
        signing.cancel()
        await key.aclose()
        return (await asyncio.gather(signing, return_exceptions=True))[0]

    assert isinstance(asyncio.run(main()), asyncio.CancelledError)

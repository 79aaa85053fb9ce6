"""One key in many threads, event loops and processes."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

import anyio
import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import STRICT
from tests.plugins.gcp_kms.keys import verify
from tests.support.forking import in_forked_child


async def sign_many(key: GcpKmsKey, number: int) -> None:
    async def sign(message: bytes) -> None:
        verify("EC_SIGN_ED25519", key.public_key, await key.asign(message), message)

    async with anyio.create_task_group() as tasks:
        for index in range(number):
            tasks.start_soon(sign, b"%d" % index)


def test_key_signs_in_one_event_loop_after_the_other(key: GcpKmsKey) -> None:
    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(sign_many, key, 10, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_more_signatures_at_once_than_there_are_worker_threads_are_all_made(
    backend: str, key: GcpKmsKey
) -> None:
    anyio.run(sign_many, key, 100, backend=backend)


def test_key_signs_in_several_event_loops_at_the_same_time(key: GcpKmsKey) -> None:
    together = threading.Barrier(4)

    def run_loop(backend: str) -> None:
        async def main() -> None:
            together.wait(10)
            await sign_many(key, 20)

        anyio.run(main, backend=backend)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(run_loop, backend) for backend in ("asyncio", "trio") * 2]:
            done.result(60)


def test_key_signs_in_many_threads(key: GcpKmsKey) -> None:
    messages = [b"%d" % number for number in range(200)]

    with ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(key.sign, messages))

    for message, signature in zip(messages, signatures, strict=True):
        verify("EC_SIGN_ED25519", key.public_key, signature, message)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


OPENING = """
from dfns_signers import KeySigner
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers_gcp_kms.key import GcpKmsKey
profile = load_profile(credential_id="cr-1", signer=argument)
signer = KeySigner(lambda: open_key(profile), "cr-1")
"""


def after_a_fork(cloud_kms: CloudKmsEmulator, version: str, before: str, act: str) -> str:
    """How an act fares in a forked child; the parent signs after it."""
    signer = {"backend": "gcp-kms", "key_version": version, "endpoint": cloud_kms.endpoint}
    outcome: str = in_forked_child(
        OPENING + dedent(before), f"outcome({act})", signer, after="sign()", python=STRICT
    )
    return outcome


@needs_fork
def test_configured_signer_that_was_not_used_before_a_fork_signs_in_both_processes(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    assert after_a_fork(cloud_kms, version, "", "sign") == "signed"


@needs_fork
@pytest.mark.parametrize("first", ["sign()", "asign()"])
@pytest.mark.parametrize("act", ["sign", "asign", 'lambda: GcpKmsKey("projects/p", client=None)'])
def test_child_that_was_forked_after_a_key_was_used_is_refused_at_once(
    act: str, first: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    said = after_a_fork(cloud_kms, version, first, act)

    assert said.startswith("cannot use Google Cloud KMS in this process: it was forked")
    assert "start the workers with 'spawn'" in said


@needs_fork
@pytest.mark.parametrize("act", ['key.sign(b"m")', 'anyio.run(key.asign, b"m")'])
@pytest.mark.parametrize("first", ["None", 'anyio.run(key.asign, b"m")'])
def test_key_that_was_opened_before_a_fork_is_refused_in_the_child(
    act: str, first: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    said = after_a_fork(cloud_kms, version, f"key = signer.key; {first}", f"lambda: {act}")

    assert said.startswith(f"the key {version} was opened before this process was forked")


@needs_fork
def test_connection_that_was_made_before_a_fork_is_refused_in_the_child(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    before = """
        from dfns_signers_gcp_kms.client import connect
        from dfns_signers_gcp_kms.options import GcpKmsConnection
        kms = connect(GcpKmsConnection(endpoint=argument["endpoint"]))
        read = lambda: kms.call("read", "get_public_key", {"name": argument["key_version"]})
        read()
    """

    said = after_a_fork(cloud_kms, version, before, "read")

    assert said.startswith("cannot use Google Cloud KMS in this process: it was forked")

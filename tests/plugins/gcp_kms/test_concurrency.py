"""One key in many threads, event loops and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import STRICT
from tests.plugins.gcp_kms.keys import verify


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


FORK = r"""
import os, sys
from dfns_signers import KeySigner
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import SigningKeyError
from dfns_signers_gcp_kms.key import GcpKmsKey

signer = KeySigner(lambda: open_key(load_profile("p", config=sys.argv[1])), "Y2kt")
def sign():
    return signer.sign({"challenge": "Y2gt"})["kind"]
def use_the_key():
    return len(key.sign(b"m"))
def open_with_another_client():
    GcpKmsKey("projects/p", client=None)
if sys.argv[2] == "used":
    key = signer.key
    sign()
child = os.fork()
try:
    said = f"child {eval(sys.argv[3])()}" if child == 0 else f"parent {sign()}"
except SigningKeyError as error:
    said = f"refused {error}"
os.write(1, f"{said}\n".encode())
if child:
    os.waitpid(child, 0)
os._exit(0)
"""


def fork(cloud_kms: CloudKmsEmulator, version: str, folder: Path, *arguments: str) -> list[str]:
    """What a process and its forked child print, in the order of their lines."""
    signer = f'backend = "gcp-kms"\nkey_version = "{version}"\nendpoint = "{cloud_kms.endpoint}"'
    config = folder / "config.toml"
    config.write_text(
        f'[profiles.p]\ncredential_id = "Y2kt"\n[profiles.p.signer]\n{signer}\n', encoding="utf-8"
    )
    program = [sys.executable, *STRICT, "-c", FORK, str(config), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    return sorted(done.stdout.splitlines())


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_configured_signer_that_was_not_used_before_a_fork_signs_in_both_processes(
    cloud_kms: CloudKmsEmulator, version: str, tmp_path: Path
) -> None:
    assert fork(cloud_kms, version, tmp_path, "unused", "sign") == ["child Key", "parent Key"]


@needs_fork
@pytest.mark.parametrize("what", ["sign", "open_with_another_client"])
def test_child_that_was_forked_after_a_key_was_used_is_refused_at_once(
    what: str, cloud_kms: CloudKmsEmulator, version: str, tmp_path: Path
) -> None:
    parent, child = fork(cloud_kms, version, tmp_path, "used", what)

    assert parent == "parent Key"
    assert child.startswith("refused cannot use Google Cloud KMS in this process: it was forked")
    assert "start the workers with 'spawn'" in child


@needs_fork
def test_key_that_was_opened_before_a_fork_is_refused_in_the_child(
    cloud_kms: CloudKmsEmulator, version: str, tmp_path: Path
) -> None:
    parent, child = fork(cloud_kms, version, tmp_path, "used", "use_the_key")

    assert parent == "parent Key"
    assert child.startswith(f"refused the key {version} was opened before this process was forked")

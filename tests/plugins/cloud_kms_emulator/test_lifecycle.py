"""Starting and stopping, in Python and on the command line."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import PermissionDenied, ServiceUnavailable
from google.cloud.kms_v1 import ProtectionLevel

import cloud_kms_emulator
from cloud_kms_emulator import CloudKmsEmulator, Fault
from cloud_kms_emulator.command_line import main
from dfns_signers_testkit.servers import free_port
from tests.plugins.cloud_kms_emulator.conftest import Client, plain_client, raw_call
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, seed

PROGRAM = [sys.executable, "-m", "cloud_kms_emulator"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_announces_itself_and_stops_at_a_signal(
    number: signal.Signals, tmp_path: Path
) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"method": "GetPublicKey", "status": "UNAVAILABLE"}]))
    arguments = [
        *("--listen", "127.0.0.1:0", "--faults", str(faults)),
        *("--key", f"{CRYPTO_KEY}=EC_SIGN_SECP256K1_SHA256:HSM"),
        *("--deny", f"cloudkms.cryptoKeyVersions.useToSign@{CRYPTO_KEY}"),
    ]

    with running(*arguments) as (process, settings):
        with plain_client(settings["target"]) as client:
            name = f"{CRYPTO_KEY}/cryptoKeyVersions/1"
            with pytest.raises(ServiceUnavailable):
                client.get_public_key(name=name, retry=None)
            level = client.get_public_key(name=name).protection_level
            with pytest.raises(PermissionDenied):
                client.asymmetric_sign(request={"name": name, "data": b"m"})
        process.send_signal(number)
        remainder, _ = process.communicate(timeout=30)

    assert settings["endpoint"] == f"http://{settings['target']}"
    assert level == ProtectionLevel.HSM
    assert remainder == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--listen", "0.0.0.0:0"], "no authentication"),
        (["--listen", "127.0.0.1"], "expected HOST:PORT"),
        (["--listen", "127.0.0.1:http"], "expected HOST:PORT"),
        (["--listen", "127.0.0.1:65536"], "expected HOST:PORT"),
        (["--key", f"{CRYPTO_KEY}=AES"], "has no AES keys"),
        (["--key", f"{CRYPTO_KEY}=EC_SIGN_SECP256K1_SHA256"], "not available at the protection"),
        (["--key", "key=EC_SIGN_ED25519"], "does not match"),
        (["--deny", "cloudkms.cryptoKeys.get"], "expected PERMISSION@RESOURCE"),
        (["--faults", "/nonexistent.json"], "nonexistent.json"),
    ],
)
def test_program_refuses_what_it_cannot_do(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    assert told in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_emulator_listens_on_loopback(host: str) -> None:
    with CloudKmsEmulator(host) as emulator, plain_client(emulator.target) as client:
        assert client.get_public_key(name=seed(emulator, "EC_SIGN_ED25519"))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", ""])
def test_emulator_listens_nowhere_else(host: str) -> None:
    with pytest.raises(ValueError, match="cannot listen on"):
        CloudKmsEmulator(host)


def test_port_that_is_taken_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(OSError, match="cannot listen on"):
            CloudKmsEmulator(port=taken.getsockname()[1]).start()


def test_stopped_emulator_frees_its_port_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    port = free_port()
    with CloudKmsEmulator(port=port) as emulator, plain_client(emulator.target) as client:
        client.get_public_key(name=seed(emulator, "EC_SIGN_ED25519"))

    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name.startswith("cloud-kms-emulator")]


def test_emulator_stops_at_once_while_a_call_is_delayed() -> None:
    with CloudKmsEmulator() as emulator, ThreadPoolExecutor(1) as pool:
        emulator.faults.add(Fault("GetPublicKey", delay=3600.0))
        under_way = pool.submit(raw_call, emulator.target, "GetPublicKey", b"")
        while not emulator.calls:
            assert not under_way.done()
        emulator.stop()

        assert isinstance(under_way.exception(), grpc.RpcError)


def test_emulator_starts_once() -> None:
    with CloudKmsEmulator() as emulator, pytest.raises(RuntimeError, match="was started before"):
        emulator.start()


def test_calls_are_recorded_without_tokens(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    client.get_public_key(name=version, metadata=[("authorization", "Bearer canary-3f9c2b")])

    (call,) = cloud_kms.calls
    assert (call.method, call.request.name) == ("GetPublicKey", version)
    assert call.metadata["authorization"] == "Bearer"
    assert call.metadata["x-goog-request-params"] == f"name={version}"


def test_emulator_knows_nothing_of_dfns() -> None:
    folder = Path(cloud_kms_emulator.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]

    assert sources
    assert [text for text in sources if "dfns" in text.lower()] == []


def test_package_is_marked_as_typed_and_has_one_console_script() -> None:
    scripts = distribution("cloud-kms-emulator").entry_points.select(group="console_scripts")

    assert (Path(cloud_kms_emulator.__file__).parent / "py.typed").exists()
    assert [script.name for script in scripts] == ["cloud-kms-emulator"]
    assert next(iter(scripts)).load() is main

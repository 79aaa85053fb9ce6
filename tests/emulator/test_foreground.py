from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from dfns_signers.emulator import Emulator, parse_listen, serve_forever
from dfns_signers.errors import ConfigurationError
from tests.core.processes import interruptible

PROGRAM = """
from dfns_signers.emulator import Emulator, serve_forever

serve_forever(Emulator(token="t"), lambda line: print(line, flush=True))
print("stopped")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_announces_itself_and_stops_at_a_signal(number: signal.Signals) -> None:
    with interruptible():
        process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        try:
            settings = json.loads(process.stdout.readline())
            headers = {"Authorization": f"Bearer {settings['auth_token']}"}
            response = httpx.get(f"{settings['url']}/wallets", headers=headers, trust_env=False)

            process.send_signal(number)
            remainder, _ = process.communicate(timeout=20)
        finally:
            process.kill()

    assert settings["auth_token"] == "t"
    assert response.status_code == 200
    assert remainder.strip() == b"stopped"
    assert process.returncode == 0


def test_signal_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    lines = []

    def announce(line: str) -> None:
        lines.append(line)
        signal.raise_signal(signal.SIGTERM)

    serve_forever(Emulator(), announce)

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert len(lines) == 1
    assert "\n" not in lines[0]


def test_emulator_is_stopped_when_the_announcement_fails() -> None:
    emulator = Emulator()

    def announce(_line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        serve_forever(emulator, announce)

    with pytest.raises(httpx.ConnectError):
        httpx.get(emulator.url, trust_env=False)
    assert not [thread for thread in threading.enumerate() if thread.name == "dfns-emulator"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("localhost:8080", ("localhost", 8080)),
        ("[::1]:65535", ("::1", 65_535)),
    ],
)
def test_listen_address_is_split(text: str, expected: tuple[str, int]) -> None:
    assert parse_listen(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        ":8080",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:\u0661",
        "::1:8080",
        "[::1]",
        "[]:1",
        "http://127.0.0.1:80",
        "127.0.0.1:80/",
        "local host:80",
        "127.0.0.1:80\n",
    ],
)
def test_listen_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="expected HOST:PORT"):
        parse_listen(text)

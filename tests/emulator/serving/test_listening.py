from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import httpx
import pytest

from dfns_signers.emulator import Emulator, parse_listen, serve_forever
from dfns_signers.errors import ConfigurationError


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal that fails the test if nobody handles it, in place of ending the run."""
    previous = signal.signal(request.param, unhandled)
    yield request.param
    signal.signal(request.param, previous)


def unhandled(number: int, _frame: FrameType | None) -> None:
    pytest.fail(f"{signal.Signals(number).name} was not handled")


def test_emulator_is_announced_in_a_line_and_runs_until_a_signal(number: int) -> None:
    emulator = Emulator()
    lines = []

    def announce(line: str) -> None:
        lines.append(line)
        assert get(emulator).status_code == 200
        signal.raise_signal(number)

    serve_forever(emulator, announce)

    assert [json.loads(line) for line in lines] == [emulator.settings]
    assert "\n" not in lines[0]
    with pytest.raises(httpx.ConnectError):
        get(emulator)
    assert signal.getsignal(number) is unhandled


def get(emulator: Emulator) -> httpx.Response:
    headers = {"Authorization": f"Bearer {emulator.auth_token}"}
    return httpx.get(f"{emulator.url}/wallets", headers=headers, trust_env=False)


def test_emulator_is_stopped_when_the_announcement_fails() -> None:
    emulator = Emulator()

    def announce(_line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        serve_forever(emulator, announce)

    with pytest.raises(httpx.ConnectError):
        get(emulator)
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
def test_listen_address_that_is_not_valid_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="expected HOST:PORT"):
        parse_listen(text)

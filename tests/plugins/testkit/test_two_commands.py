"""From a fresh clone to a signed call on each local server: ``make``, and what it prints."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.cli.support import Started
from tests.plugins.testkit.served import Served, pasted
from tests.support.makefile import recipe

SERVERS = {
    "LocalStack": ("localstack", "local-es256"),
    "MiniStack": ("localstack", "local-ed25519", "--ministack"),
    "OpenBao": ("openbao", "local-openbao-ed25519"),
    "Cloud KMS emulator": ("gcp-emulator", "local-gcp-ed25519"),
}


@pytest.fixture(params=SERVERS)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    target, _, *arguments = SERVERS[request.param]
    with Served(tmp_path, target, *arguments) as running:
        yield running


def test_second_command_makes_a_signed_call_as_it_is_printed(
    served: Served, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    profile = SERVERS[request.node.callspec.params["served"]][1]

    done = pasted(served.call, tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["network"] == "EthereumSepolia"
    assert f"--profile {profile} " in served.call
    assert stat.S_IMODE(served.config.stat().st_mode) == 0o600
    assert served.config.read_bytes() == served.printed.read_bytes()


# LocalStack is stopped as MiniStack is, and takes its time to start.
@pytest.mark.parametrize(
    "served", [name for name in SERVERS if name != "LocalStack"], indirect=True
)
def test_nothing_is_left_after_ctrl_c(served: Served) -> None:
    assert served.interrupted() == 0

    assert not served.config.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", served.port)) != 0


def test_server_takes_a_free_port_where_its_usual_one_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else has it: it is taken as well
            taken.bind(("127.0.0.1", 8085))
            taken.listen()
        with Served(tmp_path, "gcp-emulator", usual=True) as served:
            done = pasted(served.call, tmp_path)

    assert done.returncode == 0, done.stderr


def test_second_command_of_the_local_api_makes_a_signed_call(tmp_path: Path) -> None:
    arguments = recipe("emulator", "--listen", "127.0.0.1:0")[1:]
    with Started(*arguments, HOME=str(tmp_path), XDG_CONFIG_HOME="") as emulator:
        emulator.line()
        call = ""
        while " request " not in call:
            call = emulator.note().decode()
            assert call

        done = pasted(call, tmp_path)
        stopped, _, _ = emulator.stop(signal.SIGINT)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["network"] == "EthereumSepolia"
    assert stopped == 0

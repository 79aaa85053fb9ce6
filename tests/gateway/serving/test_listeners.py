"""Where callers connect: who may, and what is in the way."""

from __future__ import annotations

import fcntl
import grp
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ListeningError, SigningKeyError
from dfns_signers.gateway.configuration.addresses import parse_listen
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.serving.listeners import open_listener
from dfns_signers.gateway.serving.server import run_gateway
from dfns_signers.gateway.serving.unix_sockets import node_of
from tests.gateway.running import LISTEN, PAYMENTS, TOKEN, configuration, running_gateway, served

WALLET = {"network": "EthereumSepolia"}
NOBODY = 65_534


def by_uid(uid: int) -> str:
    """A caller who is known by the user id of its process, and has no token."""
    return f"""
[gateway.callers.local]
unix = {{ uid = [{uid}] }}

[[gateway.callers.local.allow]]
name = "wallets"
call = "POST /wallets"
"""


def create_wallet(path: Path) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=os.fspath(path))
    with httpx.Client(transport=transport, base_url="http://localhost") as caller:
        return caller.post("/wallets", json=WALLET)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user of this machine can look into."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# Unix sockets


def test_user_who_connects_to_the_socket_is_known_without_a_token(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with running_gateway(tmp_path, f'listen = ["unix:{path}"]{by_uid(os.getuid())}') as gateway:
        assert gateway.urls == [f"unix:{path}"]
        assert create_wallet(path).status_code == 200


def test_user_whom_no_caller_is_of_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with running_gateway(tmp_path, f'listen = ["unix:{path}"]{by_uid(os.getuid() + 1)}'):
        assert create_wallet(path).status_code == 401


def test_another_local_user_cannot_connect(shared_folder: Path, tmp_path: Path) -> None:
    path = shared_folder / "api.sock"
    with running_gateway(tmp_path, f'listen = ["unix:{path}"]{by_uid(os.getuid())}'):
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        # Only root can become another user; for others, the mode says the same.
        if os.geteuid() == 0:
            assert connected_as(NOBODY, path) == "PermissionError"


def connected_as(uid: int, path: Path) -> str:
    """What comes of a connection by another user: the name of an error, or ``connected``."""
    program = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[2])
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(uid), path], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_socket_is_given_to_a_group(tmp_path: Path) -> None:
    path, group = tmp_path / "api.sock", grp.getgrgid(os.getgid()).gr_name
    listening = f'listen = ["unix:{path}?mode=0660&group={group}"]'
    with running_gateway(tmp_path, listening + by_uid(os.getuid())):
        status = path.lstat()
        assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o660, os.getgid())


def test_socket_of_a_process_that_has_ended_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as ended:
        ended.bind(os.fspath(path))

    listener = open_listener(parse_listen(f"unix:{path}"))

    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect(os.fspath(path))
    listener.close()
    assert not path.exists()


def test_socket_that_another_process_listens_at_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(os.fspath(path))
        other.listen()

        with pytest.raises(ListeningError, match=r"api\.sock: another process listens there"):
            open_listener(parse_listen(f"unix:{path}"))

        with socket.socket(socket.AF_UNIX) as connected:
            connected.connect(os.fspath(path))


def test_gateways_that_start_together_do_not_take_the_same_path(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as ended:
        ended.bind(os.fspath(path))
    with socket.socket(socket.AF_UNIX) as other, ThreadPoolExecutor(1) as gateway:
        with locked(tmp_path):  # as by another gateway that is about to bind
            opened = gateway.submit(open_listener, parse_listen(f"unix:{path}"))
            assert wait([opened], timeout=0.5).not_done
            path.unlink()
            other.bind(os.fspath(path))
            other.listen()

        with pytest.raises(ListeningError, match="another process listens there"):
            opened.result()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def test_socket_that_took_the_place_of_ours_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    listener = open_listener(parse_listen(f"unix:{path}"))
    path.rename(tmp_path / "former.sock")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(os.fspath(path))

        listener.close()

        assert path.is_socket()


def test_socket_listens_until_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "api.sock"
    listener = open_listener(parse_listen(f"unix:{path}"))
    remove = Path.unlink

    def removing(of: Path) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.fspath(of))
        remove(of)

    monkeypatch.setattr(Path, "unlink", removing)

    listener.close()

    assert not path.exists()


def test_listener_that_is_closed_again_leaves_the_next_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    ended = open_listener(parse_listen(f"unix:{path}"))
    ended.close()
    with closing(open_listener(parse_listen(f"unix:{path}"))):
        # As on a file system that gives the inode of the former socket to the next one.
        replace(ended, node=node_of(path)).close()

        assert path.is_socket()


def test_what_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    path.write_text("precious")

    with pytest.raises(ListeningError, match="something that is not a socket"):
        open_listener(parse_listen(f"unix:{path}"))

    assert path.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_folder_where_others_could_replace_the_socket_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(mode)

    with pytest.raises(ListeningError, match=f"run: chmod go-w {folder}"):
        open_listener(parse_listen(f"unix:{folder}/api.sock"))

    assert list(folder.iterdir()) == []


def test_group_that_does_not_exist_is_an_error_and_leaves_no_socket(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"

    with pytest.raises(ListeningError, match="there is no group 'no-such-group'"):
        open_listener(parse_listen(f"unix:{path}?mode=0660&group=no-such-group"))

    assert not path.exists()


def test_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ListeningError, match=r"cannot listen on unix:.*api\.sock: No such file or directory: make"
    ):
        open_listener(parse_listen(f"unix:{tmp_path}/none/api.sock"))


def test_unix_socket_is_refused_where_the_system_does_not_say_who_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "SO_PEERCRED")

    with pytest.raises(ListeningError, match="on Linux only"):
        open_listener(parse_listen(f"unix:{tmp_path}/api.sock"))


# TCP


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_listener_is_reached_by_the_host_of_its_address(tmp_path: Path, host: str) -> None:
    with running_gateway(tmp_path, f'listen = ["{host}:0"]{PAYMENTS}') as gateway:
        assert gateway.urls[0].startswith(f"http://{host}:")
        with gateway.client() as caller:
            assert caller.post("/wallets", json=WALLET).status_code == 200


@pytest.mark.parametrize(
    ("listening", "host"),
    [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1"), ("[::1]", "localhost")],
)
def test_listener_of_this_machine_is_reached_by_its_other_name(
    tmp_path: Path, listening: str, host: str
) -> None:
    with running_gateway(tmp_path, f'listen = ["{listening}:0"]{PAYMENTS}') as gateway:
        port = urlsplit(gateway.urls[0]).port
        with gateway.client() as caller:
            answers = [
                caller.post("/wallets", json=WALLET, headers={"Host": name})
                for name in (f"{host}:{port}", f"evil.example:{port}")
            ]

    assert [answer.status_code for answer in answers] == [200, 421]


def test_listener_without_a_token_or_a_user_knows_nobody(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    listening = f'listen = ["127.0.0.1:0", "unix:{path}"]{PAYMENTS}{by_uid(os.getuid())}'
    with running_gateway(tmp_path, listening) as gateway:
        assert httpx.get(f"{gateway.urls[0]}/wallets", trust_env=False).status_code == 401


@pytest.mark.parametrize("name", ["127.0.0.1", "[::1]"])
def test_port_in_use_is_an_error_that_names_the_address(name: str) -> None:
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    with socket.socket(family) as other:
        other.bind((name.strip("[]"), 0))
        other.listen()
        text = f"{name}:{other.getsockname()[1]}"

        with pytest.raises(ListeningError) as refused:
            open_listener(parse_listen(text))

    assert str(refused.value) == (
        f"the gateway cannot listen on {text}: Address already in use: stop what listens there, or "
        "change the address in [gateway]"
    )


# All together


def test_nothing_listens_where_one_address_cannot_be_had(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        listening = f'listen = ["unix:{path}", "{taken}"]{PAYMENTS}'

        with (
            pytest.raises(ListeningError, match=f"cannot listen on {taken}"),
            running_gateway(tmp_path, listening),
        ):
            pytest.fail("the gateway serves")

    assert not path.exists()


def test_nothing_listens_before_the_key_is_open(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with Emulator() as emulator:
        file = configuration(tmp_path, emulator, f'listen = ["unix:{path}"]{PAYMENTS}')
        (tmp_path / "key.pem").unlink()

        with pytest.raises(SigningKeyError, match=r"key\.pem"), served(file):
            pytest.fail("the gateway serves")

    assert not path.exists()


def test_every_listener_accepts_once_the_gateway_is_ready(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    listening = f'listen = ["127.0.0.1:0", "unix:{path}", "localhost:0"]{PAYMENTS}'
    with running_gateway(tmp_path, listening) as gateway:
        statuses = [
            httpx.post(
                f"{url}/wallets",
                json=WALLET,
                headers={"Authorization": f"Bearer {TOKEN}"},
                trust_env=False,
            ).status_code
            for url in gateway.urls
            if not url.startswith("unix:")
        ]

    assert len(gateway.urls) == 3
    assert statuses == [200, 200]


def test_gateway_does_not_start_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Emulator() as emulator:
        gateway = load_gateway(config=configuration(tmp_path, emulator, LISTEN + PAYMENTS))
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(ListeningError, match="does not run on Windows; run it on Linux"):
        run_gateway(gateway, lambda _urls: pytest.fail("it serves"))

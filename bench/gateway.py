"""Calls through a gateway beside the same calls without one, and what one process carries."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import dfns_sdk
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.fakes import dfns_api
from bench.fakes.dfns_api import DfnsApi
from bench.measuring import Effort, Samples, Spread, in_turns
from bench.table import Goal, Row
from dfns_signers import DfnsClient, KeySigner, PemKey
from dfns_signers.public_keys import public_key_pem

_LATENCY: Final = 0.03  # seconds of the API for an answer
_CREDENTIAL: Final = "cr-bench"
_CALLERS: Final = 16
_WALLET: Final = {"network": "EthereumSepolia", "name": "bench"}
_MAY_BE_SENT: Final = 1000 / 60 / 3  # signed calls in a second: Dfns takes 1,000 requests a minute
_KEY: Final = Ed25519PrivateKey.generate()
_PEM: Final = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
_PROGRAM: Final = "from dfns_signers.cli import main; main()"

_PROFILE: Final = """
[profiles.bench]
base_url = "{api}"
auth_token = "{token}"
credential_id = "cr-bench"
signer = {{ backend = "pem", path = "key.pem" }}
{audit}

[gateway]
profile = "bench"
listen = ["127.0.0.1:0", "unix:{folder}/gateway.sock"]
organisation_rate = "1000000/minute"
"""
_CALLER: Final = """
[gateway.callers.{name}]
token_sha256 = ["{digest}"]
{credential}
allow = [
  {{ name = "wallets", call = "POST /wallets", members = ["network", "name"] }},
  {{ name = "look", call = "GET /wallets" }},
]
"""


@dataclass(frozen=True)
class _Gateway:
    """A gateway in a process of its own.

    Attributes:
        url: of its TCP listener.
        socket: path of its unix socket.
        pid: of its process.
        start: seconds of processor time until it was ready.
    """

    url: str
    socket: str
    pid: int
    start: float

    def resident(self) -> int:
        """Bytes that are resident; Linux only."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def cpu(self) -> float:
        """Seconds of processor time, user and system; Linux only."""
        return _cpu(self.pid)


def rows(effort: Effort) -> Iterator[Row]:
    """Every row of this area."""
    with (
        dfns_api.running(latency=_LATENCY) as api,
        _running(api) as gateway,
        _running(api, audited=True) as audited,
    ):
        yield from _beside_direct(api, gateway, audited, effort)
    for is_audited in (False, True):
        with dfns_api.running() as api, _running(api, audited=is_audited) as gateway:
            yield from _carried(gateway, ", audited" if is_audited else "", effort)
    yield _started(effort)


def _beside_direct(
    api: DfnsApi, gateway: _Gateway, audited: _Gateway, effort: Effort
) -> Iterator[Row]:
    rounds, calls = effort.of(20), 5
    how = f"{rounds} rounds of {calls} calls, Ed25519 in a PEM, the API answers after 30 ms"
    with ExitStack() as stack:
        subjects = _subjects(api, gateway, audited, stack)
        samples = in_turns(subjects, rounds=rounds, calls=calls, clock=time.perf_counter)
    for what, direct in (
        ("plain write, TCP", "write"),
        ("plain write, TCP, audited", "write"),
        ("plain write, unix socket", "write"),
        ("write of the official SDK", "write of the official SDK, direct"),
        ("read, TCP", "read"),
        ("read, TCP, audited", "read"),
        ("read, unix socket", "read"),
    ):
        yield Row(
            f"gateway, {what}",
            samples.speed(direct, beside=what),
            "of the time without it",
            how,
            goal=Goal(at_most=1.15),
        )
        yield _time(what, direct, samples, how)


def _time(what: str, direct: str, samples: Samples, how: str) -> Row:
    beside = {"without it": samples.of(direct, factor=1e3)}
    return Row(f"gateway, {what}, time", samples.of(what, factor=1e3), "ms", how, beside)


def _subjects(
    api: DfnsApi, gateway: _Gateway, audited: _Gateway, stack: ExitStack
) -> dict[str, Callable[[], object]]:
    signer = KeySigner(PemKey.from_pem(_PEM), _CREDENTIAL)
    ours = stack.enter_context(DfnsClient("token", signer, base_url=api.http))
    tcp = stack.enter_context(_plain(gateway.url))
    unix = stack.enter_context(_plain("http://localhost", gateway.socket))
    trail = stack.enter_context(_plain(audited.url))
    through, direct = _official(gateway.url, stack), _official(api.http, stack)
    return {
        "write": lambda: ours.post("/wallets", json=_WALLET),
        "plain write, TCP": lambda: _done(tcp.post("/wallets", json=_WALLET)),
        "plain write, TCP, audited": lambda: _done(trail.post("/wallets", json=_WALLET)),
        "plain write, unix socket": lambda: _done(unix.post("/wallets", json=_WALLET)),
        "write of the official SDK": lambda: through.wallets.create_wallet(_WALLET),  # type: ignore[arg-type]
        "write of the official SDK, direct": lambda: direct.wallets.create_wallet(_WALLET),  # type: ignore[arg-type]
        "read": lambda: ours.get("/wallets"),
        "read, TCP": lambda: _done(tcp.get("/wallets")),
        "read, TCP, audited": lambda: _done(trail.get("/wallets")),
        "read, unix socket": lambda: _done(unix.get("/wallets")),
    }


def _plain(url: str, socket: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {_token('caller-0')}"}
    transport = httpx.HTTPTransport(uds=socket, trust_env=False)
    return httpx.Client(base_url=url, headers=headers, transport=transport)


def _official(url: str, stack: ExitStack) -> dfns_sdk.DfnsClient:
    config = dfns_sdk.DfnsClientConfig(
        auth_token=_token("sdk"),
        base_url=url,
        signer=dfns_sdk.KeySigner(credential_id=_CREDENTIAL, private_key=_PEM.decode()),
    )
    client = dfns_sdk.DfnsClient(config)
    stack.callback(client.close)
    return client


def _done(answer: httpx.Response) -> None:
    answer.raise_for_status()


def _carried(gateway: _Gateway, kind: str, effort: Effort) -> Iterator[Row]:
    rounds, calls = effort.of(8), 25
    how = f"{rounds} rounds of {calls} calls of each of {_CALLERS} callers, Ed25519 in a PEM"
    speeds, cpu = [], []
    for number in range(-1, rounds):
        cpu_before, begin = gateway.cpu(), time.perf_counter()
        with ThreadPoolExecutor(_CALLERS) as threads:
            list(threads.map(lambda n: _writes(gateway, f"caller-{n}", calls), range(_CALLERS)))
        if number >= 0:
            speeds.append(_CALLERS * calls / (time.perf_counter() - begin))
            cpu.append((gateway.cpu() - cpu_before) / (_CALLERS * calls))
    yield Row(
        f"gateway, plain writes of {_CALLERS} callers at once{kind}",
        Spread.of(speeds),
        "/s",
        how,
        {"what Dfns takes": Spread.of([_MAY_BE_SENT])},
        Goal(at_least=10 * _MAY_BE_SENT),
    )
    what = f"gateway, plain write{kind}, processor time"
    yield Row(what, Spread.of(cpu).times(1e3), "ms CPU", how)
    yield Row(
        f"gateway, memory{kind}",
        Spread.of([gateway.resident() / 1e6]),
        "MB",
        f"after {(rounds + 1) * _CALLERS * calls:,} calls",
        goal=Goal(at_most=100),
    )


def _writes(gateway: _Gateway, name: str, calls: int) -> None:
    address = urlsplit(gateway.url)
    body = json.dumps(_WALLET)
    headers = {"Authorization": f"Bearer {_token(name)}", "Content-Type": "application/json"}
    connection = HTTPConnection(str(address.hostname), address.port)
    for _ in range(calls):
        connection.request("POST", "/wallets", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:  # noqa: PLR2004
            raise RuntimeError(f"the gateway answered {answer.status}: {content!r}")
    connection.close()


def _started(effort: Effort) -> Row:
    rounds = effort.of(10)
    starts = []
    with dfns_api.running() as api:
        for number in range(-1, rounds):
            with _running(api) as gateway:
                if number >= 0:
                    starts.append(gateway.start)
    how = f"{rounds} starts, until it is ready"
    return Row("gateway, start", Spread.of(starts), "s CPU", how, goal=Goal(at_most=1.5))


@contextmanager
def _running(api: DfnsApi, *, audited: bool = False) -> Iterator[_Gateway]:
    with tempfile.TemporaryDirectory() as name:
        file, log = _configured(Path(name), api, audited=audited), Path(name, "log")
        command = [sys.executable, "-c", _PROGRAM, "gateway", "--config", str(file)]
        # Into a file, where a line for each request has room.
        with log.open("w") as lines, subprocess.Popen(command, stderr=lines) as process:  # noqa: S603
            try:
                tcp, unix = _ready(process, log).split(", ")
                address = unix.removeprefix("unix:")
                yield _Gateway(tcp, address, process.pid, _cpu(process.pid))
            finally:
                process.terminate()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where a gateway listens, once it does."""
    while (found := re.search(r"^ready: (.*)\n", log.read_text(), re.MULTILINE)) is None:
        if process.poll() is not None:
            raise RuntimeError(f"the gateway did not start: {log.read_text()}")
        time.sleep(0.01)  # only its log says that it is ready
    return found[1]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _configured(folder: Path, api: DfnsApi, *, audited: bool) -> Path:
    (folder / "key.pem").write_bytes(_PEM)
    (folder / "sdk.pub").write_text(public_key_pem(_KEY.public_key()))
    audit = f'audit = {{ file = "{folder}/audit.jsonl" }}' if audited else ""
    profile = _PROFILE.format(api=api.http, token="t" * 300, folder=folder, audit=audit)
    callers = [_caller(f"caller-{number}") for number in range(_CALLERS)]
    sdk = _caller("sdk", f'credential = {{ id = "{_CREDENTIAL}", public_key = "sdk.pub" }}')
    file = folder / "config.toml"
    file.write_text("\n".join([profile, *callers, sdk]))
    for private in (folder / "key.pem", file):
        private.chmod(0o600)
    return file


def _caller(name: str, credential: str = "") -> str:
    digest = sha256(_token(name).encode()).hexdigest()
    return _CALLER.format(name=name, digest=digest, credential=credential)


def _token(name: str) -> str:
    return f"token-of-{name}"

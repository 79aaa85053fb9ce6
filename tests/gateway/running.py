"""A gateway before a local Dfns API, in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx

from dfns_signers.emulator import Emulator
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.server import serve
from tests.core.keys import private_key, private_pem, public_pem

KEY = private_key("Ed25519")
TOKEN = "token-of-the-caller"
UPSTREAM_TOKEN = "upstream-token-7f3a91"
DIGEST = sha256(TOKEN.encode()).hexdigest()
USUAL = Bounds()
LISTEN = 'listen = ["127.0.0.1:0"]'
PAYMENTS = f"""
[gateway.callers.payments]
token_sha256 = ["{DIGEST}"]

[[gateway.callers.payments.allow]]
name = "wallets"
call = "POST /wallets"
"""

READER = f"""
[gateway.callers.reader]
token_sha256 = ["{DIGEST}"]
reads = true
"""


@dataclass(frozen=True)
class RunningGateway:
    """A gateway that serves.

    Attributes:
        urls: of its listeners, in the order of ``listen``.
        emulator: the API behind it, which accepts only the token and credential of the gateway.
    """

    urls: Sequence[str]
    emulator: Emulator

    def client(self, token: str = TOKEN) -> httpx.Client:
        """A plain client of the first listener, as a program in any language is."""
        return client_of(self.urls[0], token)


def client_of(url: str, token: str = TOKEN) -> httpx.Client:
    """A plain client of a listener."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30)


def configuration(
    folder: Path,
    emulator: Emulator,
    gateway: str,
    profile: str = "",
    token: str = f'"{UPSTREAM_TOKEN}"',
) -> Path:
    """A file with a profile ``production`` for the emulator, its key beside it, and a gateway.

    Args:
        folder: where files go.
        emulator: accepts what the profile has.
        gateway: what is said in and below ``[gateway]``, in TOML.
        profile: further settings of the profile, in TOML.
        token: its ``auth_token``, in TOML.
    """
    emulator.add_identity(
        "gateway", token=UPSTREAM_TOKEN, credentials={"cr-1": public_pem(KEY.public_key())}
    )
    return configuration_for(emulator.url, folder, gateway, profile, token)


def configuration_for(
    base_url: str,
    folder: Path,
    gateway: str,
    profile: str = "",
    token: str = f'"{UPSTREAM_TOKEN}"',
) -> Path:
    """The same for any server; the rest as for ``configuration``."""
    key = folder / "key.pem"
    key.write_bytes(private_pem(KEY))
    key.chmod(0o600)
    # Tests of other things send more than an organisation may.
    rate = "" if "organisation_rate" in gateway else 'organisation_rate = "1000000/minute"\n'
    file = folder / "config.toml"
    file.write_text(
        f"""
[profiles.production]
base_url = "{base_url}"
auth_token = {token}
credential_id = "cr-1"
# The counters of this process and of a store go on, and a server may get the port of another one.
rate_limit_name = "{folder}"
{profile}

[profiles.production.signer]
backend = "pem"
path = "{key}"

[gateway]
profile = "production"
{rate}{gateway}
"""
    )
    file.chmod(0o600)
    return file


@contextmanager
def running_gateway(
    folder: Path,
    gateway: str = LISTEN + PAYMENTS,
    profile: str = "",
    bounds: Bounds = USUAL,
) -> Iterator[RunningGateway]:
    """A gateway, with an emulator of its own; arguments as for ``configuration``."""
    with Emulator(exact_payloads=True) as emulator:
        file = configuration(folder, emulator, gateway, profile)
        with served(file, bounds) as urls:
            yield RunningGateway(urls, emulator)


@contextmanager
def gateway_before(
    base_url: str, folder: Path, gateway: str = LISTEN + PAYMENTS, profile: str = ""
) -> Iterator[httpx.Client]:
    """A plain client of a gateway before any server; arguments as for ``configuration_for``."""
    with (
        served(configuration_for(base_url, folder, gateway, profile)) as urls,
        client_of(urls[0]) as caller,
    ):
        yield caller


@contextmanager
def served(file: Path, bounds: Bounds = USUAL) -> Iterator[Sequence[str]]:
    """The URLs of the gateway of a configuration file, served by a thread."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    ready = threading.Event()
    urls: list[str] = []

    def is_ready(of: Sequence[str]) -> None:
        urls.extend(of)
        ready.set()

    def run() -> None:
        try:
            gateway = load_gateway(config=file)
            loop.run_until_complete(serve(gateway, is_ready, stop, bounds=bounds))
        except BaseException as error:  # noqa: BLE001  # raised again by who serves
            failures.append(error)
        finally:
            loop.close()
            ready.set()

    failures: list[BaseException] = []
    thread = threading.Thread(target=run, name="gateway")
    thread.start()
    try:
        assert ready.wait(30), "the gateway does not get ready"
        if failures:
            raise failures[0]
        yield urls
    finally:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive(), "the gateway does not stop"
    if failures:
        raise failures[0]

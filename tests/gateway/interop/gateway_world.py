"""Gateways before an emulator that each test has for its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from dfns_signers.encodings import base64url_encode
from dfns_signers.operations import Operation
from tests.core.client.scripted import Reply, ScriptedApi, Seen
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.emulator.caller import Caller, compact
from tests.gateway.interop.permissive_rules import every_operation
from tests.gateway.running import LISTEN, served
from tests.interop.official_world import PRIVATE_PEM, Who, World, official_world
from tests.support.relay import passed_on

ORG_ID: Final = "or-gateway"
TOKEN: Final = ".".join(  # as `gateway caller add` makes them, for the SDK for TypeScript reads it
    base64url_encode(part)
    for part in (
        b'{"alg":"none"}',
        compact({"https://custom/app_metadata": {"orgId": ORG_ID}}),
        b"token of the caller",
    )
)
CREDENTIAL: Final = "local-sdk"
CALLER_PEM: Final = private_pem(private_key("ES256")).decode()
"""What the official SDKs sign with; the gateway signs with another key."""


class HasOperation(Protocol):
    """A method of any SDK."""

    @property
    def operation(self) -> Operation: ...


def is_of_the_gateway(method: HasOperation) -> bool:
    """Whether the gateway answers itself: it gives the challenges and user actions."""
    return str(method.operation).startswith("POST /auth/action")


def has_another_token(method: HasOperation) -> bool:
    """Whether it is the end of a registration or recovery, with a token of its own."""
    return str(method.operation) in {
        "POST /auth/registration",
        "POST /auth/registration/enduser",
        "POST /auth/recover/user",
    }


def has_csv(method: HasOperation) -> bool:
    return str(method.operation) == "GET /auth/action/logs"


def exchanges_the_token(method: HasOperation) -> bool:
    """Whether it gives another token for that of the gateway."""
    return str(method.operation) == "POST /auth/tokens"


def is_of_the_api(method: HasOperation) -> bool:
    """Whether the answer of the API is passed on as it is."""
    special = (is_of_the_gateway, has_another_token, has_csv, exchanges_the_token)
    return not any(is_so(method) for is_so in special)


class Api(ScriptedApi):
    """Passes requests on to the emulator of a test, and keeps what it answered last."""

    def __init__(self) -> None:
        super().__init__()
        self.emulator = ""
        self.answered = Reply()

    def reply(self, seen: Seen) -> Reply:
        self.answered = passed_on(seen, self.emulator)
        return self.answered


@dataclass(frozen=True)
class Gateways:
    """A gateway for each identity of a world; they serve for a whole module.

    Attributes:
        api: what they send requests to.
        folder: has the token of each identity.
        user: URL of the gateway of the user.
        account: URL of that of the service account.
    """

    api: Api
    folder: Path
    user: str
    account: str

    @contextmanager
    def world(self) -> Iterator[GatewayWorld]:
        """A world of its own, whose API compares payloads byte for byte."""
        with official_world() as world:
            world.emulator.exact_payloads = True
            account = world.application.account
            _write(self.folder / "user.token", world.caller.token)
            _write(self.folder / "account.token", account.token)
            self.api.emulator = world.emulator.url
            yield GatewayWorld(world, self)


@dataclass(frozen=True)
class GatewayWorld:
    """A world, and the gateways before it."""

    world: World
    gateways: Gateways

    def url(self, operation: Operation) -> str:
        """The gateway whose identity calls an operation."""
        is_for_user = self.world.who(operation).token == self.world.caller.token
        return self.gateways.user if is_for_user else self.gateways.account

    def by_hand(self, operation: Operation) -> Caller:
        """The caller of the gateway, which takes each step when a test says so."""
        return Caller(self.url(operation), TOKEN, CREDENTIAL, private_key("ES256"))

    @property
    def answered(self) -> Any:
        """What the API answered last."""
        return json.loads(self.gateways.api.answered.content)


SDK: Final = Who(TOKEN, CREDENTIAL)
"""What an official SDK is given for a gateway."""


@contextmanager
def gateways(folder: Path) -> Iterator[Gateways]:
    """Gateways that allow every operation to a caller that signs."""
    (folder / "caller.pub").write_bytes(public_pem(public_key("ES256")))
    _write(folder / "key.pem", PRIVATE_PEM)
    with ExitStack() as stack:
        api = stack.enter_context(Api())
        urls = [
            stack.enter_context(served(_configuration(folder, api.url, identity, credential)))[0]
            for identity, credential in (("user", "cr-1"), ("account", "cr-2"))
        ]
        yield Gateways(api, folder, *urls)


def _configuration(folder: Path, url: str, identity: str, credential: str) -> Path:
    _write(folder / f"{identity}.token", "later")
    file = folder / f"{identity}.toml"
    _write(
        file,
        f"""
[profiles.production]
base_url = "{url}"
auth_token = {{ file = "{identity}.token" }}
credential_id = "{credential}"

[profiles.production.signer]
backend = "pem"
path = "key.pem"

[gateway]
profile = "production"
organisation_rate = "1000000/minute"
{LISTEN}

[gateway.callers.sdk]
token_sha256 = ["{sha256(TOKEN.encode()).hexdigest()}"]
credential = {{ id = "{CREDENTIAL}", public_key = "caller.pub" }}
"""
        + every_operation("sdk"),
    )
    return file


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)
    # A token file that has just been written is waited for, lest half of it is read.
    os.utime(file, (0, 0))

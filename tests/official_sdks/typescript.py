"""The official SDK for TypeScript, in a process of Node.js."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dfns_signers.operations import Operation, find_operation
from tests.interop.official_requests import UPLOAD, Request
from tests.interop.official_world import PRIVATE_PEM, World

DRIVER = Path(__file__).with_name("typescript.js")
MODULES = Path(".local/official-sdks/node_modules").resolve()


class TypeScriptError(Exception):
    """An exception of the SDK.

    Attributes:
        name: of its class.
        context: what the SDK keeps of the answer.
    """

    def __init__(self, name: str, message: str, context: Any) -> None:
        super().__init__(f"{name}: {message} {context}")
        self.name = name
        self.context = context


@dataclass(frozen=True)
class Method:
    """A method of a client of the SDK, some of which have two names.

    Attributes:
        client: ``direct`` or ``delegated``.
    """

    client: str
    group: str
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.client}-{self.group}.{self.name}"


@dataclass(frozen=True)
class Place:
    """Where the SDK calls.

    Attributes:
        org_id: that its token must be of.
        private_pem: what it signs with.
    """

    url: str
    org_id: str
    private_pem: str = PRIVATE_PEM


class TypeScriptSdk:
    """Both clients of the SDK, made for each call."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def methods(self) -> list[Method]:
        """Every method of both clients."""
        return [*self._methods("direct"), *self._methods("delegated")]

    def call(self, world: World, method: Method, request: Request) -> Any:
        """What a method answers.

        Raises:
            TypeScriptError: it throws.
        """
        return self.call_at(Place(world.emulator.url, world.emulator.org_id), method, request)

    def call_at(self, place: Place, method: Method, request: Request) -> Any:
        """``call``, at another place than the emulator of a world."""
        settings = {
            "baseUrl": place.url,
            "authToken": request.who.token,
            "orgId": place.org_id,
            "credId": request.who.credential_id,
            "privateKey": place.private_pem,
        }
        parameters = {name: unquote(value) for name, value in request.parameters.items()}
        reply = self._ask(
            {
                "settings": settings,
                "client": method.client,
                "group": method.group,
                "name": method.name,
                "arguments": [
                    {**parameters, "body": request.body, "query": request.query},
                    *([UPLOAD.decode()] if method.operation.multipart else []),
                ],
            }
        )
        if "error" in reply:
            error = reply["error"]
            raise TypeScriptError(error["name"], error["message"], error.get("context"))
        return reply["answer"]

    def _methods(self, client: str) -> Iterator[Method]:
        for one in self._ask({"client": client}):
            operation = find_operation(one["method"], one["path"])
            assert operation, f"the table has no {one['method']} {one['path']}"
            yield Method(client, one["group"], one["name"], operation)

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def typescript_sdk(**variables: str) -> Iterator[TypeScriptSdk]:
    """A running SDK; ``variables`` of its environment."""
    environment = {**os.environ, "NODE_PATH": str(MODULES), **variables}
    with subprocess.Popen(
        ["node", DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    ) as process:
        yield TypeScriptSdk(process)

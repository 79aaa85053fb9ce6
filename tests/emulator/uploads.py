"""Requests in parts, as httpx makes them."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx

from tests.emulator.caller import Caller, answered, compact
from tests.emulator.flows import Json

OUTPUT: Json = {
    "type": "keystore-output",
    "version": 1,
    "org_id": "or-1",
    "fleet_id": "f-1",
    "keystore_id": "ks-1",
    "group_id": "g-1",
    "status": "partial",
    "outputs": {},
}


def path(caller: Caller) -> str:
    """The path of an upload to the key store."""
    store = answered(caller.get("/key-stores"))["items"][0]["id"]
    return f"/key-stores/{store}/onchain-sign/output"


def send(caller: Caller, announced: str, parts: dict[str, Any]) -> httpx.Response:
    """A signed request of these parts."""
    target = path(caller)
    action = caller.user_action("POST", target, announced)
    headers = {"Authorization": f"Bearer {caller.token}", "X-DFNS-USERACTION": action}
    return caller.http.post(target, files=parts, headers=headers)


def upload(
    caller: Caller, data: bytes, file: bytes, *, announced: bytes | None = None
) -> httpx.Response:
    """A signed upload, as the official SDKs make it."""
    payload = data if announced is None else announced
    parts = {"data": (None, data), "file": ("upload.bin", file)}
    return send(caller, payload.decode(), parts)


def data_of(file: bytes, **members: object) -> bytes:
    """The part ``data`` for this file, with these members besides."""
    checksum = hashlib.sha256(file).hexdigest()
    return compact({"outputJson": OUTPUT, "fileChecksum": checksum, **members})

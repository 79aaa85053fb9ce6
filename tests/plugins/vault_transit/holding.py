"""A server that signs, in batches too, and holds its first answer."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.core.client.scripted import Reply, ScriptedApi, Seen
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN


class HoldingVault:
    """Signs with a key of its own; its first answer leaves when the second request has come.

    ``arrived`` counts the requests; no answer leaves before ``may_answer``. ``sizes`` has the
    number of messages of each, and what is in ``broken`` by a message in base64 is answered for it.
    With ``refusal``, batches are answered with that.
    """

    def __init__(self, api: ScriptedApi) -> None:
        self.sizes: list[int] = []
        self.broken: dict[str, Any] = {}
        self.refusal: Reply | None = None
        self.url = api.url
        self._key = ed25519.Ed25519PrivateKey.generate()
        self._second = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.may_answer = threading.Event()
        public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        described = {"type": "ed25519", "latest_version": 1, "keys": {"1": {"public_key": public}}}
        api.on(FAKE_READ, always=Reply(body={"data": described}))
        api.on(FAKE_SIGN, always=self._answer)

    def _answer(self, seen: Seen) -> Reply:
        body = json.loads(seen.body)
        inputs = [one["input"] for one in body.get("batch_input", [body])]
        self.sizes.append(len(inputs))
        if len(self.sizes) > 1:
            self._second.set()
        self.arrived.release()
        assert self._second.wait(20)
        assert self.may_answer.wait(20)
        is_batch = "batch_input" in body
        if is_batch and self.refusal:
            return self.refusal
        results = [self.broken.get(text, self._signed(text)) for text in inputs]
        data = {"batch_results": results} if is_batch else results[0]
        return Reply(body={"request_id": f"of-{len(inputs)}", "data": data})

    def _signed(self, text: str) -> dict[str, Any]:
        signature = base64.b64encode(self._key.sign(base64.b64decode(text))).decode()
        return {"signature": f"vault:v1:{signature}", "key_version": 1}

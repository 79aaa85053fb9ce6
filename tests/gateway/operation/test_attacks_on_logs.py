"""Attacks by what is written: secrets in logs, strangers who fill the disk."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dfns_signers.emulator import Emulator
from dfns_signers.encodings import base64url_decode
from dfns_signers.gateway.operation.logs import logging_to
from tests.gateway.operation.administered import Files, administered_gateway
from tests.gateway.running import TOKEN, UPSTREAM_TOKEN, RunningGateway
from tests.secrecy import LEAK

ANOTHER = "another-token"
MARKER = "marker-in-the-body"
QUERY = "marker-in-the-query"


class Everything(logging.Handler):
    """Keeps what any logger says at any level, but for the API, whose log is its own."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("dfns_signers.emulator"):
            self.text += f"{record.name}: {self.format(record)}\n"


@contextmanager
def every_logger_at_debug() -> Iterator[Everything]:
    """Has each logger there is, and each there will be, say everything."""
    handler = Everything()
    every = [
        logging.getLogger(),
        *(logging.getLogger(name) for name in logging.root.manager.loggerDict),
    ]
    before = [(logger, logger.level, logger.disabled) for logger in every]
    for logger in every:
        logger.setLevel(logging.DEBUG)
        logger.disabled = False
    try:
        yield handler
    finally:
        for logger, level, disabled in before:
            logger.setLevel(level)
            logger.disabled = disabled


def use(gateway: RunningGateway, files: Files) -> None:
    """A signed call, a refused one, a failed one, a read, a stranger's call."""
    with gateway.client() as caller, gateway.client(ANOTHER) as stranger:
        signed = caller.post("/wallets", json={"network": "EthereumSepolia", "name": MARKER})
        assert signed.is_success, signed.text
        assert caller.post("/keys", json={"name": MARKER}).status_code == 403
        assert caller.get(f"/wallets?owner={QUERY}").status_code < 500
        assert stranger.post("/wallets", json={"name": MARKER}).status_code == 401
        files.token.unlink()
        assert caller.post("/wallets", json={"name": MARKER}).status_code >= 500


def secrets_of(emulator: Emulator) -> set[str]:
    """What the gateway answered challenges with, and the challenges themselves."""
    found = set()
    for request in emulator.requests:
        if (request.method, request.raw_path) == ("POST", "/auth/action"):
            completed = json.loads(request.body)
            assertion = completed["firstFactor"]["credentialAssertion"]
            signed = json.loads(base64url_decode(assertion["clientData"]))
            found |= {completed["challengeIdentifier"], signed["challenge"]}
            found |= {assertion["clientData"], assertion["signature"]}
    return found


def test_no_secret_is_logged_with_every_library_at_debug() -> None:
    stream = io.StringIO()
    with (
        every_logger_at_debug() as everything,
        logging_to(stream, "json", "debug"),
        administered_gateway() as (gateway, files),
    ):
        logging.getLogger().addHandler(everything)
        use(gateway, files)
        secrets = secrets_of(gateway.emulator)

    assert len(secrets) == 4
    shown = "".join(line for line in stream.getvalue().splitlines(True) if not _of_the_api(line))
    said = everything.text
    assert "POST /wallets: 200" in shown
    assert "receive_response_headers.complete" in said, "libraries are not at DEBUG"
    for text in (shown, said):
        assert [s for s in (TOKEN, ANOTHER, UPSTREAM_TOKEN, MARKER, *secrets) if s in text] == []
        # User actions, as the emulator gives them out.
        assert LEAK.search(text) is None
    assert QUERY not in shown


def _of_the_api(line: str) -> bool:
    return '"dfns_signers.emulator' in line


def test_strangers_write_nothing_into_the_audit_trail_and_ten_lines_into_the_log() -> None:
    stream = io.StringIO()
    with (
        logging_to(stream, "json", "info"),
        administered_gateway() as (gateway, files),
        gateway.client(ANOTHER) as stranger,
    ):
        before = files.audit.read_bytes() if files.audit.exists() else b""
        statuses = {stranger.post("/wallets", json={}).status_code for _ in range(30)}
        statuses |= {
            stranger.get("/wallets", headers={"Host": "another"}).status_code for _ in range(30)
        }
        with files.client() as admin:
            metrics = admin.get("/metrics").text
        after = files.audit.read_bytes() if files.audit.exists() else b""

    assert statuses == {401, 421}
    assert after == before
    assert len([line for line in stream.getvalue().splitlines() if "refused before" in line]) == 10
    assert 'dfns_gateway_authentication_failures_total{listener="127.0.0.1:0"} 30.0' in metrics

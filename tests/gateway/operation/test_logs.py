"""Logs of a gateway: a line for each request, and nothing in it that could be used."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dfns_signers.gateway.operation.logs import Format, Level, RequestLog, logging_to
from dfns_signers.gateway.requests.messages import Peer
from tests.gateway.requests.observed_exchanges import AT_THE_DOOR, OF_A_STRANGER, exchange
from tests.support.clock import Clock


class Logged(io.StringIO):
    """What was logged."""

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@contextmanager
def logged(form: Format = "json", level: Level = "info") -> Iterator[Logged]:
    stream = Logged()
    with logging_to(stream, form, level):
        yield stream


def test_request_is_a_line_of_json() -> None:
    with logged() as log:
        RequestLog().finished(exchange())

    (record,) = log.records
    assert record.pop("time").endswith("Z")
    assert record.pop("call")
    assert record == {
        "level": "info",
        "logger": "dfns_signers.gateway.requests",
        "message": "POST /wallets: 200",
        "caller": "payments",
        "method": "POST",
        "path": "/wallets",
        "status": 200,
        "rule": "wallets",
        "milliseconds": 200.0,
        "upstream_milliseconds": 150.0,
        "listener": "127.0.0.1:8787",
        "address": "127.0.0.1:50000",
    }


def test_operation_stands_for_its_paths_in_the_message() -> None:
    with logged() as log:
        RequestLog().finished(exchange(path="/wallets/wa-1", operation="GET /wallets/{walletId}"))

    assert log.records[0]["message"] == "GET /wallets/{walletId}: 200"


@pytest.mark.parametrize(
    ("members", "level"),
    [
        ({"status": 400}, "info"),
        (AT_THE_DOOR, "warning"),
        ({"check": "key", "status": 503}, "error"),
    ],
)
def test_level_is_that_of_what_the_operator_must_do(members: dict[str, Any], level: str) -> None:
    with logged() as log:
        RequestLog().finished(exchange(**members))

    assert log.records[0]["level"] == level


def test_what_a_stranger_chose_is_not_logged() -> None:
    peer = Peer("unix:/run/api.sock", uid=65534, pid=7)
    with logged() as log:
        RequestLog().finished(exchange(**OF_A_STRANGER, path="/chosen", peer=peer))

    (record,) = log.records
    assert "/chosen" not in log.getvalue()
    assert (record["level"], record["status"], record["uid"]) == ("warning", 401, 65534)


def test_strangers_get_ten_lines_a_minute_and_the_rest_is_counted() -> None:
    clock = Clock()
    observer = RequestLog(clock)
    with logged() as log:
        for _ in range(25):
            observer.finished(exchange(**OF_A_STRANGER))
        before = len(log.lines)
        clock.now += 60
        observer.finished(exchange(**OF_A_STRANGER))

    assert before == 10
    assert [record.get("left_out") for record in log.records[10:]] == [15]


def test_line_for_people_has_no_second_line_and_no_code_for_a_terminal() -> None:
    with logged("text") as log:
        logging.getLogger("dfns_signers").info("two\nlines \x1b[31mred")

    (line,) = log.lines
    assert line.endswith("info two\\nlines \\u001b[31mred")


def test_error_is_named_without_its_traceback() -> None:
    with logged() as log:
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("dfns_signers").exception("failed")

    (record,) = log.records
    assert (record["message"], record["error"]) == ("failed", "ValueError: why")


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_level_is_the_lowest_that_is_shown(level: Level) -> None:
    with logged(level=level) as log:
        for each in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger("dfns_signers.audit"), each)("said")

    levels = ["debug", "info", "warning", "error"]
    assert [record["level"] for record in log.records] == levels[levels.index(level) :]


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "botocore.endpoint", "urllib3", "x"])
def test_library_at_debug_is_shown_from_warning_on(name: str) -> None:
    library = logging.getLogger(name)
    before = library.level
    library.setLevel(logging.DEBUG)
    try:
        with logged(level="debug") as log:
            library.debug("headers and bodies")
            library.info("a URL with its query")
            library.warning("a warning")
    finally:
        library.setLevel(before)

    assert [record["message"] for record in log.records] == ["a warning"]


def test_what_logged_before_logs_again_afterwards() -> None:
    root, ours = logging.getLogger(), logging.getLogger("dfns_signers")
    before = root.handlers[:], ours.level

    with logged(level="debug"):
        assert root.handlers != before[0]

    assert (root.handlers, ours.level) == before

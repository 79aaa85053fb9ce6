"""The fault proxy does what its plan says, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.core.client.scripted import Reply, ScriptedApi, Seen
from tests.support.byte_fault_proxy import BYTE_FAULTS, ByteFaultProxy, seeded_byte_plan
from tests.support.exchange import Request
from tests.support.fault_proxy import FaultProxy, Plan, SeededPlan, no_faults
from tests.support.faults import FAULTS, QUICK, SLOW

BODY = {"a": "b" * 200}
TWICE = {"duplicated_request"}
IN_PARTS = {"cut_request"}
NOT_FORWARDED = {"refuse", "hang_before"} | {name for name in FAULTS if name.endswith("_before")}
HARMLESS = {
    "drip_head",
    "drip_body",
    "many_103",
    "wrong_content_type",
    "stale_keep_alive",
    "duplicated_answer",
    "duplicated_request",
    "answer_of_another_step",  # there is no other step
    "longer_than_announced",
    "odd_cookie",
}


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as running:
        running.on("/thing", always=Reply(body=BODY))
        yield running


def post(proxy: FaultProxy) -> httpx.Response:
    return httpx.post(f"{proxy.url}/thing", json=BODY, timeout=2, trust_env=False)


def only(fault: str) -> Plan:
    return lambda request: fault


def through(api: ScriptedApi, plan: Plan) -> tuple[object, FaultProxy]:
    """The JSON of the answer to one request, or None if there was none such; and the proxy."""
    with FaultProxy(api.url, plan) as proxy:
        try:
            answer = post(proxy)
            return (answer.json() if answer.is_success else None), proxy
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            return None, proxy


def test_requests_pass_unchanged_without_a_fault(api: ScriptedApi) -> None:
    answer, proxy = through(api, no_faults)

    assert answer == BODY
    assert [seen.target for seen in api.seen] == ["/thing"]
    assert b"b" * 200 in api.seen[0].body
    assert not proxy.faults


@pytest.mark.parametrize("fault", sorted({*QUICK} - {"hang_before", "hang_after"}))
def test_each_fault_reaches_the_upstream_as_often_as_it_says(api: ScriptedApi, fault: str) -> None:
    answer, proxy = through(api, only(fault))

    if fault in IN_PARTS:
        assert [seen for seen in api.seen if len(seen.body) == len(b'{"a":""}') + 200] == []
    else:
        times = 2 if fault in TWICE else 0 if fault in NOT_FORWARDED else 1
        assert len(api.seen) == times
        assert proxy.passages[0].reached == [200] * times
    assert (answer == BODY) is (fault in HARMLESS)
    assert proxy.faults == {fault: 1}


@pytest.mark.parametrize(("fault", "times"), [("hang_before", 0), ("hang_after", 1)])
def test_hanging_ends_when_the_client_leaves(api: ScriptedApi, fault: str, times: int) -> None:
    has_arrived = threading.Event()

    def answer(_: Seen) -> Reply:
        has_arrived.set()
        return Reply()

    api.on("/thing", always=answer)
    with (
        FaultProxy(api.url, only(fault)) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
    ):
        client.sendall(b"GET /thing HTTP/1.1\r\nHost: x\r\n\r\n")
        proxy.arrived.acquire()
        assert times == 0 or has_arrived.wait(20)

    assert len(api.seen) == times


@pytest.mark.parametrize("fault", SLOW)
def test_slow_answers_end_when_the_client_leaves(api: ScriptedApi, fault: str) -> None:
    with (
        FaultProxy(api.url, only(fault)) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
    ):
        client.sendall(b"GET /thing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1)

    assert proxy.faults == {fault: 1}


def test_closing_ends_a_hanging_connection(api: ScriptedApi) -> None:
    with FaultProxy(api.url, only("hang_before")) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port))
        client.sendall(b"GET /thing HTTP/1.1\r\nHost: x\r\n\r\n")
        proxy.arrived.acquire()

    assert client.recv(1) == b""
    client.close()


def test_stale_connection_breaks_when_it_is_used_again(api: ScriptedApi) -> None:
    with (
        FaultProxy(api.url, only("stale_keep_alive")) as proxy,
        httpx.Client(trust_env=False) as http,
    ):
        assert http.get(f"{proxy.url}/thing").json() == BODY
        with pytest.raises(httpx.TransportError):
            http.get(f"{proxy.url}/thing")


def test_refused_connection_is_followed_by_another_refused_one(api: ScriptedApi) -> None:
    plan = iter(["refuse"])
    with FaultProxy(api.url, lambda request: next(plan, None)) as proxy:
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                post(proxy)

        assert post(proxy).json() == BODY


def test_connections_are_told_apart(api: ScriptedApi) -> None:
    with FaultProxy(api.url) as proxy:
        with httpx.Client(trust_env=False) as http:
            http.get(f"{proxy.url}/thing")
            http.get(f"{proxy.url}/thing")
        post(proxy)

    assert [passage.request.connection for passage in proxy.passages] == [1, 1, 2]


def request(label: str, ordinal: int) -> Request:
    return Request("GET", "/", (), b"", b"", 1, label=label, ordinal=ordinal)


def test_seed_decides_about_the_faults_of_a_call() -> None:
    def drawn(seed: int) -> list[str | None]:
        plan = SeededPlan(seed, tuple(FAULTS), 0.5)
        return [plan(request(f"call-{n}", ordinal)) for n in range(20) for ordinal in range(3)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 10 < sum(fault is not None for fault in drawn(1)) < 50


class TestByteFaults:
    def exchanged(self, api: ScriptedApi, fault: str | None) -> httpx.Response:
        host, port = api.url.removeprefix("http://").split(":")
        with ByteFaultProxy((host, int(port)), lambda _: fault) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/thing"
            return httpx.post(url, content=b"x" * 5000, timeout=2, trust_env=False)

    def test_bytes_pass_unchanged_without_a_fault(self, api: ScriptedApi) -> None:
        assert self.exchanged(api, None).json() == BODY
        assert api.seen[0].body == b"x" * 5000

    def test_dripping_loses_nothing(self, api: ScriptedApi) -> None:
        api.on("/thing", always=Reply(body="short"))

        assert self.exchanged(api, "drip").text == "short"

    @pytest.mark.parametrize("fault", ["refuse", "cut_request"])
    def test_connection_breaks_before_the_request_is_whole(
        self, api: ScriptedApi, fault: str
    ) -> None:
        with pytest.raises(httpx.TransportError):
            self.exchanged(api, fault)

        assert [seen for seen in api.seen if len(seen.body) == 5000] == []

    @pytest.mark.parametrize("fault", ["cut_answer", "damage_answer"])
    def test_answer_is_cut_or_damaged(self, api: ScriptedApi, fault: str) -> None:
        sent = b"y" * 10_000
        api.on("/thing", always=Reply(body=sent))

        try:
            received = self.exchanged(api, fault).content
        except httpx.HTTPError:
            received = b""

        assert received != sent
        assert len(api.seen) == 1

    def test_seed_decides_about_the_faults_of_a_connection(self) -> None:
        def drawn(seed: int) -> list[str | None]:
            return [seeded_byte_plan(seed)(number) for number in range(100)]

        assert drawn(1) == drawn(1)
        assert drawn(1) != drawn(2)
        assert set(drawn(1)) == set(BYTE_FAULTS)

"""Each request of a call may take what is left of its time, whichever httpx client sends it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dfns_signers import deadlines
from dfns_signers.user_action.httpx_auth import UserActionAuth

BASE_URL = "https://api.dfns.io"
ANSWERS = {
    "/auth/action/init": {
        "challenge": "Y2g",
        "challengeIdentifier": "id",
        "allowCredentials": {"key": [{"type": "public-key", "id": "cr-1"}]},
    },
    "/auth/action": {"userAction": "action-1"},
}


class PlainSigner:
    def sign(self, challenge: Any) -> Any:
        return {"kind": "Key", "credentialAssertion": {}}


class Recorder:
    """An httpx client that notes the extensions of each request that it sends."""

    def __init__(self, timeout: httpx.Timeout) -> None:
        self.seen: list[dict[str, Any]] = []
        self.http = httpx.Client(
            auth=UserActionAuth("token", PlainSigner(), base_url=BASE_URL),
            transport=httpx.MockTransport(self._answer),
            timeout=timeout,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(dict(request.extensions))
        return httpx.Response(200, json=ANSWERS.get(request.url.path, {}))


def test_what_is_left_bounds_every_wait_of_every_request_and_a_shorter_timeout_stays() -> None:
    recorder = Recorder(httpx.Timeout(None, read=1))

    with deadlines.within(600):
        recorder.http.post(f"{BASE_URL}/wallets", extensions={"sni_hostname": "api.dfns.io"})

    assert len(recorder.seen) == 3
    for extensions in recorder.seen:
        timeout = extensions["timeout"]
        assert timeout.pop("read") == 1
        assert timeout.keys() == {"connect", "write", "pool"}
        assert all(0 < seconds <= 600 for seconds in timeout.values())
    assert recorder.seen[-1]["sni_hostname"] == "api.dfns.io"


def test_request_whose_time_is_over_does_not_wait_and_its_socket_may_be_used() -> None:
    recorder = Recorder(httpx.Timeout(5))

    with deadlines.within(0):
        recorder.http.get(f"{BASE_URL}/wallets")

    (extensions,) = recorder.seen
    assert all(0 < seconds < 0.01 for seconds in extensions["timeout"].values())


@pytest.mark.parametrize("timeout", [httpx.Timeout(None), httpx.Timeout(5, pool=None)])
def test_without_a_bound_the_timeouts_are_those_of_the_httpx_client(timeout: httpx.Timeout) -> None:
    recorder = Recorder(timeout)

    recorder.http.post(f"{BASE_URL}/wallets")

    assert [seen["timeout"] for seen in recorder.seen] == [timeout.as_dict()] * 3

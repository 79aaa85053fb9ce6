"""The steps that flows are made of."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import Any

import pytest

from dfns_signers import DfnsClient
from dfns_signers.client.call import Call
from dfns_signers.errors import UnexpectedResponseError
from dfns_signers.lifecycle.steps import listed
from tests.core.lifecycle.driving import first_signer


def test_list_that_does_not_end_is_given_up() -> None:
    with DfnsClient(signer=first_signer(), auth_token="a.b.c") as dfns:
        flow = listed(dfns, Call[Any].of("GET", "/auth/credentials"))
        next(flow)
        pages = ({"items": [], "nextPageToken": str(number)} for number in count())

        with pytest.raises(UnexpectedResponseError, match="over 1000 pages"):
            deque(map(flow.send, pages), maxlen=0)

"""``with`` and ``async with`` for whatever can be closed."""

from __future__ import annotations

import pytest

from dfns_signers.closing import AsyncClosing, Closing


class Resource(Closing, AsyncClosing):
    def __init__(self) -> None:
        self.closed: list[str] = []

    def close(self) -> None:
        self.closed.append("close")

    async def aclose(self) -> None:
        self.closed.append("aclose")


def test_with_block_gives_the_object_and_closes_it_at_the_end() -> None:
    resource = Resource()

    with resource as same:
        assert same is resource
        assert same.closed == []

    assert resource.closed == ["close"]


@pytest.mark.anyio
async def test_async_with_block_gives_the_object_and_closes_it_asynchronously() -> None:
    resource = Resource()

    async with resource as same:
        assert same is resource
        assert same.closed == []

    assert resource.closed == ["aclose"]


def test_with_block_error_inside_is_not_swallowed() -> None:
    resource = Resource()

    with pytest.raises(LookupError), resource:
        raise LookupError

    assert resource.closed == ["close"]


@pytest.mark.anyio
async def test_async_with_block_error_inside_is_not_swallowed() -> None:
    resource = Resource()

    with pytest.raises(LookupError):
        async with resource:
            raise LookupError

    assert resource.closed == ["aclose"]

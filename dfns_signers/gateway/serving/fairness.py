"""Which connection makes room for another one, so that no peer takes the place of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Protocol, TypeVar

from dfns_signers.gateway.requests.messages import Peer


class Waiting(Protocol):
    """A connection."""

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""

    @property
    def since(self) -> float:
        """When its step began, in seconds of a clock that only grows."""

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its client, and not its client for an answer."""


C = TypeVar("C", bound=Waiting)


def connection_to_close(connections: Collection[C], peer: Peer | None) -> C | None:
    """The connection that waits longest for its client, of the peer that has most of them.

    Args:
        connections: all of a listener.
        peer: who asks for another connection: it is not given one at the cost of a peer that has
            fewer than itself. None where any of them may go.

    Returns:
        None where there is none that may be closed.
    """
    shares = Counter(_identity(connection.peer) for connection in connections)
    least = 0 if peer is None else shares[_identity(peer)]
    return max(
        (one for one in connections if one.is_waiting and shares[_identity(one.peer)] >= least),
        key=lambda one: (shares[_identity(one.peer)], -one.since),
        default=None,
    )


def _identity(peer: Peer) -> object:
    """What a client cannot choose: its user, or the address of its machine."""
    return peer.uid if peer.uid is not None else peer.address.rpartition(":")[0]

"""Entities that a test puts there, since no operation of the API makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from dfns_signers.emulator.kept.entities import add_kept
from dfns_signers.emulator.kept.operations import check_path, list_members, list_page, newest
from dfns_signers.emulator.kept.places import collections, shapes_of_item
from dfns_signers.emulator.kept.values import members_of
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.requests.shape_checks import check_of
from dfns_signers.emulator.service import Service
from dfns_signers.emulator.state import Record
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.operations import Schema, match_operation

_LISTS: Final = (list_page, list_members, newest)


class Entities:
    """The entities that are kept and have no behaviour of their own; `Emulator.entities`."""

    def __init__(self, service: Service, token: str) -> None:
        self._service = service
        self._token = token

    def add(self, path: str, **members: Any) -> Record:
        """Put an entity there, such as an offer that a wallet has received.

        Args:
            path: its collection, such as ``/wallets/wa-…/offers``.
            members: wire names; what else the entity must have is made up.

        Raises:
            ConfigurationError: the path is not that of a collection that is kept, or goes through
                an entity that is not there; its entities do not have such a member, or not of this
                value.
        """
        operation = match_operation("GET", path)
        if operation is None or operation.path not in collections():
            raise ConfigurationError(f"{path} is not a path at which the emulator lists entities")
        route = self._service.router.named("GET", operation.path)
        if route.handler not in _LISTS:
            raise ConfigurationError(f"what is at {path} is made by calls of the API: make one")
        _check_members(path, operation.path, members)
        state = self._service.state
        with self._service.lock:
            token = state.directory.tokens[self._token]
            parameters = operation.parameters(path)
            decoded = {name: unquote(value) for name, value in parameters.items()}
            call = Call(state, token, route, path, decoded, {}, members)
            try:
                check_path(call)
            except Refusal as refusal:
                raise ConfigurationError(f"nothing can be added at {path}: {refusal}") from None
            return dict(add_kept(state, operation.path, decoded, members, call.requester))


def _check_members(path: str, collection: str, members: Mapping[str, Any]) -> None:
    known: dict[str, Schema] = {}
    for schema in shapes_of_item(collection):
        known |= members_of(schema)
    for name, value in members.items() if known else ():
        if name not in known:
            hint = did_you_mean(name, known) or f"; they have {', '.join(sorted(known))}"
            raise ConfigurationError(f"entities of {path} do not have a member {name}{hint}")
        try:
            check_of(known[name])(name, value)
        except Refusal as refusal:
            raise ConfigurationError(f"nothing can be added at {path}: {refusal}") from None

"""Operations without behaviour of their own: entities are kept, listed, read, changed, deleted.

Where an entity is comes from the table of operations, what is sent from the declared shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from dfns_signers.emulator.kept.entities import (
    add_kept,
    change_kept,
    collection_at,
    read_with_children,
    set_status,
    values_of,
)
from dfns_signers.emulator.kept.places import (
    answers_with_parent,
    collections,
    is_item,
    is_list,
    items_above,
    last,
    noun_of,
    parent,
    shapes_of_item,
)
from dfns_signers.emulator.kept.values import choices_of_member
from dfns_signers.emulator.requests.fields import Check, known, one_of
from dfns_signers.emulator.requests.messages import Answer, json_answer, not_found
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import PAGING, Record
from dfns_signers.networks import WALLET_NETWORKS
from dfns_signers.operations import Operation, operations, shapes_of

_Handler: TypeAlias = Callable[[Call], Answer]

# Lists of strings that an entity has, which one call adds to and another takes from.
_LISTS: Final = {"tags", "members"}
_NETWORK: Final = known(WALLET_NETWORKS, "a network of the Dfns API")


def kept_routes(answered: Iterable[Operation]) -> list[Route]:
    """A route for each operation of the table that is not answered otherwise."""
    others = set(answered)
    return [
        Route(one.method, one.path, _handler(one), entity=noun_of(_collection(one.path)))
        for one in operations()
        if one not in others
    ]


def _handler(operation: Operation) -> _Handler:
    method, path = operation.method, operation.path
    if last(path) in _LISTS and is_item(parent(path)):
        return {"GET": list_members, "DELETE": take_away}.get(method, add_to)
    if is_item(path):
        return {"GET": get, "PUT": update, "DELETE": delete}[method]
    if path in collections():
        return {"GET": list_page if is_list(operation) else newest, "POST": create}[method]
    if method != "GET" and is_item(parent(path)) and not _makes_something(operation):
        return act
    return answer


def create(call: Call) -> Answer:
    """A new entity."""
    check_path(call)
    path, body = call.route.template, call.body
    collection = collection_at(call.state, path)
    idempotent = call.route.operation.idempotent
    record = collection.made_before(call.path, body) if idempotent else None
    if record is None:
        record = add_kept(call.state, path, call.parameters, body, call.requester)
        if idempotent:
            collection.bind(record["id"], call.path, body)
    if answers_with_parent(path):
        return _answer(call, _entity(call, parent(path)))
    return _answer(call, record)


def list_page(call: Call) -> Answer:
    """A page of entities; parameters of the query choose those that have such a member."""
    check_path(call)
    collection = collection_at(call.state, call.route.template)

    def chosen(record: Record) -> bool:
        wanted = {**call.query, **call.parameters}
        return all(
            str(record[name]) in value.split(",")
            for name, value in wanted.items()
            if name in record and name not in PAGING
        )

    if _is_paged(call.route.operation):
        page = collection.page(call.query, chosen)
    else:
        page = {"items": [record for record in collection.all() if chosen(record)]}
    for record in page["items"]:
        call.state.progress.read(record)
    return _answer(call, {**call.parameters, **page})


def newest(call: Call) -> Answer:
    """The entity that was made last, where the path names none."""
    check_path(call)
    collection = collection_at(call.state, call.route.template)
    if not collection.all():
        raise not_found(collection.noun, "")
    return _answer(call, collection.all()[-1])


def get(call: Call) -> Answer:
    """One entity."""
    check_path(call)
    item = call.route.template
    return _answer(call, read_with_children(call.state, item, _entity(call, item)))


def update(call: Call) -> Answer:
    """Change what the body names."""
    check_path(call)
    record = _entity(call, call.route.template)
    change_kept(record, call.body, call.parameters)
    return _answer(call, record)


def delete(call: Call) -> Answer:
    """Forget an entity."""
    check_path(call)
    item = call.route.template
    record = _entity(call, item)
    collection_at(call.state, parent(item)).remove(record["id"])
    set_status(record, parent(item), "delete")
    return _answer(call, record)


def act(call: Call) -> Answer:
    """Do to an entity what the end of the path says, such as ``/activate``."""
    check_path(call)
    item = parent(call.route.template)
    record = _entity(call, item)
    members = dict(call.body)
    verb = members.pop("action", last(call.route.template))
    change_kept(record, members, call.parameters)
    set_status(record, parent(item), verb)
    call.state.progress.stop(record["id"])
    return _answer(call, record)


def answer(call: Call) -> Answer:
    """An answer that nothing is kept of."""
    check_path(call)
    path = call.route.template
    made: Record = {"id": new_id(last(path)[:2]), "dateCreated": iso_date(call.state.clock())}
    if call.route.method == "GET":
        made = {"items": []} if any(items_above(path)) else {}
    given = {**made, **call.query, **call.parameters, **call.body}
    kind = last(path).removesuffix("s").capitalize()
    if kind in choices_of_member(shapes_of(call.route.operation).response, "kind"):
        given["kind"] = kind  # a deposit or a withdrawal
    return _answer(call, given)


def list_members(call: Call) -> Answer:
    """What was added to a list of an entity."""
    return _answer(call, {"items": _list_of(call)})


def add_to(call: Call) -> Answer:
    """Add to a list of an entity; what it has stays."""
    listed = _list_of(call)
    for item in _items(call):
        if item not in listed:
            listed.append(item)
    return json_answer({})


def take_away(call: Call) -> Answer:
    """Take from a list of an entity; what it does not have is ignored."""
    listed = _list_of(call)
    listed[:] = [item for item in listed if item not in _items(call)]
    return json_answer({})


def _answer(call: Call, given: Record) -> Answer:
    """What was given, in the shape of the answer where one is declared."""
    shapes = shapes_of(call.route.operation)
    if not shapes.is_declared:
        return json_answer(given)
    if not shapes.response:
        return json_answer({})
    collection = _collection(call.route.template)
    context = {"requester": call.requester, "requestBody": call.body, **call.query}
    values = values_of(call.state, {**context, **call.parameters, **given}, collection)
    return json_answer(values.fitting(shapes.response, given))


def check_path(call: Call) -> None:
    """Refuse a path that goes through an entity that is not there, or a body with such a wallet."""
    if "network" in call.parameters:
        _network_check(call.route.template)("network", call.parameters["network"])
    for item in items_above(parent(call.route.template)):
        _entity(call, item)
    for name in ("walletId", "targetWalletId"):
        if isinstance(call.body.get(name), str):
            call.state.wallets.get(call.body[name])


def _network_check(path: str) -> Check:
    """The check of a network: those that the entities of the path may have, or any."""
    shapes = shapes_of_item(_collection(path))
    choices = {name for shape in shapes for name in choices_of_member(shape, "network")}
    return one_of(*sorted(choices)) if choices else _NETWORK


def _entity(call: Call, item: str) -> Record:
    """The entity of a path, below those that the path goes through."""
    names = [segment[1:-1] for segment in item.split("/") if segment.startswith("{")]
    *above, name = names
    members = {one: call.parameters[one] for one in above}
    return collection_at(call.state, parent(item)).get(call.parameters[name], **members)


def _collection(path: str) -> str:
    """The collection that an operation is about."""
    if path in collections():
        return path
    return next((parent(item) for item in items_above(path)), path)


def _makes_something(operation: Operation) -> bool:
    return "create" in operation.name and last(operation.path) != "action"


def _is_paged(operation: Operation) -> bool:
    shapes = shapes_of(operation)
    query: Mapping[str, Any] = (shapes.query or {}).get("properties", {})
    return not shapes.is_declared or "limit" in query


def _list_of(call: Call) -> list[Any]:
    check_path(call)
    path = call.route.template
    listed: list[Any] = _entity(call, parent(path)).setdefault(last(path), [])
    return listed


def _items(call: Call) -> list[Any]:
    lists = [value for value in call.body.values() if isinstance(value, list)]
    return [item for items in lists for item in items]

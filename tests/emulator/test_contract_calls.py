"""Calls of functions of contracts, with the ABI that names their parameters."""

from __future__ import annotations

from typing import Any

from tests.emulator.caller import Caller, answered, refused

PATH = "/networks/EthereumSepolia/call-function"
NUMBER = {"name": "number", "type": "uint256"}


def tuple_of(*components: dict[str, Any]) -> dict[str, Any]:
    return {"name": "pair", "type": "tuple", "components": list(components)}


def body(*inputs: dict[str, Any]) -> dict[str, Any]:
    abi = {
        "type": "function",
        "name": "balances",
        "stateMutability": "view",
        "inputs": list(inputs),
        "outputs": [NUMBER],
    }
    return {"contract": f"0x{'11' * 20}", "abi": abi}


def test_tuples_have_components_which_may_be_tuples(caller: Caller) -> None:
    call = body(NUMBER, tuple_of(NUMBER, tuple_of(NUMBER)))

    answered(caller.call("POST", PATH, call))


def test_components_in_the_form_that_the_official_type_names_are_taken(caller: Caller) -> None:
    call = body({**tuple_of(), "components": body(NUMBER)})

    answered(caller.call("POST", PATH, call))


def test_mistake_in_a_component_is_refused_by_name(caller: Caller) -> None:
    call = body(tuple_of({"name": "number", "typ": "uint256"}))

    error = refused(caller.call("POST", PATH, call), 400, "field.unknown", "did you mean 'type'")

    assert error["details"]["field"] == "abi.inputs[0].components[0].typ"

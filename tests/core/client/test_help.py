"""What ``help()`` and editors say of a typed call."""

from __future__ import annotations

import inspect
import pydoc

import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient

CLIENTS = pytest.mark.parametrize("kind", [DfnsClient, AsyncDfnsClient, DelegatedDfnsClient])


@CLIENTS
def test_help_of_a_typed_call_is_headed_by_the_call_that_people_write(
    kind: type[DfnsClient | AsyncDfnsClient | DelegatedDfnsClient],
) -> None:
    text = pydoc.plain(pydoc.render_doc(kind("token").wallets.transfer))

    # A long heading has a line for each parameter from Python 3.13 on, and types without quotes
    # from 3.14 on.
    heading, _, rest = text.partition("transfer(")[2].partition(" method of ")
    plain = "".join(heading.split()).replace("'", "")
    assert plain.startswith("wallet_id:str,*,to:str,amount:")
    assert "->" not in heading
    assert "Transfer an asset out of a wallet." in rest


@pytest.mark.parametrize(
    ("group", "name"), [("wallets", "list"), ("wallets", "get"), ("keys", "get_signature")]
)
def test_typed_call_is_named_as_its_group_names_it(group: str, name: str) -> None:
    resource = getattr(DfnsClient("token"), group)
    call = getattr(resource, name)

    assert (call.__name__, call.__qualname__) == (name, f"{type(resource).__name__}.{name}")
    assert inspect.signature(call).return_annotation is inspect.Signature.empty

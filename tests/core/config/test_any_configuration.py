"""Whatever a file says, it is loaded or refused, and nothing else happens."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.config.assembly import check_base_url, client_arguments, validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError, PluginError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(
    TEXTS,
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.sampled_from(["pem", "https://api.dfns.io", "key.pem", "pem:?path=key.pem", "aws-kms", "p"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def table_with(*keys: str, of: st.SearchStrategy[Any] = VALUES) -> st.SearchStrategy[Any]:
    """Tables that have known keys, with values of any kind, and sometimes others."""
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(keys, of))
    return known | st.tuples(known, st.dictionaries(TEXTS, of, max_size=1)).map(
        lambda pair: {**pair[1], **pair[0]}
    )


SECRETS = VALUES | table_with("env", "file", of=TEXTS)
OPTIONS = table_with("path", "env", "passphrase", "verify", "fingerprint")
SIGNERS = VALUES | OPTIONS.map(lambda options: {**options, "backend": "pem"})
PROFILES = VALUES | st.tuples(
    table_with("base_url", "credential_id", "timeout", "max_attempts", "plugins"),
    st.fixed_dictionaries({}, optional={"auth_token": SECRETS, "signer": SIGNERS}),
).map(lambda parts: {**parts[0], **parts[1]})
FILES = st.one_of(
    st.dictionaries(TEXTS, VALUES, max_size=3),
    st.fixed_dictionaries(
        {"profiles": VALUES | st.fixed_dictionaries({"p": PROFILES})},
        optional={"default_profile": VALUES},
    ),
    st.fixed_dictionaries({"profiles": st.fixed_dictionaries({"p": PROFILES})}),
)


def to_toml(value: Any) -> str:
    """A value on one line; what JSON and TOML write alike is left to json."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, dict):
        members = (f"{to_toml(name)} = {to_toml(member)}" for name, member in value.items())
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value).lower()


def loaded_or_refused(*steps: Callable[[], object]) -> None:
    for step in steps:
        try:
            step()
        except (ConfigurationError, PluginError) as error:
            assert str(error)  # noqa: PT017  # any of the steps may refuse


@settings(max_examples=400, deadline=None)
@given(content=FILES)
def test_any_nested_structure_is_loaded_or_refused(content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.toml")
        lines = [f"{to_toml(name)} = {to_toml(value)}" for name, value in content.items()]
        config.write_text("\n".join(lines), encoding="utf-8")
        try:
            loaded = load_profile("p", config=config)
        except (ConfigurationError, PluginError) as error:
            assert str(config) in str(error)  # noqa: PT017  # it may just as well be loaded
            return
        loaded_or_refused(
            lambda: check_base_url(loaded),
            lambda: client_arguments(loaded),
            lambda: validated_options(loaded),
        )


@settings(max_examples=200, deadline=None)
@given(content=st.binary() | TEXTS.map(str.encode))
def test_any_bytes_are_loaded_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.toml")
        config.write_bytes(content)
        loaded_or_refused(lambda: load_profile("p", config=config))

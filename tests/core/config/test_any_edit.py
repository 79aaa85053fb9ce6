"""Any configuration file, edited: what was asked for is in it, and all the rest as it was."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.config.writing import ConfigEdit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Piece: TypeAlias = tuple[str, tuple[str, ...]]
"""Of a file, with the path of the setting that it holds."""

NAMES = ("p", "other", "with space", "a.b", "ümlaut")
LINE = "\n"

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
option_values = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(texts, max_size=2),
    st.fixed_dictionaries({"env": texts}),
    st.dictionaries(texts, st.one_of(texts, st.dictionaries(texts, texts, max_size=1)), max_size=2),
)
signers = st.dictionaries(texts, option_values, max_size=3).map(
    lambda more: {"backend": "pem", "path": "key.pem", **more}
)
values: dict[str, Any] = {
    "base_url": texts,
    "credential_id": texts,
    "auth_token": st.one_of(texts, st.fixed_dictionaries({"file": texts})),
    "timeout": st.floats(1, 100),
    "plugins": st.lists(texts, max_size=2),
    "signer": signers,
}
settings = st.fixed_dictionaries({}, optional=values)
changes = st.fixed_dictionaries({}, optional={name: st.none() | values[name] for name in values})
trivia = st.lists(
    st.sampled_from(["", "  ", "# a comment", "  # [profiles.p]", "#\t'''"]), max_size=3
)
comments = st.sampled_from(["", " # why", '\t# """'])


def quoted(text: str) -> str:
    escaped = (f"\\u{ord(c):04x}" if ord(c) < 0x20 or c in '"\\\x7f' else c for c in text)
    return f'"{"".join(escaped)}"'


def toml(value: Any, line: str = "") -> str:
    """A value as TOML; with a line end, an array may have several lines."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"[{line}{', '.join(map(toml, value))}{line}]"
    if isinstance(value, Mapping):
        pairs = (f"{quoted(name)} = {toml(inner)}" for name, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return repr(value)


class Pieces:
    """A file that is written piece by piece."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.pieces: list[Piece] = []
        self.add_trivia()

    def add_trivia(self, *path: str) -> None:
        self.pieces.extend((line, path) for line in self.draw(trivia))

    def add(self, text: str, *path: str) -> None:
        self.pieces.append((f"{text}{self.draw(comments)}", path))
        self.add_trivia()

    def add_inline(self, prefix: str, name: str, table: Mapping[str, Any]) -> None:
        self.add(f"{prefix}{quoted(name)} = {toml(table)}", "profiles", name)

    def add_keys(self, prefix: str, name: str, table: Mapping[str, Any]) -> None:
        for setting, value in table.items():
            self.add(f"{prefix}{setting} = {toml(value, LINE)}", "profiles", name, setting)

    def add_tables(self, name: str, table: Mapping[str, Any]) -> None:
        self.add(f"[ profiles . {quoted(name)} ]")
        signer = table.get("signer") if self.draw(st.booleans()) else None
        self.add_keys("", name, {k: v for k, v in table.items() if k != "signer" or not signer})
        if signer:
            path = ("profiles", name, "signer")
            self.pieces.append((f"[profiles.{quoted(name)}.signer]", path))
            for option, value in signer.items():
                self.add_trivia(*path, "comment")
                self.pieces.append((f"  {quoted(option)} = {toml(value, LINE)}", path))
            self.add_trivia()


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[Piece]]:
    pieces = Pieces(draw)
    if draw(st.booleans()):
        pieces.add('default_profile = "p"', "default_profile")
    style = draw(st.sampled_from(["tables", "dotted", "below profiles", "inline"]))
    if style == "below profiles":
        pieces.add("[profiles]")
    prefix = "" if style == "below profiles" else "profiles."
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)):
        table = draw(settings)
        if style == "tables":
            pieces.add_tables(name, table)
        elif style == "inline" or draw(st.booleans()):
            pieces.add_inline(prefix, name, table)
        else:
            pieces.add_keys(f"{prefix}{quoted(name)}.", name, table)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    whole = "".join(f"{text}\n" for text, _ in pieces.pieces).replace("\n", newline)
    ended = whole if draw(st.booleans()) else whole.removesuffix(newline)
    return draw(st.sampled_from(["", "\ufeff"])) + ended, pieces.pieces


def parsed(text: str) -> Any:
    """What a file says, without profiles that say nothing: they may have a table or not."""
    tree = tomllib.loads(text.removeprefix("\ufeff"))
    profiles = {name: table for name, table in tree.get("profiles", {}).items() if table}
    return {**tree, "profiles": profiles}


def are_in_order(pieces: list[str], text: str) -> bool:
    """Whether the pieces are in a text, one after the other."""
    position = 0
    for piece in pieces:
        found = text.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return True


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("edits")


def opened(folder: Any, text: str) -> ConfigEdit:
    file = folder / "config.toml"
    file.write_bytes(text.encode("utf-8"))
    file.chmod(0o600)
    return ConfigEdit(file)


@given(file=files(), name=st.sampled_from(NAMES), change=changes)
def test_file_says_what_was_put_and_the_rest_stays_as_it_was(
    folder: Any, file: tuple[str, list[Piece]], name: str, change: dict[str, Any]
) -> None:
    text, pieces = file
    edit = opened(folder, text)

    edit.put(name, change)
    edit.write()

    after = edit.path.read_bytes().decode("utf-8")
    expected = parsed(text)
    profile = {**expected["profiles"].pop(name, {}), **change}
    kept = {setting: value for setting, value in profile.items() if value is not None}
    assert parsed(after)["profiles"] == {**expected["profiles"], **({name: kept} if kept else {})}
    touched: set[tuple[str, ...]] = {("profiles", name, setting) for setting in change} | {
        ("profiles", name)
    }
    if change.get("signer", ...) is None:  # comments within a table go with it
        touched.add(("profiles", name, "signer", "comment"))
    untouched = [piece for piece, path in pieces if path not in touched]
    assert are_in_order(untouched, after.replace("\r\n", "\n"))
    assert ("\r\n" in text) is ("\r\n" in after) or "\n" not in text
    assert text.startswith("\ufeff") is after.startswith("\ufeff")


@given(file=files(), change=settings.filter(bool))
def test_file_is_as_it_was_once_a_new_profile_was_removed_again(
    folder: Any, file: tuple[str, list[Piece]], change: dict[str, Any]
) -> None:
    text, _ = file
    edit = opened(folder, text)
    edit.put("p-next", change)
    edit.write()

    again = ConfigEdit(edit.path)
    again.remove("p-next")

    assert again.text.rstrip() == text.rstrip()


@given(file=files(), name=st.sampled_from(NAMES))
def test_file_has_the_default_profile_that_was_set(
    folder: Any, file: tuple[str, list[Piece]], name: str
) -> None:
    text, pieces = file
    edit = opened(folder, text)

    edit.set_default(name)

    assert parsed(edit.text) == {**parsed(text), "default_profile": name}
    untouched = [piece for piece, path in pieces if path != ("default_profile",)]
    assert are_in_order(untouched, edit.text.replace("\r\n", "\n"))


@given(file=files(), change=settings)
def test_what_is_said_already_changes_nothing(
    folder: Any, file: tuple[str, list[Piece]], change: dict[str, Any]
) -> None:
    edit = opened(folder, file[0])
    edit.put("p", change)
    before = edit.text

    edit.put("p", change)

    assert edit.text == before

"""Edit TOML: what is not asked for stays as it is, byte for byte.

tomlkit reads and writes single expressions. Whole documents are kept as a list of expressions:
tomlkit itself moves comments, and loses the place of keys that are written with dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import tomlkit
from tomlkit.exceptions import ParseError

from dfns_signers.config.files import parse
from dfns_signers.sealed import Sealed

KeyPath: TypeAlias = tuple[str, ...]

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Expression:
    """A header, a key with its value, a comment or a blank line; with the end of its line.

    Attributes:
        text: as it is in the document.
        table: the table that it stands in.
        path: what it names, from the root; empty for a comment or a blank line.
        is_header: whether it begins a table.
    """

    text: str
    table: KeyPath
    path: KeyPath = ()
    is_header: bool = False

    @property
    def has_value(self) -> bool:
        """Whether it is a key with its value."""
        return bool(self.path) and not self.is_header

    @property
    def is_blank(self) -> bool:
        """Whether it is a blank line."""
        return not self.text.strip()

    def below(self, path: KeyPath) -> bool:
        """Whether it names this, or something within."""
        return bool(self.path) and self.path[: len(path)] == path


class TomlDocument:
    """A document that can be edited.

    Args:
        text: valid TOML, without a byte order mark.
    """

    def __init__(self, text: str) -> None:
        self._expressions = list(_expressions(text))
        self._newline = "\r\n" if "\r\n" in text else "\n"

    @property
    def text(self) -> str:
        """The document as it is to be."""
        return "".join(expression.text for expression in self._expressions)

    @property
    def values(self) -> dict[str, Any]:
        """What it says, as plain values."""
        return parse(Sealed(self.text.encode("utf-8")), Path()).open()

    def set_value(self, path: KeyPath, value: Any) -> None:
        """Give a key a value, a mapping as an inline table; a key that has it stays as it is."""
        found = self._value(path)
        if type(found) is type(value) and found == value:
            return
        holder = self._holder(path)
        if holder is not None:
            self._rewrite(holder, path, value)
            return
        self.remove(path)
        self._add(path, value)

    def set_table(self, path: KeyPath, values: Mapping[str, Any]) -> None:
        """Have a table say these values and no others; the comments in it stay."""
        if not isinstance(self._value(path), Mapping):
            self.remove(path)
        for name in (self._value(path) or {}).keys() - values.keys():
            self.remove((*path, name))
        for name, value in values.items():
            self.set_value((*path, name), value)
        self.begin_table(path)

    def begin_table(self, path: KeyPath) -> None:
        """Have a table, empty if it is not there."""
        if self._value(path) is not None:
            return
        holder = self._holder(path)
        if holder is None:
            self._add_table(path)
        else:
            self._rewrite(holder, path, {})

    def remove(self, path: KeyPath) -> None:
        """Remove a key or a table with all that is in it; nothing happens if it is not there."""
        holder = self._holder(path)
        if holder is not None and self._expressions[holder].path != path:
            if self._value(path) is not None:
                self._rewrite(holder, path, None)
            return
        found = (i for i, expression in enumerate(self._expressions) if expression.below(path))
        removed = {place for index in found for place in self._extent(index)}
        kept = (e for i, e in enumerate(self._expressions) if i not in removed)
        self._expressions = list(kept)

    def _extent(self, index: int) -> range:
        """What goes with an expression: of a header, its keys, and the blank lines before it."""
        begin, end = index, self._last_value(index) + 1
        while self._expressions[index].is_header and begin and self._is_blank(begin - 1):
            begin -= 1
        return range(begin, end)

    def _value(self, path: KeyPath) -> Any:
        found: Any = self.values
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _holder(self, path: KeyPath) -> int | None:
        """The expression whose value is at a path, or has it within an inline table."""
        for index, expression in enumerate(self._expressions):
            if expression.has_value and expression.path == path[: len(expression.path)]:
                return index
        return None

    def _rewrite(self, index: int, path: KeyPath, value: Any) -> None:
        """Change a value within one expression; None removes it."""
        expression = self._expressions[index]
        document = tomlkit.parse(expression.text)
        table: Any = document
        *parents, last = path[len(expression.table) :]
        for name in parents:
            if name not in table:
                table[name] = tomlkit.inline_table()
            table = table[name]
        if value is None:
            table.remove(last)
        else:
            table[last] = _item(value)
        self._expressions[index] = replace(expression, text=document.as_string())

    def _add(self, path: KeyPath, value: Any) -> None:
        table = path[:-1]
        dotted = self._last_dotted(table)
        if dotted is not None:
            index, table = dotted + 1, self._expressions[dotted].table
        else:
            if table and self._header(table) is None:
                self._add_table(table)
            index = self._place_in(table)
        indent = re.match(r"[ \t]*", self._expressions[index - 1].text if index else "")
        key = tomlkit.key(list(path[len(table) :])).as_string()
        line = f"{indent[0] if indent else ''}{key} = {_item(value).as_string()}{self._newline}"
        self._insert(index, Expression(line, table, path))
        following = self._expressions[index + 1 : index + 2]
        if not table and not any(expression.has_value for expression in following):
            self._separate(index + 1)

    def _last_dotted(self, table: KeyPath) -> int | None:
        """The last key of a table that is written with dots, in another table."""
        found = None
        for index, expression in enumerate(self._expressions):
            if expression.has_value and expression.below(table):
                found = index if len(expression.table) < len(table) else found
        return found

    def _place_in(self, table: KeyPath) -> int:
        """Where a further key of a table belongs: after its last one."""
        header = self._header(table)
        if header is not None:
            return self._last_value(header) + 1
        last = self._last_value(-1)
        return last + 1 if last >= 0 else self._end_of_block(-1)

    def _add_table(self, table: KeyPath) -> None:
        """Begin a table: before those within it, else after its parent, else at the end."""
        inner = [i for i, e in enumerate(self._expressions) if e.is_header and e.below(table)]
        near = [i for i, e in enumerate(self._expressions) if e.below(table[:-1]) and e.is_header]
        if inner:
            index = self._end_of_block_before(inner[0])
        elif near and len(table) > 2:  # noqa: PLR2004  # a new profile goes to the end
            index = self._end_of_block(near[-1])
        else:
            index = len(self._expressions)
        header = tomlkit.key(list(table)).as_string()
        self._insert(index, Expression(f"[{header}]{self._newline}", (), table, is_header=True))
        self._separate(index + 1)
        self._separate(index)

    def _header(self, table: KeyPath) -> int | None:
        for index, expression in enumerate(self._expressions):
            if expression.is_header and expression.path == table:
                return index
        return None

    def _last_value(self, header: int) -> int:
        """The last key of the block that begins at an index, else the index itself."""
        last = header
        if header < 0 or self._expressions[header].is_header:
            for index in range(header + 1, self._next_header(header)):
                if self._expressions[index].has_value:
                    last = index
        return last

    def _next_header(self, index: int) -> int:
        following = range(index + 1, len(self._expressions))
        return next((i for i in following if self._expressions[i].is_header), following.stop)

    def _end_of_block(self, header: int) -> int:
        """Where a block ends: the comment right above the next header belongs to that."""
        return self._end_of_block_before(self._next_header(header))

    def _end_of_block_before(self, index: int) -> int:
        if index < len(self._expressions):
            while index and not (self._expressions[index - 1].path or self._is_blank(index - 1)):
                index -= 1
        while index and self._is_blank(index - 1):
            index -= 1
        return index

    def _is_blank(self, index: int) -> bool:
        return self._expressions[index].is_blank

    def _insert(self, index: int, expression: Expression) -> None:
        if index and not self._expressions[index - 1].text.endswith("\n"):
            before = self._expressions[index - 1]
            self._expressions[index - 1] = replace(before, text=before.text + self._newline)
        self._expressions.insert(index, expression)

    def _separate(self, index: int) -> None:
        """Have a blank line between an expression and the one before it, if there are both."""
        if 0 < index < len(self._expressions) and not (
            self._is_blank(index - 1) or self._is_blank(index)
        ):
            self._expressions.insert(index, Expression(self._newline, ()))


def _expressions(text: str) -> Iterator[Expression]:
    table: KeyPath = ()
    begun = ""
    for line in _LINE.findall(text):
        begun += line
        try:
            content = tomlkit.parse(begun).unwrap()
        except ParseError:  # a value that goes on in the next line
            continue
        if begun.lstrip(" \t").startswith("["):
            table = tuple(_only_keys(content))
            yield Expression(begun, (), table, is_header=True)
        elif content:
            key, _ = tomlkit.key_value(begun)
            yield Expression(begun, table, (*table, *(part.key for part in key)))
        else:
            yield Expression(begun, table)
        begun = ""


def _only_keys(content: Any) -> Iterator[str]:
    """The names in a header: of a table, or of an array of tables."""
    while content:
        if isinstance(content, list):
            content = content[0]
        else:
            ((name, content),) = content.items()
            yield name


def _item(value: Any) -> Any:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update({name: _item(inner) for name, inner in value.items()})
        return table
    if isinstance(value, (list, tuple)):
        array = tomlkit.array()
        array.extend(map(_item, value))
        return array
    return tomlkit.item(value)

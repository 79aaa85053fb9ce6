"""The table of operations in emulator-operations.md; ``python -m`` and this module write it."""

from __future__ import annotations

from collections import defaultdict

from dfns_signers.emulator.resources import behaving_routes
from dfns_signers.operations import operations
from tests.support.pages import DOCS

PAGE = DOCS / "emulator-operations.md"
HEAD = "| path | behaves | keeps |\n|---|---|---|\n"


def operations_table() -> str:
    """A row for each path: the methods that behave, and those that keep what they are given."""
    behaving = {route.operation for route in behaving_routes()}
    methods: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for one in operations():
        methods[one.path][one not in behaving].append(one.method)
    rows = [
        f"| `{path}` | {', '.join(behaves)} | {', '.join(keeps)} |\n"
        for path, (behaves, keeps) in methods.items()
    ]
    return HEAD + "".join(rows)


def page_with_table(page: str) -> str:
    """The page with the table of these operations in the place of its own."""
    before, _, after = page.partition(HEAD)
    rest = after.splitlines(keepends=True)
    end = next((index for index, line in enumerate(rest) if not line.startswith("|")), len(rest))
    return before + operations_table() + "".join(rest[end:])


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text("utf-8")), "utf-8")

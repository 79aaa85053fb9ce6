"""``python -m scripts.renew_operations``: make the table of operations anew.

Methods, paths, names and what is signed are those of the newest SDKs for Python (PyPI) and
TypeScript (npm), shapes those of the latter with some corrections. An operation that is known
keeps its class, and one that neither SDK has stays. A new write is ``escalating`` and not
idempotent until somebody who has read its page says otherwise.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from scripts.renew_operations.corrections import corrected, corrected_types
from scripts.renew_operations.interning import Interning
from scripts.renew_operations.python_sdk import SdkOperation, operations_of

PACKAGE: Final = Path(__file__).parents[2] / "dfns_signers" / "operations"
DECLARED_TYPES: Final = Path(__file__).with_name("declared_types.mjs")
TYPESCRIPT: Final = "typescript@5"  # the last one with an API for JavaScript


def main() -> None:
    """Renew both files, and print what changed and what somebody must look at."""
    with tempfile.TemporaryDirectory() as folder:
        python_version, from_python = _python_sdk(Path(folder))
        version, declared = _typescript_sdk(Path(folder))
    from_typescript = [_operation(row) for row in declared["operations"]]
    source = (
        f"methods, paths and declared types of the official SDKs: TypeScript {version}, "
        f"Python {python_version}, Go v2 2e31bff"
    )
    table, shapes = _read("operations.json"), _read("shapes.json")
    rows = _renewed(table["operations"], from_python, from_typescript)
    paths = {_form(row): f"{row['method']} {row['path']}" for row in rows}
    answers = corrected({paths[_form(row)]: row["shapes"] for row in declared["operations"]})
    _write_table(source, rows)
    types = corrected_types(declared["types"])
    _write_shapes(source, dict(sorted(answers.items(), key=_by_path)), types, shapes)


def _python_sdk(folder: Path) -> tuple[str, list[SdkOperation]]:
    _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "dfns-sdk")
    wheel = next(folder.glob("dfns_sdk-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return wheel.name.split("-")[1], list(operations_of(folder / "dfns_sdk" / "generated"))


def _typescript_sdk(folder: Path) -> tuple[str, dict[str, Any]]:
    _run(
        "npm",
        "install",
        "--silent",
        "--ignore-scripts",
        "--prefix",
        folder,
        "@dfns/sdk",
        TYPESCRIPT,
    )
    modules = folder / "node_modules"
    version = json.loads((modules / "@dfns" / "sdk" / "package.json").read_bytes())["version"]
    declared: dict[str, Any] = json.loads(_run("node", DECLARED_TYPES, modules))
    return version, declared


def _operation(row: dict[str, Any]) -> SdkOperation:
    name = f"{row['group']}.{row['name']}"
    return SdkOperation(row["method"], row["path"], row["signed"], name, row["multipart"])


def _renewed(
    known: list[dict[str, Any]],
    from_python: list[SdkOperation],
    from_typescript: list[SdkOperation],
) -> list[dict[str, Any]]:
    """The rows of the table; the SDK for Python, which is generated more often, comes first."""
    rows = {_form(row): row for row in known}
    found = {_form(one._asdict()): one for one in [*from_typescript, *from_python]}
    for form, one in found.items():
        if form not in rows:
            rows[form] = _new_row(one)
            _say("new", one, f"class {rows[form]['class']}: look at it")
        elif rows[form]["signed"] != one.signed:
            rows[form]["signed"] = one.signed
            _say("changed", one, f"signed is {one.signed}")
    for one in from_typescript:
        if found[_form(one._asdict())].signed != one.signed:
            _say("differs", one, f"signed is {one.signed} in the SDK for TypeScript")
    for form in sorted(rows.keys() - found.keys()):
        print(f"in neither SDK: {form}")
    return sorted(rows.values(), key=lambda row: (row["path"], row["method"]))


def _new_row(one: SdkOperation) -> dict[str, Any]:
    kind = "read" if one.method == "GET" else "escalating"
    row = {
        "method": one.method,
        "path": one.path,
        "signed": one.signed,
        "class": kind,
        "name": one.name,
    }
    return {**row, "multipart": True} if one.multipart else row


def _write_table(source: str, rows: Iterable[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = f'{{\n"source": {json.dumps(source)},\n"operations": [\n{lines}\n]\n}}\n'
    (PACKAGE / "operations.json").write_text(text, encoding="utf-8")


def _write_shapes(
    source: str,
    answers: dict[str, dict[str, Any]],
    recursive: dict[str, Any],
    before: dict[str, Any],
) -> None:
    interning = Interning(before, recursive)
    for schema in [
        *recursive.values(),
        *(one for parts in answers.values() for one in parts.values()),
    ]:
        interning.count(schema)
    operations = {
        name: {
            part: interning.with_inner(schema) if part == "query" else interning.intern(schema)
            for part, schema in parts.items()
        }
        for name, parts in answers.items()
    }
    parts: dict[str, dict[str, Any]] = {
        "enums": interning.enums,
        "types": interning.types,
        "operations": operations,
    }
    blocks = [f'"source": {json.dumps(source)}']
    for name, content in parts.items():
        lines = ",\n".join(f"{json.dumps(key)}: {_compact(content[key])}" for key in content)
        blocks.append(f"{json.dumps(name)}: {{\n{lines}\n}}")
    text = "{\n" + ",\n".join(blocks) + "\n}\n"
    (PACKAGE / "shapes.json").write_text(text, encoding="utf-8")


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PACKAGE / name).read_bytes())
    return content


def _form(row: dict[str, Any]) -> str:
    """Method and path; the SDKs do not agree on the names of placeholders."""
    return f"{row['method']} {re.sub(r'{[^{}]*}', '{}', row['path'])}"


def _by_path(item: tuple[str, Any]) -> tuple[str, str]:
    method, _, path = item[0].partition(" ")
    return path, method


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _say(what: str, one: SdkOperation, note: str) -> None:
    print(f"{what}: {one.method} {one.path} ({one.name}), {note}")


def _run(*command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return done.stdout


if __name__ == "__main__":
    main()

"""The repository's own promises: metadata, constraints, layers."""

from __future__ import annotations

import ast
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.lowest_versions import pin, requirements

ROOT = Path(__file__).parents[2]
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]

# From the ground up; a module may import its own layer and those before it.
LAYERS = (
    ("errors", "closing", "file_modes", "encodings", "algorithms", "signing_key", "near_miss"),
    ("secrets", "hooks", "backends", "plugins", "assertions", "verification", "enrolment"),
    ("signer",),
    ("user_action",),
    ("client",),
    ("config",),
    ("cli",),
)


def layer_of(module: str) -> int | None:
    name = module.split(".")[1] if "." in module else ""
    return next((i for i, names in enumerate(LAYERS) if name in names), None)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_at_load(path: Path) -> list[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [n.module for n in body if isinstance(n, ast.ImportFrom) and n.module]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_direct_dependency_has_a_lower_bound(project: Path) -> None:
    assert [pin(one) for one in requirements(project)]


def test_constraints_pin_versions_and_name_no_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert lines
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+-]*", line) for line in lines)


def test_distribution_has_one_console_script_and_it_loads() -> None:
    scripts = distribution("dfns-signers").entry_points.select(group="console_scripts")

    assert [script.name for script in scripts] == ["dfns-signers"]
    assert callable(next(iter(scripts)).load())


def test_package_is_marked_as_typed() -> None:
    assert (ROOT / "dfns_signers" / "py.typed").exists()


LAYERED = [p for p in sorted((ROOT / "dfns_signers").rglob("*.py")) if layer_of(module_of(p))]


@pytest.mark.parametrize("path", LAYERED, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_the_layers_never_up(path: Path) -> None:
    own = layer_of(module_of(path))
    assert own is not None

    above = [name for name in imports_at_load(path) if (layer_of(name) or 0) > own]

    assert above == []


def test_emulator_imports_nothing_of_the_signing_side_but_errors() -> None:
    imported = {
        name
        for path in (ROOT / "dfns_signers" / "emulator").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.ImportFrom, ast.Import))
        for name in _names(node)
        if name.startswith("dfns_signers") and not name.startswith("dfns_signers.emulator")
    }

    assert imported <= {"dfns_signers.errors"}


def _names(node: ast.ImportFrom | ast.Import) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]

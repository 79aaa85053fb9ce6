"""Imports run down the layers, never up: at load, inside functions, and for types alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGE = ROOT / "dfns_signers"

# From the ground up; a module may import its own layer and those before it.
LAYERS = (
    ("near_miss", "bounded_json", "operations"),
    ("errors", "arguments", "sealed", "private_files", "networks"),
    ("addresses", "defaults", "forks", "retries"),
    ("deadlines", "worker_threads"),
    ("encodings", "algorithms", "public_keys", "announced_call"),
    ("closing", "evidence", "abandoned_signatures", "hook_threads"),
    ("signing_errors", "key_lifetime", "signing_key", "lazy_key"),
    ("secrets", "key_store", "assertions", "verification", "registration", "enrolment"),
    ("backends.options", "backends.management", "backends.diagnosis", "backends.backend"),
    ("hook_registration", "hooks", "plugin"),
    ("backends.pem", "discovery"),
    ("signer",),
    ("user_action", "rate_limits"),
    ("policy", "audit"),
    ("config",),
    ("client",),
    ("lifecycle",),
    ("gateway",),
    ("cli",),
)
OUTSIDE = ("emulator", "pytest_plugin.py")
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py" and path.relative_to(PACKAGE).parts[0] not in OUTSIDE
]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def layer_of(module: str) -> int | None:
    """The layer of a module of ours, given in full; None for any other."""
    inner = module.removeprefix("dfns_signers.")
    for number, names in enumerate(LAYERS):
        if any(f"{inner}.".startswith(f"{name}.") for name in names):
            return number
    return None


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module of ours that is imported anywhere in a tree, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from package import module" names a module by both.
            found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in found if name.startswith("dfns_signers."))


def upward(module: str, source: str) -> list[str]:
    own = layer_of(module)
    assert own is not None, f"{module} is in no layer"
    layers = {name: layer_of(name) for name in imported(ast.parse(source))}
    return sorted(name for name, layer in layers.items() if layer is not None and layer > own)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_the_layers_never_up(path: Path) -> None:
    assert upward(name_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from dfns_signers.signer import KeySigner",
        "import dfns_signers.client.client",
        "from dfns_signers import signer",
        "def late() -> None:\n    from dfns_signers.config import assembly",
        "if TYPE_CHECKING:\n    from dfns_signers.cli.app import app",
    ],
)
def test_upward_import_of_any_form_is_found_in_the_lowest_layer(source: str) -> None:
    assert len(upward("dfns_signers.errors", source)) >= 1


def test_every_layer_has_a_module() -> None:
    assert {layer_of(name_of(path)) for path in MODULES} == set(range(len(LAYERS)))


def test_emulator_imports_nothing_of_the_signing_side() -> None:
    modules = (PACKAGE / "emulator").rglob("*.py")
    found = {name for m in modules for name in imported(ast.parse(m.read_text(encoding="utf-8")))}
    foreign = {name for name in found if not name.startswith("dfns_signers.emulator")}

    assert {".".join(name.split(".")[:2]) for name in foreign} <= {
        "dfns_signers.bounded_json",
        "dfns_signers.errors",
        "dfns_signers.near_miss",
        "dfns_signers.networks",
        "dfns_signers.operations",
    }

"""The repository's own promises: metadata, constraints, layers."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.lowest_versions import pin, requirements
from tests.support import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_direct_dependency_has_a_lower_bound(project: Path) -> None:
    assert [pin(one) for one in requirements(project)]


def test_constraints_pin_versions_and_name_no_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert lines
    pinned = re.compile(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+-]*( ; [a-z_]+ [<>=!]+ .*| ; \(.*)?")
    assert all(pinned.fullmatch(line) for line in lines)
    assert not any("://" in line or "@" in line for line in lines)


def test_distribution_has_one_console_script_and_it_loads() -> None:
    scripts = distribution("dfns-signers").entry_points.select(group="console_scripts")

    assert [script.name for script in scripts] == ["dfns-signers"]
    assert callable(next(iter(scripts)).load())


def modules_imported(path: Path) -> set[str]:
    """Everything that a module imports, at load or later."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.ImportFrom, ast.Import))]
    return {name for node in nodes for name in _names(node)}


def _names(node: ast.ImportFrom | ast.Import) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]


def top_levels(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in modules_imported(path)}


SIGNING_PROJECTS = [
    ROOT / "pyproject.toml",
    *(
        ROOT / "plugins" / name / "pyproject.toml"
        for name in ("aws-kms", "gcp-kms", "vault-transit")
    ),
]


def modules_of(project: Path) -> list[Path]:
    """The modules in the wheel of a project."""
    metadata = tomllib.loads(project.read_text(encoding="utf-8"))
    packages = metadata["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return [path for package in packages for path in (project.parent / package).rglob("*.py")]


@pytest.mark.parametrize("project", SIGNING_PROJECTS, ids=lambda path: path.parent.name)
def test_distribution_that_signs_in_production_starts_no_servers(project: Path) -> None:
    modules = modules_of(project)
    test_machinery = {"subprocess", "multiprocessing", "dfns_signers_testkit", "cloud_kms_emulator"}

    assert modules
    assert [path for path in modules if top_levels(path) & test_machinery] == []


@pytest.mark.parametrize("project", SIGNING_PROJECTS, ids=lambda path: path.parent.name)
def test_distribution_that_signs_in_production_requires_no_test_machinery(project: Path) -> None:
    every = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = every.get("optional-dependencies", {}).values()

    named = [*every["dependencies"], *(one for extra in extras for one in extra)]

    assert [one for one in named if re.match("pytest|dfns-signers-testkit|cloud-kms", one)] == []


@pytest.mark.parametrize(
    ("part", "brought"), [("cli", {"typer", "rich"}), ("gateway", {"h11", "prometheus_client"})]
)
def test_what_an_extra_brings_is_imported_by_its_part_only(part: str, brought: set[str]) -> None:
    package = ROOT / "dfns_signers"
    theirs = set((package / part).rglob("*.py"))
    others = set(package.rglob("*.py")) - theirs

    assert set().union(*map(top_levels, theirs)) >= brought
    assert [path for path in others if top_levels(path) & brought] == []


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_distribution_has_its_licence(project: Path) -> None:
    metadata = tomllib.loads(project.read_text(encoding="utf-8"))["project"]

    assert metadata["license-files"] == ["LICENSE"]
    assert (project.parent / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_package_is_marked_as_typed() -> None:
    assert (ROOT / "dfns_signers" / "py.typed").exists()

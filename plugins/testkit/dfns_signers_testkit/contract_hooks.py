"""Hooks of pytest for the contract of backends: nothing in it is left out in silence."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from typing import Any, Final

import pytest

pytest.register_assert_rewrite("dfns_signers_testkit.contract")

_MARK: Final = "backend_contract"
_NARROWING: Final = ("keyword", "markexpr", "lf", "stepwise")
"""Options of pytest by which its user asks for a part of the tests."""

_DECLARE: Final = "declare what does not apply in 'not_offered', with the reason"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{_MARK}(*needs): a test of the contract of backends, and what it needs"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Drop what a backend does not offer; refuse that anything else is dropped.

    Raises:
        UsageError: a contract test was deselected.
    """
    items[:] = [item for item in items if not _is_not_offered(item)]
    asked = [item for item in items if _is_of_contract(item)]
    yield
    missing = [item.nodeid for item in asked if item not in items]
    if missing and not any(config.getoption(name, None) for name in _NARROWING):
        raise pytest.UsageError(
            f"contract tests were deselected ({', '.join(missing)}): {_DECLARE}"
        )


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Have the collection fail of a module that was skipped with a contract in it."""
    report = yield
    if report.skipped and _holds_contract(collector):
        _fail(report, "a module with a contract of a backend was skipped")
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a contract test fail that was skipped, or expected to fail."""
    report = yield
    if _is_of_contract(item) and (report.skipped or hasattr(report, "wasxfail")):
        _fail(report, "a test of the contract was skipped or expected to fail")
        vars(report).pop("wasxfail", None)
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report what each contract says is not offered."""
    declared = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        for name, value in report.user_properties
        if name == "not offered"
    ]
    lines = list(_lines(declared))
    if lines:
        terminalreporter.section("not offered by backends")
        for line in lines:
            terminalreporter.write_line(line)


def _fail(report: pytest.CollectReport | pytest.TestReport, what: str) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{what} ({reason}): {_DECLARE}"


def _lines(declared: Iterable[Mapping[str, Mapping[str, str]]]) -> Iterable[str]:
    for contract in declared:
        for backend, not_offered in contract.items():
            for name, reason in not_offered.items():
                yield f"{backend}: {name} ({reason})"


def _holds_contract(collector: pytest.Collector) -> bool:
    """Judged by its source alone, for a module that was skipped was not imported to its end."""
    return isinstance(collector, pytest.Module) and "BackendContract" in collector.path.read_text(
        encoding="utf-8"
    )


def _is_of_contract(item: pytest.Item) -> bool:
    return item.get_closest_marker(_MARK) is not None


def _is_not_offered(item: pytest.Item) -> bool:
    """Whether a test needs what is declared as not offered, or what this system has not."""
    needs = {need for mark in item.iter_markers(_MARK) for need in mark.args}
    if "fork" in needs:
        return not hasattr(os, "fork")
    not_offered = getattr(getattr(item, "cls", None), "not_offered", {})
    return bool(needs) and needs <= set(not_offered)

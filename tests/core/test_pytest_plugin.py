from __future__ import annotations

import subprocess
import sys

import pytest


def test_users_test_gets_a_running_emulator(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_it(dfns_emulator):
            headers = {"Authorization": f"Bearer {dfns_emulator.auth_token}"}
            assert httpx.get(dfns_emulator.url + "/wallets", headers=headers).status_code == 200
        """
    )

    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_options_of_the_emulator_can_be_overridden(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def dfns_emulator_options():
            return {"token": "given-by-the-test"}

        def test_it(dfns_emulator):
            assert dfns_emulator.auth_token == "given-by-the-test"
        """
    )

    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_pytest_starts_where_the_extra_of_the_emulator_is_not_installed() -> None:
    code = (
        "import sys; sys.modules.update(starlette=None, uvicorn=None); "
        "import dfns_signers.pytest_plugin"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

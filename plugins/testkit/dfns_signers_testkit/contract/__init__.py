"""The contract of backends as tests: inherit BackendContract in one file of a backend's suite.

Needs the extra ``contract``. A contract test is never skipped: what does not apply is declared in
``not_offered``, with the reason.
"""

from __future__ import annotations

from typing import Any

from dfns_signers_testkit.contract.configuration import ConfigurationContract
from dfns_signers_testkit.contract.declarations import NOT_OFFERABLE, StoreUnderTest
from dfns_signers_testkit.contract.lifetime import LifetimeContract
from dfns_signers_testkit.contract.management import ManagementContract
from dfns_signers_testkit.contract.signatures import SignatureContract

__all__ = ["NOT_OFFERABLE", "BackendContract", "StoreUnderTest"]


class BackendContract(
    ConfigurationContract, SignatureContract, LifetimeContract, ManagementContract
):
    """What every backend keeps; a backend's suite has a subclass of it.

    Example:
        A file ``test_contract.py``, complete for a store that has Ed25519 keys only::

            class TestContract(BackendContract):
                backend = "my-hsm"
                algorithms = ("Ed25519",)
                options_page = Path("README.md")
                not_offered = {"create": "keys are made at the HSM", ...}

                @pytest.fixture(scope="class")
                @classmethod
                def store(cls) -> StoreUnderTest:
                    return StoreUnderTest(
                        signers={"Ed25519": {"label": "wallets"}},
                        missing_key={"label": "nobody"},
                    )
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        changed = [
            name
            for name in dir(BackendContract)
            if name.startswith(("test_", "pytest_"))
            and getattr(cls, name, None) is not getattr(BackendContract, name)
        ]
        if changed or "__test__" in vars(cls):
            raise TypeError(
                f"{cls.__name__} changes {', '.join(changed) or '__test__'} of the contract: "
                "declare what does not apply in 'not_offered', with the reason"
            )

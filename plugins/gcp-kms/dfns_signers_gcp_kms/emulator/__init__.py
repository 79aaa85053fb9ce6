"""A Google Cloud KMS for tests: a gRPC server on this machine, with Google's own messages."""

from dfns_signers_gcp_kms.emulator.dispatch import RecordedCall
from dfns_signers_gcp_kms.emulator.emulator import CloudKmsEmulator
from dfns_signers_gcp_kms.emulator.faults import Fault, FaultQueue

__all__ = ["CloudKmsEmulator", "Fault", "FaultQueue", "RecordedCall"]

"""A Google Cloud KMS for tests: a gRPC server on this machine, with Google's own messages."""

from cloud_kms_emulator.dispatch import RecordedCall
from cloud_kms_emulator.emulator import CloudKmsEmulator
from cloud_kms_emulator.faults import Fault, FaultQueue

__all__ = ["CloudKmsEmulator", "Fault", "FaultQueue", "RecordedCall"]

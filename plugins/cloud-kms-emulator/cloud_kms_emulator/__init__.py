"""A local emulator of Google Cloud KMS: a gRPC server with Google's own messages, for tests."""

from cloud_kms_emulator.dispatch import RecordedCall
from cloud_kms_emulator.emulator import CloudKmsEmulator
from cloud_kms_emulator.faults import Fault, FaultQueue

__all__ = ["CloudKmsEmulator", "Fault", "FaultQueue", "RecordedCall"]

"""``python -m cloud_kms_emulator``."""

import sys

from cloud_kms_emulator.command_line import main

sys.exit(main())

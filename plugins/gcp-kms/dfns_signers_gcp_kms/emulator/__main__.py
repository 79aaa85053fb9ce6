"""``python -m dfns_signers_gcp_kms.emulator``."""

import sys

from dfns_signers_gcp_kms.emulator.command_line import main

sys.exit(main())

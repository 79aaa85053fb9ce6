"""Where the fake server has its key."""

FAKE_SIGN = "/v1/transit/sign/k"
FAKE_READ = "/v1/transit/keys/k"

"""Health, metrics, logs and records of a running gateway."""

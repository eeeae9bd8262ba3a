"""Measured workloads, each beside a bare one-row INSERT commit of the same run. `python -m benchmarks`."""

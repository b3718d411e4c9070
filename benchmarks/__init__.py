"""Benchmarks: each prints a table, with the peers that PyPI has in the same run."""

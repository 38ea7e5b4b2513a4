"""Benchmarks: each prints its figures beside what it is compared to, and asserts nothing."""

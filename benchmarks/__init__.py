"""Benchmarks: ratios measured in one run, absolute figures beside a fixed yardstick. `make bench` prints them all."""

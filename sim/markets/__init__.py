"""Markets: lending pools, AMMs, the outside market and the oracle."""

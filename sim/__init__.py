"""undertow: an agent-based simulator of a DeFi protocol economy."""

__version__ = "0.1.0"

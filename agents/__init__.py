"""The agents: one file per kind, motives and decisions only; none of them ever writes a market's state."""

"""Studies: many runs of one declared design, and what can be said of them with their uncertainty."""

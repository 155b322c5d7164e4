"""Sensitivity: which of many fields move a figure, by elementary effects (Morris) or shares of variance (Sobol)."""

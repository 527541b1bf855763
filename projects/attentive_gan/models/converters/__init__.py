"""Weights of other implementations, converted for these networks."""

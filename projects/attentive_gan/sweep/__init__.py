"""Sweeps: several configs trained under an equal budget and compared."""

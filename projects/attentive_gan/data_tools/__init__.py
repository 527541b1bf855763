"""Checks, sheets, calibration and rendering of data sets."""

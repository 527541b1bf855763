"""Restoration of videos."""

"""Networks as files for other programs, each checked against PyTorch before it is written."""

from __future__ import annotations

from .checking import Check
from .exporting import FORMATS, Export, export, format_of

__all__ = ['FORMATS', 'Check', 'Export', 'export', 'format_of']

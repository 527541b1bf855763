"""A local web page that restores one image at a time and stores nothing."""

from __future__ import annotations

from .jobs import Jobs
from .results import Results, restore_file
from .server import Limits, create_app
from .serving import listen, serve

__all__ = ['Jobs', 'Limits', 'Results', 'create_app', 'listen', 'restore_file', 'serve']

"""A local web page to try the restorer: one image at a time, nothing kept."""

from __future__ import annotations

from .jobs import Jobs
from .results import Results, restore_file
from .server import Limits, create_app
from .serving import listen, serve

__all__ = ['Jobs', 'Limits', 'Results', 'create_app', 'listen', 'restore_file', 'serve']

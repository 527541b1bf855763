"""A local web page that restores one image at a time and stores nothing."""

from __future__ import annotations

from .access import Access
from .jobs import Jobs
from .limits import Limits
from .results import Results, restore_file
from .server import create_app
from .serving import listen, serve

__all__ = ['Access', 'Jobs', 'Limits', 'Results', 'create_app', 'listen', 'restore_file', 'serve']

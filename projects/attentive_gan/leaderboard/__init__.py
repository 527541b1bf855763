"""Restorers side by side: every output written, scored from its file, ranked and shown on a page.

`tools/leaderboard.py` is its command line, docs/leaderboard.md says what it guarantees. The one room above
`engine`; nothing imports it.
"""

from __future__ import annotations

from .data import BenchmarkData, Layout, open_data
from .entries import Entry, gather_entries, parse_entry, read_entries
from .evaluation import Plan, Reporter, evaluate, write_data_images
from .lpips_distance import find_lpips
from .measuring import CostSetting
from .page import write_page
from .results import EntryResult, read_result, read_results
from .statistics import Mean, bootstrap_mean, paired_difference
from .summary import Row, Summary, summarise, write_summary

__all__ = [
    'BenchmarkData',
    'CostSetting',
    'Entry',
    'EntryResult',
    'Layout',
    'Mean',
    'Plan',
    'Reporter',
    'Row',
    'Summary',
    'bootstrap_mean',
    'evaluate',
    'find_lpips',
    'gather_entries',
    'open_data',
    'paired_difference',
    'parse_entry',
    'read_entries',
    'read_result',
    'read_results',
    'summarise',
    'write_data_images',
    'write_page',
    'write_summary',
]

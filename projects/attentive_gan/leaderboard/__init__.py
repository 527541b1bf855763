"""Compares networks and folders of restored images on one data set.

Every image is written as PNG and scored from its file; a page shows ranking and images.
`tools/leaderboard.py` is the command line, docs/leaderboard.md the documentation.
"""

from __future__ import annotations

from attentive_gan.evaluation.lpips_distance import find_lpips

from .cost import Cost, CostSetting
from .data import DatasetInfo, Layout, open_data
from .entries import Entry, gather_entries, parse_entry, read_entries
from .evaluation import Plan, evaluate, write_data_images
from .page import write_page
from .result_reading import read_result
from .results import EntryResult
from .statistics import Mean, bootstrap_mean, paired_difference
from .summary import Summary, summarize, write_summary

__all__ = [
    'Cost',
    'CostSetting',
    'DatasetInfo',
    'Entry',
    'EntryResult',
    'Layout',
    'Mean',
    'Plan',
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
    'summarize',
    'write_data_images',
    'write_page',
    'write_summary',
]

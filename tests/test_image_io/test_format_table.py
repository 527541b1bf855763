"""The tables of formats in docs/restore.md are what reading and writing give."""

from __future__ import annotations

import importlib.util

import pytest
from PIL import features
from support import format_table

COMPLETE = importlib.util.find_spec('pi_heif') and 'avif' in features.modules
COMPLETE = bool(COMPLETE and features.check('avif'))


@pytest.mark.skipif(not COMPLETE, reason='needs pi-heif and Pillow with AVIF')
def test_the_page_says_what_was_found():
    page = format_table.PAGE.read_text('utf-8')
    assert format_table.BEGIN in page
    found = format_table.tables()
    assert found in page, 'run: python tests/support/format_table.py --write'


def test_a_cell_that_is_not_true_is_replaced():
    page = f'before\n{format_table.BEGIN}\n| JPEG | yes |\n{format_table.END}\nafter'
    assert format_table.in_page(page, '\\1') == 'before\n\\1\nafter'

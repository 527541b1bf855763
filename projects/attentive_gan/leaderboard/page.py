"""Page of a leaderboard: one HTML file, which needs no network and no server."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from attentive_gan.utils.atomic_io import write_text
from attentive_gan.web import read_asset

from .evaluation import DATA_IMAGES
from .outputs import ATTENTION, IMAGES
from .page_table import header, table_cells
from .plot import plots
from .results import ENTRIES
from .scoring import RANKED_BY
from .statistics import LEVEL, RESAMPLES
from .summary import Row, Summary

#: Names of the kinds of entries on the page.
KINDS = {
    'config': 'trained network',
    'weights': 'trained network',
    'folder': 'images from elsewhere',
    'input': 'reference line',
    'inpainting': 'reference line, uses the true mask',
}


def write_page(summary: Summary, out: Path) -> Path:
    """Write `index.html`, which shows the images in its folder.

    Args:
        summary: The leaderboard.
        out: Its folder.

    Returns:
        The page.

    Raises:
        UserError: It cannot be written.
    """
    write_text(out / 'index.html', render_page(summary))
    return out / 'index.html'


def render_page(summary: Summary) -> str:
    """Return the page as HTML; every text except our own style and script is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(partial(read_asset, package=__package__)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template('page.html.j2').render(
        summary=summary,
        data=summary.data,
        protocols=summary.scoring.protocols,
        kinds=KINDS,
        header=header(summary),
        cells=[table_cells(row, summary) for row in summary.rows],
        plots=plots(summary),
        viewer=viewer(summary),
        published=json.loads(read_asset('published.json', __package__)),
        ranked_by=RANKED_BY.partition('_')[0],
        level=f'{LEVEL:.0%}',
        resamples=RESAMPLES,
        style=Markup(read_asset('look.css') + read_asset('style.css', __package__)),  # noqa: S704 -- our own file
        script=Markup(read_asset('slider.js') + read_asset('script.js', __package__)),  # noqa: S704 -- our own file
        entries_folder=ENTRIES,
    )


def viewer(summary: Summary) -> dict[str, Any]:
    """Return the data of the page's script: names, files and scores."""
    records = summary.rows[0].result.records
    files = [
        quote(f'{record["name"]}.png', safe='', errors='surrogateescape') for record in records
    ]
    return {
        'names': [_shown(record['name']) for record in records],
        'files': files,
        'sizes': [[record['width'], record['height']] for record in records],
        'rainy': f'{DATA_IMAGES}/rainy/',
        'clean': f'{DATA_IMAGES}/clean/',
        'reference': summary.reference,
        'entries': [_entry(row) for row in summary.rows],
    }


def _entry(row: Row) -> dict[str, Any]:
    """Return the data of an entry; scores are rounded, infinite ones null."""
    result = row.result
    folder = f'{ENTRIES}/{quote(result.folder, safe="")}'
    mapped = set(result.attention)
    return {
        'name': result.name,
        'kind': result.kind,
        'images': f'{folder}/{IMAGES}/',
        'attention': f'{folder}/{ATTENTION}/' if mapped else '',
        'mapped': [int(record['name'] in mapped) for record in result.records] if mapped else [],
        'scores': {
            key: [round(value, 4) if np.isfinite(value) else None for value in result.values(key)]
            for key in result.means
        },
    }


def _shown(name: str) -> str:
    """Return a file name as text; bytes that are not UTF-8 become replacement characters."""
    return name.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')

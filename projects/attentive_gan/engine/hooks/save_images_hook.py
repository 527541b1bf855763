"""Writes the restored images of a test."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from mmagic.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from attentive_gan.evaluation.panels import comparison_panels
from attentive_gan.image_io.comparison import comparison_grid, comparison_row
from attentive_gan.image_io.writing import write_image

#: Number of comparisons in an overview.
OVERVIEW_ROWS = 8


@HOOKS.register_module()
class SaveImagesHook(Hook):
    """Writes a comparison and the restored image of every input of a test.

    Files are `<work_dir>/images/<data set>/{comparison,restored}/<name>.png`, and `overview.png` with
    the first comparisons of a data set.

    Args:
        comparison: Whether to write rainy, attention maps, restored and clean side by side.
        restored: Whether to write the restored images alone.
    """

    priority = 'LOW'

    def __init__(self, comparison: bool = True, restored: bool = True) -> None:
        self.comparison = comparison
        self.restored = restored
        self._overviews: dict[Path, list[np.ndarray]] = {}
        self._names: dict[str, str] = {}

    def after_test_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Write the images of a batch."""
        dataset = runner.test_loop.dataloader.dataset
        folder = Path(runner.work_dir) / 'images' / dataset.metainfo.get('dataset_name', 'test')
        if batch_idx == 0:
            self._names = unique_names(dataset)
        for sample in outputs or []:
            path = str(sample.metainfo['img_path'])
            stem = self._names.get(path, Path(path).stem)
            panels = comparison_panels(sample)
            if self.comparison:
                row = comparison_row(panels)
                write_image(folder / 'comparison' / f'{stem}.png', row)
                rows = self._overviews.setdefault(folder, [])
                if len(rows) < OVERVIEW_ROWS:
                    rows.append(row)
            if self.restored:
                write_image(folder / 'restored' / f'{stem}.png', dict(panels)['restored'])

    def after_test(self, runner: Any) -> None:
        """Write the overviews and log the folder."""
        if is_main_process():
            for folder, rows in self._overviews.items():
                write_image(folder / 'overview.png', comparison_grid(rows))
            self._overviews.clear()
            runner.logger.info(f'Images are in {Path(runner.work_dir) / "images"}')


def unique_names(dataset: Any) -> dict[str, str]:
    """Return names by path for the images of a data set whose stems are not unique.

    The folders become a part of the name, since photos in several folders often have equal names.

    Args:
        dataset: Data set with `get_data_info`; others give no names.
    """
    if not hasattr(dataset, 'get_data_info'):
        return {}
    infos = (dataset.get_data_info(index) for index in range(len(dataset)))
    paths = [str(info['img_path']) for info in infos if 'img_path' in info]
    counts = Counter(Path(path).stem for path in paths)
    repeated = [Path(path) for path in paths if counts[Path(path).stem] > 1]
    if not repeated:
        return {}
    root = os.path.commonpath([path.parent for path in repeated])
    short = {path: '_'.join(path.relative_to(root).with_suffix('').parts) for path in repeated}
    if len(set(short.values())) == len(short):
        return {str(path): name for path, name in short.items()}
    return {str(path): '_'.join(path.relative_to(root).parts) for path in repeated}

"""Hooks that show what the network does: a fixed sample grid in training, restored files in tests."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmagic.registry import HOOKS
from mmengine.dist import is_main_process, master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from attentive_gan.compat.mmagic import DataSample
from attentive_gan.image_io.comparison import attention_image, comparison_grid, comparison_row

#: Comparisons in an overview.
OVERVIEW_ROWS = 8


def to_image(tensor: torch.Tensor) -> np.ndarray:
    """Turn a tensor (3, H, W) or (1, H, W) in [0, 1] into an image (H, W, 3) uint8, clamped."""
    array = tensor.detach().float().clamp(0, 1).mul(255).round().byte().cpu().numpy()
    return np.repeat(array, 3 // array.shape[0], axis=0).transpose(1, 2, 0)


def comparison_panels(sample: DataSample) -> list[tuple[str, np.ndarray]]:
    """Collect the images of a tested sample with captions.

    Args:
        sample: A data sample after `test_step`: `input`, `output.pred_img`, `gt_img` (3, H, W) in
            [0, 255] and BGR, and `output.attention` (steps, H, W) in [0, 255] where there is any.

    Returns:
        (caption, image (H, W, 3) uint8 in RGB) for rainy, attention maps, restored and clean.
    """
    panels = [('rainy', to_image(sample.input.flip(0) / 255))]
    maps = sample.output.get('attention')
    for step, attention in enumerate([] if maps is None else maps):
        colours = attention_image(attention.float().cpu().numpy() / 255)
        panels.append((f'attention {step + 1}', colours))
    panels.append(('restored', to_image(sample.output.pred_img.flip(0) / 255)))
    if 'gt_img' in sample:
        panels.append(('clean', to_image(sample.gt_img.flip(0) / 255)))
    return panels


@HOOKS.register_module()
class SampleGridHook(Hook):
    """Shows the same validation images during training, in TensorBoard and as files.

    Args:
        interval: Iterations between two grids.
        count: Images in the grid, the first ones of the validation set.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, count: int = 4) -> None:
        self.interval = interval
        self.count = count

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Draw the grid when it is due."""
        if self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner):
            self._draw(runner)

    @master_only
    def _draw(self, runner: Any) -> None:
        """Restore the sample images and hand the grid to the visualizer."""
        if runner.val_loop is None:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        dataset = runner.val_loop.dataloaders[0].dataset
        model.eval()
        rows = []
        with torch.no_grad():
            for index in range(min(self.count, len(dataset))):
                item = dataset[index]
                batch = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
                rows.append(comparison_row(comparison_panels(model.test_step(batch)[0])))
        model.train()
        runner.visualizer.add_image('samples', comparison_grid(rows), step=runner.iter + 1)


@HOOKS.register_module()
class SaveImagesHook(Hook):
    """Writes what was restored in a test: one comparison and one plain image per input.

    Files are `<work_dir>/images/<data set>/{comparison,restored}/<name>.png`, so that data sets with
    equal file names keep apart, and `overview.png` with the first comparisons.

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
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: list[DataSample] | None = None,
    ) -> None:
        """Write the images of a batch."""
        loop = runner.test_loop
        dataset = loop.dataloader.dataset
        name = dataset.metainfo.get('dataset_name', 'test')
        if batch_idx == 0:
            self._names = longer_names(dataset)
        for sample in outputs or []:
            path = str(sample.metainfo['img_path'])
            stem = self._names.get(path, Path(path).stem)
            panels = comparison_panels(sample)
            folder = Path(runner.work_dir) / 'images' / str(name)
            if self.comparison:
                row = comparison_row(panels)
                _write(folder / 'comparison' / f'{stem}.png', row)
                rows = self._overviews.setdefault(folder, [])
                if len(rows) < OVERVIEW_ROWS:
                    rows.append(row)
            if self.restored:
                _write(folder / 'restored' / f'{stem}.png', dict(panels)['restored'])

    def after_test(self, runner: Any) -> None:
        """Write the overviews and say where the images are."""
        if is_main_process():
            for folder, rows in self._overviews.items():
                _write(folder / 'overview.png', comparison_grid(rows))
            self._overviews.clear()
            runner.logger.info(f'Images are in {Path(runner.work_dir) / "images"}')


def longer_names(dataset: Any) -> dict[str, str]:
    """Return names by path for the images of a data set whose stems are not unique.

    Photos in several folders often have equal names; the folders become a part of the name then.
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
    return {str(path): '_'.join(path.relative_to(root).parts) for path in repeated}


def _write(path: Path, image: np.ndarray) -> None:
    """Write an RGB image as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = cv2.imencode('.png', image[..., ::-1])[1]
    path.write_bytes(data.tobytes())

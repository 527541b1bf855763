"""MMagic metric: PSNR and SSIM under named protocols, kept per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmagic.registry import METRICS
from mmengine.logging import MMLogger

from attentive_gan.compat.mmagic import BaseSampleWiseMetric
from attentive_gan.errors import UserError
from attentive_gan.utils.types import ImageArray

from .lpips_distance import find_lpips
from .ntire import DESCRIPTION, NTIRE, ntire_scores
from .protocols import PROTOCOLS, score_image


def saved_image(tensor: torch.Tensor) -> ImageArray:
    """Convert a predicted image to the 8-bit image that would be saved: clamped and rounded.

    Args:
        tensor: BGR (3, H, W) in [0, 255], the output of MMagic's preprocessor after validation and
            test steps, whatever the colour order of the config.

    Returns:
        RGB (H, W, 3) uint8.

    Raises:
        ValueError: A value is NaN; saved, it would be an arbitrary colour.

    Example:
        >>> saved_image(torch.tensor([-3.0, 127.6, 300.0]).view(3, 1, 1)).tolist()
        [[[255, 128, 0]]]
    """
    values = tensor.detach().float()
    if values.isnan().any():
        raise ValueError('it has values that are not numbers (NaN)')
    image = values.clamp(0, 255).round().byte().cpu().numpy()
    return np.ascontiguousarray(image.transpose(1, 2, 0)[..., ::-1])


def check_colour_order(sample: Mapping[str, Any]) -> None:
    """Refuse images whose colour order MMagic's preprocessor had to guess.

    It assumes BGR where no order is recorded, and where images were loaded as `unchanged`
    (mmagic/models/data_preprocessors/data_preprocessor.py). RGB images would then be scored with red
    and blue exchanged, which changes luma scores without any error.

    Args:
        sample: A tested sample with the metadata of its loading transform.

    Raises:
        ValueError: The order is not recorded, or not used.
    """
    for key in ('img', 'gt'):
        order = str(sample.get(f'{key}_channel_order') or '').lower()
        guessed = sample.get(f'{key}_color_type') == 'unchanged' and order != 'bgr'
        if not order or guessed:
            raise ValueError(
                f'{key}_channel_order is not recorded or not used, so red and blue may be '
                "exchanged; load images by LoadRainyCleanPair, or with color_type='color'"
            )


def mean_scores(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean of every score over the images, without infinite values.

    Args:
        records: One per image, with `name`, `path` and the scores.

    Returns:
        Means by key; infinite where every value is.

    Example:
        >>> mean_scores([{'name': 'a', 'psnr': 30.0}, {'name': 'b', 'psnr': float('inf')}])
        {'psnr': 30.0}
    """
    means = {}
    for key in (key for key in records[0] if key not in ('name', 'path')):
        finite = [record[key] for record in records if np.isfinite(record[key])]
        means[key] = float(np.mean(finite)) if finite else float('inf')
    return means


@METRICS.register_module()
class RaindropScores(BaseSampleWiseMetric):
    """PSNR and SSIM under one or more protocols; keys are `<prefix>/<protocol>_psnr` and `_ssim`.

    Images are scored as they would be saved: clamped, rounded, 8 bits. The mean of a PSNR is the
    mean of the images' PSNRs; equal images, whose PSNR is infinite, are logged and left out.

    Args:
        protocols: Names in `PROTOCOLS`, or `ntire` for the score of the NTIRE challenges (`ntire_scores`);
            its LPIPS needs torchmetrics and weights, and is left out where they are missing.
        score_input: Also score the rainy image, as `<prefix>/input_<protocol>_psnr`.
        prefix: Name of the data set, first part of all keys.
        collect_device: Where results of several processes are gathered, `cpu` or `gpu`.

    Attributes:
        records: One record per image of the last evaluation, in the data set's order; first process only.

    Raises:
        UserError: A protocol is unknown.
    """

    metric = 'raindrop_scores'

    def __init__(
        self,
        protocols: Sequence[str] = ('qian', 'bt601'),
        score_input: bool = True,
        prefix: str | None = None,
        collect_device: str = 'cpu',
    ) -> None:
        super().__init__(prefix=prefix, collect_device=collect_device)
        there_are = (*PROTOCOLS, NTIRE)
        unknown = [name for name in protocols if name not in there_are]
        if unknown:
            raise UserError(f'unknown protocol {unknown[0]!r}; there are: {", ".join(there_are)}')
        self.protocols = tuple(protocols)
        self.lpips = None
        if NTIRE in protocols:
            self.lpips, note = find_lpips()
            if self.lpips is None:
                MMLogger.get_current_instance().warning(
                    f'{note}; protocol {NTIRE} gives score_without_lpips, which is no NTIRE score'
                )
        self.score_input = score_input
        self.records: list[dict[str, Any]] = []

    def process(
        self,
        data_batch: Sequence[Mapping[str, Any]],
        data_samples: Sequence[Mapping[str, Any]],
    ) -> None:
        """Score the images of a batch.

        Args:
            data_batch: Not used.
            data_samples: Tested samples: `gt_img`, `input`, `output.pred_img`, `img_path`.

        Raises:
            UserError: An image cannot be scored.
        """
        for sample in data_samples:
            path = str(sample['img_path'])
            try:
                self.results.append({'name': Path(path).stem, 'path': path, **self._scores(sample)})
            except ValueError as error:
                raise UserError(f'{path} cannot be scored: {error}') from error

    def _scores(self, sample: Mapping[str, Any]) -> dict[str, float]:
        """Score a restored image and, with `score_input`, the rainy one."""
        check_colour_order(sample)
        gt = saved_image(sample['gt_img'])
        scores = self._scores_of(saved_image(sample['output']['pred_img']), gt)
        if self.score_input:
            rainy = self._scores_of(saved_image(sample['input']), gt)
            scores |= {f'input_{key}': value for key, value in rainy.items()}
        return scores

    def _scores_of(self, pred: ImageArray, gt: ImageArray) -> dict[str, float]:
        """Score one image by all protocols."""
        scores = score_image(pred, gt, [name for name in self.protocols if name != NTIRE])
        return scores | (ntire_scores(pred, gt, self.lpips) if NTIRE in self.protocols else {})

    def descriptions(self) -> dict[str, str]:
        """Say what each protocol compares."""
        named = {name: protocol.description for name, protocol in PROTOCOLS.items()}
        return {name: {**named, NTIRE: DESCRIPTION}[name] for name in self.protocols}

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Store the records and return the means over all images.

        Args:
            results: Records of all processes, one per image of the data set, in its order.

        Raises:
            UserError: There are none.
        """
        if not results:
            raise UserError('no image was scored; the data loader gave none')
        self.records = results
        means = mean_scores(results)
        for key in means:
            equal = [record['name'] for record in results if np.isinf(record[key])]
            if equal:
                MMLogger.get_current_instance().warning(
                    f'{key}: {len(equal)} images equal the clean ones (first: {equal[0]}); their '
                    'infinite PSNR is left out of the mean'
                )
        return means

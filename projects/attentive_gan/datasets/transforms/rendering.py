"""Transforms that render raindrops on clean images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from mmagic.registry import TRANSFORMS
from raindrop_renderer.blobs import add_blobs
from raindrop_renderer.errors import RaindropOptionError
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.pairs import PairOptions, render_pair
from raindrop_renderer.raindrops import RainyImage, Window, render_raindrops
from raindrop_renderer.sampling import add_raindrops

from attentive_gan.datasets.masks import MaskRule
from attentive_gan.datasets.raindrop_calibration import read_calibration
from attentive_gan.errors import UserError
from attentive_gan.utils.checks import check_range
from attentive_gan.utils.types import ImageArray

from .base import Transform
from .crop import checked_size, random_window
from .loading import set_image
from .raindrop_mask import RaindropMask


@contextmanager
def _user_errors(where: str = '') -> Iterator[None]:
    """Turn the renderer's errors into `UserError`s that name the image."""
    try:
        yield
    except RaindropOptionError as error:
        raise UserError(f'{where}: {error}' if where else str(error)) from error


def _rgb(results: Mapping[str, Any]) -> ImageArray:
    """Return `gt` of a sample as RGB (H, W, 3)."""
    bgr = results.get('gt_channel_order', 'bgr') == 'bgr'
    return np.ascontiguousarray(results['gt'][..., ::-1] if bgr else results['gt'])


@TRANSFORMS.register_module()
class RenderRaindrops(Transform):
    """Render raindrops on the clean image `gt`: makes a clean image a full training sample.

    It sets `img` (rainy, H, W, 3, uint8), `gt` (clean, the same and sharp, also where the drops are in
    focus, unless `sharp_target` is off) and `mask` (H, W, 1), uint8, 0 or 255, by the rule of
    `RaindropMask`. On request it sets the true coverage by drops too: as `coverage` (H, W, 1), uint8, 0 to
    255, which `PackInputs(data_keys=['coverage'])` carries on as `data_samples.coverage`, or as `alpha`
    (H, W, 1), float32, 0 to 1, which `PackInputs` carries on as `data_samples.gt_alpha`. `raindrop_seed`,
    `raindrop_parameters` (for `RaindropParameters.from_record`) and `mask_rule` are set too; name
    them in `PackInputs(meta_keys=...)` to keep them.

    The seed comes from NumPy's global generator, which the data sets here seed for each sample: so images
    are a function of seed, epoch and index, new ones in every epoch of a training and the same ones in
    every validation, whatever the number of workers.

    Args:
        level: Amount of water: 'light', 'normal' or 'heavy'.
        regimes: Share of each kind of image, such as dict(small=0.5, discs=0.5); None for the mix of the
            published training pairs.
        coverage_scale: Multiplies the coverage, 0 to 4.
        sky_scale: Multiplies the radiance of the sky beyond the frame, 0 to 4.
        mist_scale: Multiplies the mist, 0 to 4.
        lighting: 'day', 'night', or 'auto' for what a drawn scene is or a photo shows.
        frame_width: Width in pixels of the camera's whole frame, to which the size of drops is relative;
            None for the width of the image before any crop.
        crop_size: (height, width) of a random window, or one number for both, in pixels: only this part of
            the image is rendered, and has the bytes that it has in the whole image (mask at its border
            apart). `crop_box` records its top, left, height and width. None renders the whole image.
        dry_share: Share of the samples without raindrops, whose `img` is their `gt`, 0 to 1.
        sharp_target: Whether `gt` is sharp where the camera is focused on the drops; otherwise it is as
            blurred there as the scene in `img`, so that a network need not invent detail.
        with_alpha: Whether to set `alpha`.
        with_coverage: Whether to set `coverage`.
        calibration: File of `render_raindrops.py --calibrate`, which gives the three scales.
        threshold: Largest difference that the mask does not mark, 0 to 255.
        rule: How three channels become one for the mask: 'mean', 'any' or 'luma'.
        dilation: Width of the mask's dilation kernel, odd; 1 dilates nothing.

    Raises:
        UserError: An option is out of its range, scales are given twice, or the calibration cannot be read.

    Example:
        >>> render = RenderRaindrops(level='heavy', with_alpha=True)
        >>> sample = render({'gt': np.full((32, 48, 3), 90, np.uint8)})
        >>> sample['img'].shape, sample['mask'].shape, sample['alpha'].dtype
        ((32, 48, 3), (32, 48, 1), dtype('float32'))
    """

    def __init__(
        self,
        level: str = 'normal',
        regimes: Mapping[str, float] | None = None,
        coverage_scale: float | None = None,
        sky_scale: float | None = None,
        mist_scale: float | None = None,
        lighting: str = 'auto',
        frame_width: int | None = None,
        calibration: str | None = None,
        threshold: int = 30,
        rule: MaskRule = 'mean',
        dilation: int = 3,
        crop_size: int | Sequence[int] | None = None,
        dry_share: float = 0.0,
        sharp_target: bool = True,
        with_alpha: bool = False,
        with_coverage: bool = False,
    ) -> None:
        scales = dict(coverage_scale=coverage_scale, sky_scale=sky_scale, mist_scale=mist_scale)
        chosen: dict[str, Any] = {k: v for k, v in scales.items() if v is not None}
        if calibration is not None:
            if chosen:
                raise UserError(f'{next(iter(chosen))} and a calibration exclude each other.')
            chosen.update(read_calibration(calibration))
        if regimes is not None:
            chosen['regimes'] = dict(regimes)
        chosen |= {'level': level, 'lighting': lighting, 'frame_width': frame_width}
        with _user_errors():
            self.options = RaindropOptions(**chosen)
        self.mask = RaindropMask(threshold, rule, dilation)
        self.crop_size = None if crop_size is None else checked_size(crop_size)
        check_range('dry_share', dry_share, 0, 1)
        self.dry_share, self.sharp_target = dry_share, sharp_target
        self.with_alpha, self.with_coverage = with_alpha, with_coverage

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Render on a sample that has `gt`.

        Raises:
            UserError: The image is too small; the message names it.
        """
        clean = _rgb(results)
        window = None
        if self.crop_size is not None:
            window = random_window(results['gt'].shape[:2], self.crop_size, results.get('gt_path'))
            results['crop_box'] = window
        seed = int(np.random.randint(2**63 - 1, dtype=np.int64))  # noqa: NPY002 -- seeded per sample
        with _user_errors(results.get('gt_path', 'an image')):
            image = self._render(clean, seed, results, window)
        order = results.get('gt_channel_order', 'bgr')
        for key, pixels in (('img', image.rainy), ('gt', image.clean)):
            loaded_shape = results.get('ori_gt_shape', pixels.shape)
            set_image(results, key, pixels, order)
            results[f'ori_{key}_shape'] = loaded_shape
        results.setdefault('img_path', results.get('gt_path'))
        if self.with_alpha:
            results['alpha'] = image.alpha[..., None]
        if self.with_coverage:
            results['coverage'] = image.coverage[..., None]
        results['raindrop_seed'] = seed
        results['raindrop_parameters'] = asdict(image.parameters)
        return self.mask.transform(results)

    def _render(
        self,
        clean: ImageArray,
        seed: int,
        results: dict[str, Any],
        window: Window | None,
    ) -> RainyImage:
        """Render raindrops on a clean image (H, W, 3), RGB, in the window or the whole."""
        options = self._options_for(results)
        made = add_raindrops(clean, seed, options, window)
        dry = made.parameters.without_water()
        if self.dry_share and np.random.random() < self.dry_share:  # noqa: NPY002 -- seeded per sample
            return render_raindrops(clean, replace(dry, focus='scene'), options.frame_width, window)
        if made.parameters.focus == 'drops' and not self.sharp_target:
            target = render_raindrops(clean, dry, options.frame_width, window).rainy
            return replace(made, clean=target)
        return made

    def _options_for(self, results: dict[str, Any]) -> RaindropOptions:
        """Return the options with frame width and lighting of a sample, where it has them."""
        width = self.options.frame_width or results.get('frame_width')
        lighting = self.options.lighting
        if lighting == 'auto':
            lighting = results.get('lighting', 'auto')
        return replace(self.options, frame_width=width and max(16, int(width)), lighting=lighting)


@TRANSFORMS.register_module()
class RenderBlobs(RenderRaindrops):
    """Render plain blurred blobs instead of raindrops (see `raindrop_renderer.add_blobs`).

    A baseline that measures the effect of the optics. Sets the same keys as `RenderRaindrops`, of whose
    options `frame_width` and those of the mask have an effect.
    """

    def _render(
        self,
        clean: ImageArray,
        seed: int,
        results: dict[str, Any],
        window: Window | None,
    ) -> RainyImage:
        """Render blobs on a clean image (H, W, 3), RGB, in the window or the whole."""
        made = add_blobs(clean, seed, self._options_for(results).frame_width)
        return made if window is None else made.part(window)


@TRANSFORMS.register_module()
class RenderPairs(Transform):
    """Render several pairs of one clean image: `pairs` (count, H, W, 7), uint8, and `names`.

    For a `PooledDataLoader`, whose workers make or decode an image once and render on it several
    times. The last channel is the true coverage by drops. Colours are RGB.

    Args:
        count: Pairs of each image.
        raindrops: Arguments of `RaindropOptions`, such as dict(level='heavy').
        **options: Other arguments of `PairOptions`: exposure, dry_share and the like.

    Raises:
        UserError: An option is out of its range.
    """

    def __init__(
        self, count: int = 8, raindrops: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        check_range('RenderPairs.count', count, 1)
        self.count = count
        with _user_errors():
            self.options = PairOptions(raindrops=RaindropOptions(**(raindrops or {})), **options)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Render on a sample that has `gt`, as `LoadCleanImage` makes it."""
        clean, name = _rgb(results), str(results.get('gt_path', '?'))
        seeds = np.random.randint(2**63 - 1, size=self.count, dtype=np.int64)  # noqa: NPY002
        with _user_errors(name):
            pairs = np.stack([render_pair(clean, int(seed), self.options) for seed in seeds])
        return {'pairs': torch.from_numpy(pairs), 'names': name}

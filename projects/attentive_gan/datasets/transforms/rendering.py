"""Steps of a pipeline that starts from a clean image: load it, fit its size, render raindrops on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from mmagic.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray
from raindrop_renderer.blobs import add_blobs
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.raindrops import RainyImage, Window, render_raindrops
from raindrop_renderer.sampling import add_raindrops

from attentive_gan.data_tools.calibration_files import read_calibration
from attentive_gan.datasets.masks import MaskRule
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image

from .paired import ChannelOrder, RaindropMask, checked_order, checked_size, drawn_window, set_image
from .resizing import resized


@TRANSFORMS.register_module()
class LoadCleanImage(BaseTransform):
    """Load the clean image as `gt` (H, W, 3), uint8, with the keys that MMagic's loader sets.

    `frame_width`, the width of the whole image in pixels, is recorded for `RenderRaindrops`.

    Args:
        channel_order: Colour order of the array, 'rgb' or 'bgr'.

    Raises:
        UserError: The image cannot be read, or `channel_order` is neither.
    """

    def __init__(self, channel_order: ChannelOrder = 'rgb') -> None:
        self.channel_order = checked_order(channel_order)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image to a sample of a data set of clean images, or one that has `gt_path`."""
        read = results.pop('read_images', None)
        image = read()[0] if read else read_image(results['gt_path'])
        set_image(results, 'gt', image, self.channel_order)
        results['frame_width'] = image.shape[1]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(channel_order={self.channel_order!r})'


@TRANSFORMS.register_module()
class ResizeToCover(BaseTransform):
    """Resize the clean image `gt` so that it just covers a size, keeping its proportions.

    Without it a photo smaller than the crop is an error. Enlarging uses cubic interpolation, shrinking
    area averaging. It belongs before `RenderRaindrops`, so that drops have the size of those in an
    image of this size, and rendering takes no longer than for such an image.

    Args:
        size: (height, width) in pixels that the image covers afterwards.
        shrink: Whether larger images are shrunk; otherwise only smaller ones are enlarged.

    Raises:
        UserError: The size is below 1.
    """

    def __init__(self, size: tuple[int, int], shrink: bool = True) -> None:
        if len(size) != 2 or min(size) < 1:
            raise UserError(f'size must be (height, width) of 1 or more; got {size}.')
        self.size = (int(size[0]), int(size[1]))
        self.shrink = shrink

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize `gt`."""
        height, width = results['gt'].shape[:2]
        factor = max(self.size[0] / height, self.size[1] / width)
        if factor > 1 or (self.shrink and factor < 1):
            new = (
                max(self.size[0], round(height * factor)),
                max(self.size[1], round(width * factor)),
            )
            results['gt'] = resized(results['gt'], new)
            results['frame_width'] = new[1]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, shrink={self.shrink})'


@TRANSFORMS.register_module()
class RenderRaindrops(BaseTransform):
    """Render raindrops on the clean image `gt`: makes a clean image a full training sample.

    It sets `img` (rainy, H, W, 3, uint8), `gt` (clean, the same and sharp, also where the drops are in
    focus, unless `sharp_target` is off) and `mask` (H, W, 1), uint8, 0 or 255, by the rule of
    `RaindropMask`. On request it sets the true coverage by drops too: as `coverage` (H, W, 1), uint8, 0 to
    255, which `PackInputs(data_keys=['coverage'])` carries on as `data_samples.coverage`, or as `alpha`
    (H, W, 1), float32, 0 to 1, which `PackInputs` carries on as `data_samples.gt_alpha`. `raindrop_seed`,
    `raindrop_parameters` (a record for `RaindropParameters.from_record`) and `mask_rule` tell how; name
    them in `PackInputs(meta_keys=...)` to keep them.

    The seed comes from NumPy's global generator, which the data sets here seed for each draw: so images
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
        scales = {
            'coverage_scale': coverage_scale, 'sky_scale': sky_scale, 'mist_scale': mist_scale,
        }  # fmt: skip
        chosen: dict[str, Any] = {k: v for k, v in scales.items() if v is not None}
        if calibration is not None:
            if chosen:
                raise UserError(f'{next(iter(chosen))} and a calibration exclude each other.')
            chosen.update(read_calibration(calibration))
        if regimes is not None:
            chosen['regimes'] = dict(regimes)
        chosen |= {'level': level, 'lighting': lighting, 'frame_width': frame_width}
        self.options = RaindropOptions(**chosen)
        self.mask = RaindropMask(threshold, rule, dilation)
        self.crop_size = None if crop_size is None else checked_size(crop_size)
        if not 0 <= dry_share <= 1:
            raise UserError(f'dry_share must be within 0 to 1; got {dry_share}.')
        self.dry_share, self.sharp_target = dry_share, sharp_target
        self.with_alpha, self.with_coverage = with_alpha, with_coverage

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Render on a sample that has `gt`.

        Raises:
            UserError: The image is too small; the message names it.
        """
        order = results.get('gt_channel_order', 'bgr')
        clean = np.ascontiguousarray(results['gt'][..., ::-1] if order == 'bgr' else results['gt'])
        window = self._window(results)
        seed = int(np.random.randint(2**63 - 1, dtype=np.int64))  # noqa: NPY002 -- seeded per draw
        try:
            image = self._rendered(clean, seed, results, window)
        except UserError as error:
            raise UserError(f'{results.get("gt_path", "an image")}: {error}') from error
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
        return self.mask(results)

    def _window(self, results: dict[str, Any]) -> Window | None:
        """Draw the part of a sample that is rendered, and record it."""
        if self.crop_size is None:
            return None
        window = drawn_window(results['gt'].shape[:2], self.crop_size, results.get('gt_path'))
        results['crop_box'] = window
        return window

    def _rendered(
        self,
        clean: NDArray[np.uint8],
        seed: int,
        results: dict[str, Any],
        window: Window | None,
    ) -> RainyImage:
        """Put drops on a clean image (H, W, 3), RGB, and return the window or the whole."""
        options = self._options_for(results)
        made = add_raindrops(clean, seed, options, window)
        dry = made.parameters.without_water()
        if self.dry_share and np.random.random() < self.dry_share:  # noqa: NPY002 -- seeded per draw
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

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.options}, mask {self.mask.description})'


@TRANSFORMS.register_module()
class RenderBlobs(RenderRaindrops):
    """Lay plain blurred blobs over the clean image instead of raindrops (see `raindrop_renderer/blobs.py`).

    The baseline that shows what the optics are worth. Sets the same keys as `RenderRaindrops`, of whose
    options `frame_width` and those of the mask have an effect.
    """

    def _rendered(
        self,
        clean: NDArray[np.uint8],
        seed: int,
        results: dict[str, Any],
        window: Window | None,
    ) -> RainyImage:
        """Put blobs on a clean image (H, W, 3), RGB, and return the window or the whole."""
        made = add_blobs(clean, seed, self._options_for(results).frame_width)
        return made if window is None else made.part(window)

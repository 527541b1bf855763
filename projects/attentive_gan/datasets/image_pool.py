"""Images on the training device, from which crops are cut there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from attentive_gan.errors import UserError
from attentive_gan.utils.checks import check_range

from .transforms.formatting import CHANNELS


@dataclass(frozen=True)
class CropOptions:
    """How crops are cut from a pool and varied.

    Raises:
        UserError: A value is out of its range; the message names it.
    """

    scale: tuple[float, float] = (0.75, 1.33)
    """Range of the factor by which crops are enlarged (above 1) or shrunk, within 0.25 to 4."""
    flip: float = 0.5
    """Share of the crops that are mirrored left to right, 0 to 1."""
    colour: float = 0.1
    """Largest change of each channel of both images as a share, 0 to 0.5."""
    groups: int = 4
    """A batch is made of so many groups of crops, each with a scale of its own."""

    def __post_init__(self) -> None:
        low, high = self.scale
        if not 0.25 <= low <= high <= 4:
            raise UserError(f'scale must be a range within 0.25 to 4; got {self.scale}.')
        check_range('flip', self.flip, 0, 1)
        check_range('colour', self.colour, 0, 0.5)
        check_range('groups', self.groups, 1)


class ImagePool:
    """Pairs of one size as uint8 on a device; new ones replace the oldest.

    The channels of the rainy and the clean image are stored together, so that a crop that is cut while its
    images are being replaced is still a crop of pairs.

    Args:
        capacity: Pairs that it holds.
        size: (height, width) of an image.
        device: Device of the pool.
        seed: Seed of the crops.

    Raises:
        UserError: The device has not enough memory.
    """

    def __init__(
        self, capacity: int, size: tuple[int, int], device: torch.device, seed: int = 0
    ) -> None:
        self.capacity, self.size, self.device = capacity, size, device
        self.count = 0
        """Pairs that crops can be cut from."""
        self.received = 0
        """Pairs added since the start."""
        try:
            self.pairs = torch.empty((capacity, *size, CHANNELS), dtype=torch.uint8, device=device)
        except RuntimeError as error:  # torch's lack of memory is one too, on any device
            gigabytes = capacity * math.prod(size) * CHANNELS / 1e9
            raise UserError(
                f'{device} has not enough memory for a pool of {capacity} images of {size[1]}x{size[0]} '
                f'({gigabytes:.1f} GB); lower train_dataloader.pool_size '
                f'({str(error).partition(chr(10))[0]})'
            ) from error
        self.generator = torch.Generator(device=device).manual_seed(seed)
        self._random = torch.Generator().manual_seed(seed)

    def put(self, pairs: Tensor) -> None:
        """Add pairs, and return when they have been copied.

        Args:
            pairs: (K, H, W, 7), uint8, best in pinned memory.

        Raises:
            UserError: They are of another size than those of the pool.
        """
        if tuple(pairs.shape[1:]) != (*self.size, CHANNELS):
            found = 'x'.join(str(side) for side in pairs.shape[1:])
            raise UserError(
                f'the pool holds pairs of {self.size[0]}x{self.size[1]}x{CHANNELS}, but the data set '
                f'gives {found}; make all images one size (ResizeToCover, PairedCrop before RenderPairs)'
            )
        for pair in pairs:
            self.pairs[self.received % self.capacity].copy_(pair, non_blocking=True)
            self.received += 1
        if self.device.type == 'cuda':
            torch.cuda.current_stream(self.device).synchronize()
        self.count = min(self.received, self.capacity)

    def check_crop(self, crop_size: int) -> None:
        """Make sure that crops fit into the images.

        Args:
            crop_size: Height and width in pixels.

        Raises:
            UserError: They are larger than the images.
        """
        if crop_size > min(self.size):
            raise UserError(
                f'crops of {crop_size}x{crop_size} are larger than the images of the pool, '
                f'{self.size[1]}x{self.size[0]}; lower train_dataloader.crop_size (or that of its '
                'stages), or make larger images'
            )

    def random_crops(self, batch_size: int, crop_size: int, options: CropOptions) -> Tensor:
        """Cut random crops, on the device alone.

        Args:
            batch_size: Number of crops N.
            crop_size: Their height and width in pixels; at most the images'.
            options: How they are varied.

        Returns:
            (N, crop_size, crop_size, 7), uint8.

        Raises:
            UserError: The crops are larger than the images.

        Example:
            >>> pool = ImagePool(2, (48, 64), torch.device('cpu'))
            >>> pool.put(torch.zeros(2, 48, 64, 7, dtype=torch.uint8))
            >>> pool.random_crops(3, 32, CropOptions()).shape
            torch.Size([3, 32, 32, 7])
        """
        self.check_crop(crop_size)
        groups = min(options.groups, batch_size)
        sizes = [batch_size * (k + 1) // groups - batch_size * k // groups for k in range(groups)]
        return torch.cat([self._group(size, crop_size, options) for size in sizes])

    def _group(self, number: int, crop_size: int, options: CropOptions) -> Tensor:
        """Cut crops that are scaled alike."""
        low, high = (math.log(factor) for factor in options.scale)
        factor = math.exp(low + (high - low) * float(torch.rand((), generator=self._random)))
        window = min(max(1, round(crop_size / factor)), *self.size)
        crops = self._windows(number, window, options.flip)
        if window == crop_size and options.colour == 0:
            return crops
        changed = crops.permute(0, 3, 1, 2).float()
        if window != crop_size:
            changed = F.interpolate(
                changed, (crop_size, crop_size), mode='bilinear', antialias=window > crop_size
            )
        if options.colour > 0:
            gains = 1 + options.colour * (2 * self._uniform(number, 3, 1, 1) - 1)
            changed = changed * torch.cat((gains, gains, torch.ones_like(gains[:, :1])), 1)
        return changed.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1)

    def _windows(self, number: int, window: int, flip: float) -> Tensor:
        """Cut windows out of random images, some of them mirrored: (number, window, window, 7)."""
        height, width = self.size
        image = self._integers(self.count, number)
        steps = torch.arange(window, device=self.device)
        rows = self._integers(height - window + 1, number)[:, None] + steps
        mirrored = self._uniform(number, 1) < flip
        columns = torch.where(mirrored, window - 1 - steps, steps)
        columns = columns + self._integers(width - window + 1, number)[:, None]
        return self.pairs[image[:, None, None], rows[:, :, None], columns[:, None, :]]

    def _integers(self, below: int, number: int) -> Tensor:
        return torch.randint(below, (number,), device=self.device, generator=self.generator)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, device=self.device, generator=self.generator)

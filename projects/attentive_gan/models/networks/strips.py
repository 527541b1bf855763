"""Running full-size layers strip by strip, to save memory and the time that memory costs.

On a CPU, maps of 32 channels at full size (44 MB at 720x480) are bound by memory: each fresh one
costs thousands of page faults and none stays in the cache. Cut into horizontal strips with a halo
of the layers' reach, the same layers run near the rate of a matrix product. Every value of the
result is computed from the same inputs as in the whole image, so the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Bytes of one 32-channel map of a strip: several such maps fit into a last-level cache.
STRIP_BYTES = 8 * 2**20

#: Fewer rows than this would spend too much on the halo.
MIN_ROWS = 16


class Strips:
    """Applies layers to maps, in strips where that pays, and reuses the memory of maps given back.

    Strips pay on a CPU without autograd, for images of more than one strip; elsewhere, and while a
    graph is being recorded (compiling, exporting, tracing), `run` calls the layers on the whole maps
    and `recycle` does nothing.

    Args:
        image: The image (N, C, H, W) of the pass; H is a multiple of all strides.
    """

    def __init__(self, image: Tensor) -> None:
        recording = is_compiling() or torch.jit.is_tracing() or torch.jit.is_scripting()
        on_cpu = image.device.type == 'cpu'
        self.enabled = on_cpu and not torch.is_grad_enabled() and not recording
        if self.enabled:
            self._height = image.shape[2]
            self._strip_height = strip_height(image)
            self.enabled = self._strip_height < self._height
        self._spare: list[Tensor] = []

    def recycle(self, *maps: Tensor) -> None:
        """Take maps that are no longer needed: a later result may overwrite them."""
        if self.enabled:
            self._spare.extend(maps)

    def run(self, stage: Callable[..., Tensor], *maps: Tensor, halo: int) -> Tensor:
        """Apply layers that return one map; else like `run_all`."""
        return self.run_all(lambda *parts: (stage(*parts),), *maps, halo=halo)[0]

    def run_all(
        self, stage: Callable[..., tuple[Tensor, ...]], *maps: Tensor, halo: int
    ) -> tuple[Tensor, ...]:
        """Apply layers and join their results.

        Args:
            stage: The layers, from maps to a tuple of maps; convolutions with zero padding.
            *maps: Maps (N, C_k, H_k, W_k) of one scene. The rows of the first define the strips;
                the heights of the others are multiples of its height.
            halo: Rows of the first map, on either side, that a row of the result depends on; a
                multiple of the stage's stride.

        Returns:
            What `stage(*maps)` returns.
        """
        if not self.enabled:
            return stage(*maps)
        height = maps[0].shape[2]
        rows = self._strip_height * height // self._height
        results: list[Tensor] = []
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            first, last = max(top - halo, 0), min(bottom + halo, height)
            strips = stage(*(_rows(x, first, last, height) for x in maps))
            results = results or [self._memory(y, height, last - first) for y in strips]
            for result, strip in zip(results, strips, strict=True):
                kept = _rows(strip, top - first, bottom - first, last - first)
                _rows(result, top, bottom, height).copy_(kept)
        return tuple(results)

    def _memory(self, strip: Tensor, height: int, strip_height: int) -> Tensor:
        """Memory for a whole map of which `strip` is a part: a recycled one, or fresh."""
        batch, channels, rows, width = strip.shape
        shape = (batch, channels, height * rows // strip_height, width)
        for k, spare in enumerate(self._spare):
            if spare.shape == shape and spare.dtype == strip.dtype:
                return self._spare.pop(k)
        layout = torch.channels_last
        return torch.empty(shape, dtype=strip.dtype, device=strip.device, memory_format=layout)


def strip_height(image: Tensor) -> int:
    """Rows of a strip of an image (N, C, H, W), a multiple of 4; the strips are about equal."""
    batch, _, height, width = image.shape
    most = max(STRIP_BYTES // (32 * batch * width * image.element_size()), MIN_ROWS)
    count = -(-height // most)
    return -(-height // (4 * count)) * 4


def is_compiling() -> bool:
    """Whether `torch.compile` or `torch.export` is recording this code."""
    # torch 2.0 has the question only under its private name.
    asked = getattr(getattr(torch, 'compiler', None), 'is_compiling', None)
    return bool(asked() if asked else torch._dynamo.is_compiling())


def _rows(x: Tensor, first: int, last: int, height: int) -> Tensor:
    """Rows of `x` that belong to rows `first` to `last` of a map of `height` rows."""
    return x[:, :, first * x.shape[2] // height : last * x.shape[2] // height]

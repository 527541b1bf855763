"""Ways to run a network over an image of any size: whole, in streamed strips, or in tiles with a halo."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil
import torch
from torch import Tensor

from attentive_gan.models.networks.padding import PaddingMode
from attentive_gan.utils.types import ChannelOrder, RasterArray

from .malloc_tuning import give_freed_memory_back
from .memory import ColumnPlan
from .pixel_conversion import PaddedRows
from .results import Results
from .row_stream import RowStream
from .streaming_graph import StreamingGraph
from .tiling import Tile, tiles

#: Maps the network's inputs (N, C_k, H, W) to its results.
Function = Callable[..., Sequence[Tensor]]

#: Progress callback; fraction in [0, 1].
Progress = Callable[[float], None]


@dataclass
class Job:
    """An image to be restored."""

    inputs: Sequence[RasterArray]
    """Image (H, W, 3) uint8 or uint16, RGB, and for the task `hold` the attention map (H, W, 1) float32."""
    outputs: Sequence[RasterArray]
    """Arrays of the same height and width to be filled; images in RGB."""
    size_multiple: int
    """What sides of the padded image are multiples of; 1 leaves the padding to the network."""
    padding_mode: PaddingMode
    """How the image is padded."""
    like: Tensor
    """A value of the type and on the device that the network works with."""
    channel_order: ChannelOrder = 'rgb'
    """Colour order that the network works in."""
    progress: Progress = field(default=lambda part: None)
    """Progress callback; fraction in [0, 1]."""

    def __post_init__(self) -> None:
        """Begin to take results."""
        reverse = [self._reversed(output) for output in self.outputs]
        self.results = Results(self.outputs, reverse, self.like.device.type == 'cuda')

    def rows(self, columns: tuple[int, int] | None = None) -> list[PaddedRows]:
        """Return the sources of the inputs, for some or all columns."""
        return [
            PaddedRows(
                pixels, self.size_multiple, self.padding_mode, self.like, columns,
                self._reversed(pixels),
            )
            for pixels in self.inputs
        ]  # fmt: skip

    def _reversed(self, pixels: RasterArray) -> bool:
        return self.channel_order == 'bgr' and pixels.shape[2] == 3

    @property
    def padded_size(self) -> tuple[int, int]:
        """Height and width after padding."""
        height, width = self.inputs[0].shape[:2]
        return height + -height % self.size_multiple, width + -width % self.size_multiple


def run_whole(jobs: Sequence[Job], function: Function) -> None:
    """Run a function on whole images of one size at once."""
    sources = [[rows(0, rows.size[0]) for rows in job.rows()] for job in jobs]
    inputs = [torch.cat(maps) if len(jobs) > 1 else maps[0] for maps in zip(*sources, strict=True)]
    del sources
    with torch.no_grad():
        results = function(*inputs)
    for number, job in enumerate(jobs):
        job.results.store(0, 0, [values[number : number + 1] for values in results])
        job.progress(1.0)


def run_streamed(job: Job, graph: StreamingGraph, plan: ColumnPlan) -> None:
    """Run a recorded network in strips of columns, each row by row. The result is exact."""
    height, width = job.padded_size
    reach = graph.reach(1)
    strips = list(tiles(width, plan.width, reach.before, reach.after, graph.size_multiple))
    for number, strip in enumerate(strips):
        stream = RowStream(graph, height, plan.rows_per_step)
        for rows, results in stream.run(job.rows((strip.read_first, strip.read_last))):
            kept = slice(strip.first - strip.read_first, strip.last - strip.read_first)
            job.results.store(rows.first, strip.first, [values[..., kept] for values in results])
            job.progress((number + rows.last / height) / len(strips))


def run_tiled(
    job: Job,
    function: Function,
    size: int,
    halo: tuple[int, int],
    alignment: int = 1,
    most: float = math.inf,
) -> None:
    """Run a function on square tiles. Exact where the halo is the network's reach.

    Args:
        job: The image.
        function: The network.
        size: Side of a tile's result.
        halo: Rows and columns of the image before and after a tile that the function reads.
        alignment: Tiles begin at multiples of it.
        most: Bytes of the process from which freed memory is given back after a tile.
    """
    height, width = job.padded_size
    multiple = math.lcm(job.size_multiple, alignment)
    rows = list(tiles(height, size, *halo, multiple))
    columns = list(tiles(width, size, *halo, multiple))
    parts: list[tuple[Tile, Tile]] = [(r, c) for c in columns for r in rows]
    for number, (r, c) in enumerate(parts):
        sources = job.rows((c.read_first, c.read_last))
        with torch.no_grad():
            results = function(*(source(r.read_first, r.read_last) for source in sources))
        kept = (
            slice(r.first - r.read_first, r.last - r.read_first),
            slice(c.first - c.read_first, c.last - c.read_first),
        )
        job.results.store(r.first, c.first, [values[:, :, kept[0], kept[1]] for values in results])
        job.progress((number + 1) / len(parts))
        del results
        if psutil.Process().memory_info().rss > most:
            # What a tile leaves free lies in pieces, too small for the layers of the next.
            give_freed_memory_back()


def empty_outputs(image: RasterArray, channels: Sequence[int]) -> list[RasterArray]:
    """Return arrays for results: three channels are an image of the same type, one is a map in float32."""
    height, width = image.shape[:2]
    return [np.empty((height, width, c), image.dtype if c == 3 else np.float32) for c in channels]

"""Computes a network row by row: every value once, and few rows of every layer in memory.

A layer keeps only the rows that layers above will still read, so memory grows with the width of the
image and not with its height, and no row is computed twice, unlike in tiles with a halo. The result is
that of the whole image but for the last bits of floating-point sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .streaming_graph import StreamingGraph
from .streaming_ops import Rows

#: A row far above every image.
_NOWHERE = -(2**40)

#: Returns rows [first, last) of an input of the network, (1, C, rows, W).
Source = Callable[[int, int], Tensor]


@dataclass(frozen=True)
class Step:
    """What one step computes and what is left after it."""

    rows: Rows
    """Rows of the results."""
    computed: tuple[Rows, ...]
    """Rows that each layer computes."""
    kept: tuple[Rows, ...]
    """Rows of each layer that later steps read."""


def steps(graph: StreamingGraph, height: int, rows_per_step: int) -> Iterator[Step]:
    """Plan which rows each layer computes and keeps, step by step.

    Args:
        graph: The network.
        height: Rows of the image, a multiple of the graph's.
        rows_per_step: Rows of the results per step.
    """
    heights = graph.heights(height)
    done = [0] * len(graph.layers)
    # The first layers begin some steps before the last ones, so that no step has much more work.
    start = (
        -(-graph.reach().after // rows_per_step) * rows_per_step if rows_per_step < height else 0
    )
    for first in range(-start, height, rows_per_step):
        rows = Rows(first, first + rows_per_step).within(height)
        wanted = _wanted(graph, heights, done, first + rows_per_step)
        computed = tuple(Rows(d, w) for d, w in zip(done, wanted, strict=True))
        done = wanted
        yield Step(rows, computed, _kept(graph, heights, done, rows.last))


def _wanted(
    graph: StreamingGraph, heights: Sequence[int], done: Sequence[int], last: int
) -> list[int]:
    """Return the row up to which each layer is to be computed so that the results reach row `last`.

    Args:
        graph: The network.
        heights: Rows of each layer.
        done: Rows of each layer that are there.
        last: First row after those of the results; negative where only the first layers begin.
    """
    # As if the image went on beyond its border, so that negative rows count too.
    endless = [_NOWHERE] * len(graph.layers)
    wanted = list(done)
    for output in graph.outputs:
        endless[output] = last
    for position in reversed(range(len(graph.layers))):
        layer, end = graph.layers[position], endless[position]
        wanted[position] = max(wanted[position], min(end, heights[position]))
        if layer.operator is None:
            continue
        new = Rows(done[position], wanted[position])
        for source in layer.inputs:
            needed = layer.operator.needs(Rows(end - 1, end)).last
            endless[source] = max(endless[source], needed)
            if new.first < new.last:
                read = layer.operator.reads(new, heights[source]).last
                wanted[source] = max(wanted[source], read)
    return wanted


def _kept(
    graph: StreamingGraph, heights: Sequence[int], done: Sequence[int], shown: int
) -> tuple[Rows, ...]:
    """Return the rows of each layer that are computed and will still be read."""
    kept = []
    for position, layer in enumerate(graph.layers):
        earliest = done[position]
        for reader in layer.readers:
            operator = graph.layers[reader].operator
            if operator is not None and done[reader] < heights[reader]:
                earliest = min(earliest, operator.earliest(done[reader], heights[position]))
        if position in graph.outputs:
            earliest = min(earliest, shown)
        kept.append(Rows(earliest, done[position]))
    return tuple(kept)


def run_graph(graph: StreamingGraph, *maps: Tensor) -> Sequence[Tensor]:
    """Run a recorded network on whole maps (N, C_k, H, W), in a single step.

    Args:
        graph: The network.
        *maps: Its inputs; H and W are multiples of the graph's `size_multiple`.
    """
    height = maps[0].shape[2]
    sources = [partial(_rows_of, x) for x in maps]
    return next(RowStream(graph, height, height).run(sources))[1]


def _rows_of(x: Tensor, first: int, last: int) -> Tensor:
    return x[:, :, first:last]


class RowStream:
    """Runs a network over an image.

    Args:
        graph: The network.
        height: Rows of the image, a multiple of the graph's `size_multiple`.
        rows_per_step: Rows of the results that are computed at a time; more are faster, to a point, and
            take more memory.
    """

    def __init__(self, graph: StreamingGraph, height: int, rows_per_step: int) -> None:
        self.graph = graph
        self.heights = graph.heights(height)
        self.plan = steps(graph, height, rows_per_step)
        self._maps: dict[int, Tensor] = {}
        self._starts = [0] * len(graph.layers)

    @torch.no_grad()
    def run(self, sources: Sequence[Source]) -> Iterator[tuple[Rows, list[Tensor]]]:
        """Yield rows of the results from top to bottom.

        Args:
            sources: Return rows of the network's inputs; called for each row once, from top to bottom.

        Returns:
            Rows, and what the results show there, (1, C, rows, W) each.
        """
        for step in self.plan:
            for position, new in enumerate(step.computed):
                if new.first < new.last:
                    self._append(position, self._compute(position, new, sources), new)
                self._release(position, step)
            if step.rows.first < step.rows.last:
                yield step.rows, [self._part(output, step.rows) for output in self.graph.outputs]
            for output in self.graph.outputs:
                self._trim(output, step.kept[output])

    def _compute(self, position: int, new: Rows, sources: Sequence[Source]) -> Tensor:
        layer = self.graph.layers[position]
        if layer.operator is None:
            return sources[position](*new)
        height = self.heights[layer.inputs[0]]
        needed = layer.operator.reads(new, height)
        parts = [self._part(source, needed) for source in layer.inputs]
        return layer.operator.run(parts, new, height)

    def _part(self, position: int, rows: Rows) -> Tensor:
        start = rows.first - self._starts[position]
        return self._maps[position][:, :, start : start + rows.last - rows.first]

    def _append(self, position: int, part: Tensor, new: Rows) -> None:
        if position in self._maps:
            self._maps[position] = torch.cat((self._maps[position], part), 2)
        else:
            self._maps[position], self._starts[position] = part, new.first

    def _release(self, position: int, step: Step) -> None:
        """Let go of rows of the layers below that nobody reads any more."""
        for source in self.graph.layers[position].inputs:
            if (
                self.graph.layers[source].readers[-1] == position
                and source not in self.graph.outputs
            ):
                self._trim(source, step.kept[source])

    def _trim(self, position: int, kept: Rows) -> None:
        if position not in self._maps:
            return
        if kept.first >= kept.last:
            del self._maps[position]
        elif kept.first > self._starts[position]:
            # A copy: a view would keep the memory of all rows.
            self._maps[position] = self._part(position, kept).clone()
            self._starts[position] = kept.first

"""Trades a little work for much memory: a wide layer that is read late is computed again from narrow ones.

The first layer of a network often turns 3 channels into many, and its result waits for the last layer
that reads it (a skip connection) until all layers between have read enough rows. Keeping what it is
computed from takes a fraction of the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .streaming_graph import Layer, StreamingGraph
from .streaming_ops import PointwiseOp, WindowOp

#: The source must have at most this part of the channels.
NARROWER = 1 / 8


def rematerialize(graph: StreamingGraph) -> StreamingGraph:
    """Return a graph with the same results in which late readers of wide layers have copies of their own.

    Args:
        graph: A recorded network.
    """
    layers: list[Layer] = []
    new: dict[int, int] = {}  # where a layer of the old graph is now
    for position, layer in enumerate(graph.layers):
        inputs = []
        for source in layer.inputs:
            chain = _chain(graph, source) if _is_late(graph, source, position) else []
            at = new[source]
            if chain:
                at = new[graph.layers[chain[0]].inputs[0]]
            for old in chain:
                layers.append(replace(graph.layers[old], inputs=(at,), readers=()))
                at = len(layers) - 1
            inputs.append(at)
        new[position] = len(layers)
        layers.append(replace(layer, inputs=tuple(inputs), readers=()))
    for position, layer in enumerate(layers):
        for source in layer.inputs:
            layers[source].readers += (position,)
    return replace(graph, layers=tuple(layers), outputs=tuple(new[o] for o in graph.outputs))


def _is_late(graph: StreamingGraph, source: int, reader: int) -> bool:
    """Return whether a layer has earlier readers, and this one is the last."""
    readers = graph.layers[source].readers
    return len(set(readers)) > 1 and reader == readers[-1]


def _chain(graph: StreamingGraph, end: int) -> Sequence[int]:
    """Return the layers that compute a wide layer from a narrow one, first to last, if there are."""
    chain = [end]
    while True:
        layer = graph.layers[chain[0]]
        if len(layer.inputs) != 1 or not isinstance(layer.operator, (PointwiseOp, WindowOp)):
            return []
        source = graph.layers[layer.inputs[0]]
        if isinstance(layer.operator, WindowOp):
            cheap = source.channels <= NARROWER * graph.layers[end].channels
            return chain if cheap and source.scale == layer.scale else []
        if len(source.readers) > 1:
            return []
        chain.insert(0, layer.inputs[0])

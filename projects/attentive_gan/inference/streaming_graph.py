"""A network as a graph of layers that can be computed row by row, recorded from the network itself.

The network runs once on a small random image while PyTorch records its operations. So every registered
network is read without a declaration of its layers, and its receptive field is derived, not typed in.
A network that depends on the whole image (a mean over all pixels, attention between all of them) has
no such graph; `NotLocalError` names the operation in question.
"""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Graph, Node

from .activation_memory import peak_activations
from .aten_lowering import NotLocalError, operator_of
from .recorder import record_operations
from .streaming_ops import Axis, Operator, PointwiseOp, Reach, Rows

#: The recorded image has at least this side, so that no layer is smaller than what it mirrors.
_SIDE = 32
#: Repetitions of it, even, where the memory of a network that is not recorded is measured.
_LARGER = 4

#: Results, all of the image's size.
Network = Callable[..., 'Tensor | tuple[Tensor, ...]']


@dataclass
class Layer:
    """A node of the graph."""

    name: str
    """Its name in the record."""
    operator: Operator | None
    """What it does; None for an input of the network."""
    inputs: tuple[int, ...]
    """Positions of the layers that it reads."""
    scale: Fraction
    """Its rows per row of the image, about: borders that a layer adds do not count."""
    channels: int
    """Its channels."""
    itemsize: int = 4
    """Bytes of a value."""
    readers: tuple[int, ...] = ()
    """Positions of the layers that read it."""


@dataclass(frozen=True)
class StreamingGraph:
    """A network as layers in the order of computation."""

    layers: tuple[Layer, ...]
    """The layers; those without operator, which come first, are the inputs of the network."""
    outputs: tuple[int, ...]
    """Positions of the results, each of the image's size."""
    size_multiple: int
    """What sides of an image must be multiples of."""

    def heights(self, image_height: int) -> list[int]:
        """Return the rows of each layer for an image of so many, a multiple of `size_multiple`."""
        heights: list[int] = []
        for layer in self.layers:
            operator = layer.operator
            above = image_height if operator is None else heights[layer.inputs[0]]
            heights.append(above if operator is None else operator.height(above))
        return heights

    def reach(self, axis: Axis = 0) -> Reach:
        """Return how far a pixel of a result depends on the inputs, away from the border.

        Args:
            axis: 0 for rows, 1 for columns.
        """
        before = after = 0
        for row in range(self.size_multiple):
            read = self._rows_read(Rows(row, row + 1), axis)
            before, after = max(before, row - read.first), max(after, read.last - 1 - row)
        return Reach(before, after)

    def _rows_read(self, rows: Rows, axis: Axis) -> Rows:
        """Follow rows of all results back to the inputs."""
        wanted: dict[int, Rows] = dict.fromkeys(self.outputs, rows)
        read = rows
        for position in reversed(range(len(self.layers))):
            layer, rows_wanted = self.layers[position], wanted.get(position)
            if rows_wanted is None:
                continue
            if layer.operator is None:
                read = _hull(read, rows_wanted)
                continue
            for source in layer.inputs:
                needed = layer.operator.needs(rows_wanted, axis)
                wanted[source] = _hull(wanted.get(source, needed), needed)
        return read


@dataclass(frozen=True)
class Recording:
    """Layers and memory of a network, measured on a small image."""

    graph: StreamingGraph | None
    """Its layers; None if it depends on the whole image."""
    obstacle: str
    """Why there is no graph, such as 'the operation mean over the whole image'; else empty."""
    bytes_per_pixel: float
    """Most memory in use at a time, by pixel of the image."""
    reach: Reach | None = None
    """Receptive field of a pixel, where it is known without a graph."""

    @property
    def is_global(self) -> bool:
        """Whether a pixel of the result may depend on the whole image."""
        return self.graph is None and self.reach is None


def record(
    network: Network,
    channels: Sequence[int],
    size_multiple: int | None,
    like: Tensor | None = None,
) -> Recording:
    """Record a network.

    Args:
        network: Maps images (1, C_k, H, W), values 0 to 1, to one or several of the same size.
        channels: C_k of its inputs.
        size_multiple: What H and W must be multiples of for the network not to pad them; None if
            unknown.
        like: A value of the type and on the device that the network works with; default float32, CPU.
    """
    multiple = size_multiple or 1
    side = multiple * -(-_SIDE // multiple)
    generator = torch.Generator().manual_seed(0)
    # Sides differ, so that an operation that exchanges rows and columns is noticed.
    images = [torch.rand(1, c, side, 2 * side, generator=generator) for c in channels]
    if like is not None:
        images = [image.to(like) for image in images]
    try:
        if size_multiple is None:
            raise NotLocalError('it declares no size_multiple and padding_mode')
        graph, values = record_operations(network, images)
        layers = _Builder(graph, values, side, multiple).graph()
    except NotLocalError as error:
        return Recording(None, error.reason, _bytes_per_pixel(network, images))
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        reason = str(error).partition('\n')[0]
        return Recording(
            None, f'PyTorch cannot record it: {reason}', _bytes_per_pixel(network, images)
        )
    return Recording(layers, '', _most_bytes(graph, values) / (2 * side**2))


def _bytes_per_pixel(network: Network, images: Sequence[Tensor]) -> float:
    """Return the bytes that a network as it is, run at once, takes by pixel of an image."""
    # Networks that fill up windows take more by pixel of a small image than of a large one.
    images = [image.repeat(1, 1, _LARGER, _LARGER // 2) for image in images]
    with torch.no_grad():
        most = peak_activations(lambda: network(*images), images[0].device)
    return most / (images[0].shape[2] * images[0].shape[3])


def share_weights_copy(network: nn.Module) -> nn.Module:
    """Return a copy that shares all weights, to be recorded in the network's place.

    Some networks keep values of a pass (MMagic's `SwinIRNet` does), and those of a recording are of no use
    afterwards.
    """
    tensors = [*network.parameters(), *network.buffers()]
    return deepcopy(network, {id(tensor): tensor for tensor in tensors})


def _most_bytes(graph: Graph, values: Mapping[Node, Any]) -> int:
    """Return the most memory that values with a later reader take at any time, but for weights."""
    nodes = [node for node in graph.nodes if node.op != 'output']
    weights = _of_weights(nodes)
    last_read = {source: k for k, node in enumerate(nodes) for source in node.all_input_nodes}
    taken = most = 0
    for k, node in enumerate(nodes):
        own = 0 if node in weights else _bytes(values[node])
        taken += own
        most = max(most, taken)
        done = {s for s in node.all_input_nodes if last_read[s] == k and s not in weights}
        taken -= sum(_bytes(values[s]) for s in done) + (own if not node.users else 0)
    return most


def _of_weights(nodes: Sequence[Node]) -> set[Node]:
    """Return the weights, and what follows from them alone, such as their casts to 16 bits."""
    found: set[Node] = set()
    for node in nodes:
        sources = node.all_input_nodes
        if node.op == 'get_attr' or (sources and found.issuperset(sources)):
            found.add(node)
    return found


class _Builder:
    """Makes layers of recorded nodes."""

    def __init__(
        self, recorded: Graph, values: Mapping[Node, Any], height: int, size_multiple: int
    ) -> None:
        self.nodes = list(recorded.nodes)
        self.values = values
        self.height = height
        self.size_multiple = size_multiple
        self.layers: list[Layer] = []
        self.position: dict[Node, int] = {}
        self.tuples: set[Node] = set()
        self.constants: dict[Node, Any] = {}

    def graph(self) -> StreamingGraph:
        """Build the graph; values that depend on no input become constants."""
        outputs: tuple[int, ...] = ()
        for node in self.nodes:
            if node.op == 'placeholder':
                self._add(node, None, ())
            elif node.op == 'output':
                results = node.args[0]
                results = results if isinstance(results, (tuple, list)) else (results,)
                outputs = tuple(self.position[result] for result in results)
            elif any(s in self.position or s in self.tuples for s in node.all_input_nodes):
                if node.users:
                    self._add_layer(node)
            else:
                self.constants[node] = self.values[node]
        used = _used(self.layers, outputs)
        graph = StreamingGraph(*_renumbered(self.layers, outputs, used), self.size_multiple)
        self._check(graph, used)
        return graph

    def _check(self, graph: StreamingGraph, used: Sequence[int]) -> None:
        """Make sure that the operators give the sizes that were recorded."""
        recorded = [self.values[node].shape[2] for node in self.position]
        if graph.heights(self.height) != [recorded[position] for position in used]:
            raise NotLocalError('layers whose size does not follow from the size of the image')
        if any(graph.layers[output].scale != 1 for output in graph.outputs):
            raise NotLocalError('a result of another size than the image')

    def _add_layer(self, node: Node) -> None:
        if _is_tuple(self.values[node]):
            self.tuples.add(node)  # its items, taken by getitem, are the layers
            return
        if not isinstance(self.values[node], Tensor) or self.values[node].ndim != 4:
            raise NotLocalError(f'the operation {node.name}, whose result is no map (N, C, H, W)')
        operator = operator_of(node, self.values, self.constants)
        tuples = node.target is python_operator.getitem
        sources = (node.all_input_nodes[0] if tuples else node).all_input_nodes
        inputs = tuple(self.position[s] for s in sources if s in self.position)
        self._add(node, operator, inputs)

    def _add(self, node: Node, operator: Operator | None, inputs: tuple[int, ...]) -> None:
        value = self.values[node]
        scale = Fraction(value.shape[2], self.height)
        self.position[node] = len(self.layers)
        size = value.element_size()
        self.layers.append(Layer(node.name, operator, inputs, scale, value.shape[1], size))


def _bytes(value: Any) -> int:
    """Return the memory of a map; items of a tuple are views, counted by themselves."""
    return value.numel() * value.element_size() if isinstance(value, Tensor) else 0


def _is_tuple(value: Any) -> bool:
    return isinstance(value, (tuple, list))


def _used(layers: Sequence[Layer], outputs: Sequence[int]) -> list[int]:
    """Return the positions that the results depend on, and those of the inputs, in order."""
    used = set(outputs)
    for position in reversed(range(len(layers))):
        if position in used:
            used.update(layers[position].inputs)
    return [p for p, layer in enumerate(layers) if p in used or layer.operator is None]


def _renumbered(
    layers: Sequence[Layer], outputs: Sequence[int], used: Sequence[int]
) -> tuple[tuple[Layer, ...], tuple[int, ...]]:
    """Leave the other layers out, and note who reads whom."""
    new = {old: position for position, old in enumerate(used)}
    kept = [layers[old] for old in used]
    for layer in kept:
        layer.inputs = tuple(new[source] for source in layer.inputs)
    for position, layer in enumerate(kept):
        for source in layer.inputs:
            kept[source].readers += (position,)
    results = tuple(new[output] for output in outputs)
    _overwrite(kept, results)
    return tuple(kept), results


def _overwrite(layers: Sequence[Layer], outputs: Sequence[int]) -> None:
    """Let layers work in the memory of their first input where nobody else reads it."""
    for layer in layers:
        operator = layer.operator
        if not isinstance(operator, PointwiseOp) or operator.in_place is None:
            continue
        source = layers[layer.inputs[0]]
        own = source.operator is not None and source.operator.fresh
        if own and len(source.readers) == 1 and layer.inputs[0] not in outputs:
            operator.call = operator.in_place


def _hull(one: Rows, other: Rows) -> Rows:
    return Rows(min(one.first, other.first), max(one.last, other.last))

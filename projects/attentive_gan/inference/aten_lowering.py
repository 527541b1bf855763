"""Recognises recorded ATen operations as operators on rows."""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_arg
from torch.nn import functional as F

from .streaming_ops import (
    Operator,
    PadOp,
    PixelUnshuffleOp,
    PointwiseOp,
    TransposedWindowOp,
    UpsampleOp,
    WindowOp,
)

_ATEN = torch.ops.aten

#: Operations whose result at a pixel depends on that pixel alone, by ATen name.
_POINTWISE = frozenset([
    'abs', 'add', 'alias', 'clamp', 'clamp_max', 'clamp_min', 'clone', 'contiguous', 'detach',
    'div', 'elu', 'erf', 'exp', 'full_like', 'gelu', 'hardsigmoid', 'hardswish', 'hardtanh',
    'leaky_relu', 'lerp', 'log', 'maximum', 'minimum', 'mul', 'neg', 'ones_like', 'pow',
    '_prelu_kernel', 'reciprocal', 'relu', 'rsqrt', 'rsub', 'sigmoid', 'silu', 'softplus',
    'sqrt', 'square', 'sub', 'tanh', '_to_copy', 'where', 'zeros_like',
    '_native_batch_norm_legit_no_training',
])  # fmt: skip

#: Operations along axes that they name; local if that is the axis of channels alone.
_ALONG_AXES = frozenset([
    'amax', 'amin', 'cat', 'mean', 'slice', 'softmax', '_softmax', 'split', 'split_with_sizes',
    'sum',
])  # fmt: skip

#: Operations that may return their input, or a view of it.
_VIEWS = frozenset([
    'alias', 'clone', 'contiguous', 'detach', 'slice', 'split', 'split_with_sizes', '_to_copy',
])  # fmt: skip

#: Batch normalisation on a CPU and by cuDNN.
_BATCH_NORMS = frozenset(['native_batch_norm', 'cudnn_batch_norm'])

#: Axis of channels, also counted from the end.
_CHANNELS = ([1], [-3], 1, -3)


class NotLocalError(Exception):
    """A network looks at an image as a whole, or does something that is not understood by rows.

    Args:
        reason: The operation to blame, such as 'the operation mean'.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Recorded:
    """A recorded call with the maps that depend on the image left open.

    Args:
        node: The recorded call.
        values: Values of all nodes for a small image.
        constants: Values that no image changes.
    """

    def __init__(
        self, node: Node, values: Mapping[Node, Any], constants: Mapping[Node, Any]
    ) -> None:
        self.node, self.values, self.constants = node, values, constants
        self.sources = [n for n in node.all_input_nodes if n not in constants]
        schema = node.target._schema.arguments  # type: ignore[union-attr]
        given = dict(zip((argument.name for argument in schema), node.args, strict=False))
        defaults = {a.name: a.default_value for a in schema if a.has_default_value()}
        self.arguments: dict[str, Any] = defaults | given | dict(node.kwargs)

    @property
    def name(self) -> str:
        """Name of the ATen operation without its overload."""
        return str(self.node.target._schema.name).rpartition('::')[2]  # type: ignore[union-attr]

    @property
    def source(self) -> Tensor:
        """Value of the first open map for a small image."""
        value: Tensor = self.values[self.sources[0]]
        return value

    def constant(self, name: str) -> Any:
        """Return an argument that must not depend on the image.

        Raises:
            NotLocalError: It does.
        """
        value = self.arguments[name]
        if isinstance(value, Node) and value not in self.constants:
            raise NotLocalError(f'the operation {self.name}, whose {name} depends on the image')
        return self.constants[value] if isinstance(value, Node) else value

    def plain(self, *parts: Tensor) -> Any:
        """Call with parts of the open maps."""
        return self._call(self.node.target, parts)

    def in_place(self) -> Callable[..., Any] | None:
        """Return a call that overwrites the first open map, if it can hold the result."""
        packet = getattr(_ATEN, f'{self.name}_', None)
        overload = getattr(packet, self.node.target._overloadname, None)  # type: ignore[union-attr]
        result = self.values[self.node]
        alike = (self.source.shape, self.source.dtype) == (result.shape, result.dtype)
        if overload is None or not alike or self.node.args[0] is not self.sources[0]:
            return None
        return lambda *parts: self._call(overload, parts)

    def _call(self, target: Any, parts: Sequence[Tensor]) -> Any:
        known = dict(zip(self.sources, parts, strict=True))

        def put(node: Node) -> Any:
            return known[node] if node in known else self.constants[node]

        return target(*map_arg(self.node.args, put), **map_arg(self.node.kwargs, put))


def operator_of(node: Node, values: Mapping[Node, Any], constants: Mapping[Node, Any]) -> Operator:
    """Return the operator of a recorded node.

    Args:
        node: Node whose result is a map (1, C, H, W), or an item of a tuple of such.
        values: Values of all nodes for a small image.
        constants: Values that no image changes.

    Raises:
        NotLocalError: No local operator does the same.
    """
    item: int | None = None
    if node.target is python_operator.getitem:
        node, item = node.args  # type: ignore[assignment]
    recorded = Recorded(node, values, constants)
    known = _SPATIAL.get(recorded.name)
    if known is not None:
        return known(recorded)
    if recorded.name in _BATCH_NORMS and not recorded.constant('training'):
        pass  # by the statistics of the training: a product and a sum for each channel
    elif recorded.name in _ALONG_AXES:
        _check_axes(recorded)
    elif recorded.name not in _POINTWISE:
        raise NotLocalError(f'the operation {recorded.name}')
    if recorded.name == 'slice' and recorded.arguments['dim'] not in _CHANNELS:
        return PointwiseOp(lambda part: part, fresh=False)  # all of a side, see _check_axes
    _check_sizes(recorded, item)
    fresh = recorded.name not in _VIEWS
    if recorded.name in _FASTER_ON_CPU and recorded.source.device.type == 'cpu':
        return PointwiseOp(_FASTER_ON_CPU[recorded.name])
    if item is None:
        return PointwiseOp(recorded.plain, recorded.in_place(), fresh)
    return PointwiseOp(lambda *parts: recorded.plain(*parts)[item], None, fresh)


def _check_axes(recorded: Recorded) -> None:
    """Refuse operations along rows or columns, but for slices that take all of them."""
    axes = recorded.arguments.get('dim')
    if recorded.name == 'slice' and axes not in _CHANNELS:
        if recorded.values[recorded.node].shape == recorded.source.shape:
            return
        raise NotLocalError('a part of the image that is cut out')
    if axes not in _CHANNELS:
        raise NotLocalError(f'the operation {recorded.name} over the whole image')


def _check_sizes(recorded: Recorded, item: int | None) -> None:
    """Refuse maps of several sizes, such as one value per image, and constants with rows."""
    result = recorded.values[recorded.node]
    result = result if item is None else result[item]
    maps = [recorded.values[source] for source in recorded.sources]
    if any(m.ndim != 4 or m.shape[2:] != result.shape[2:] for m in [*maps, result]):
        raise NotLocalError(f'the operation {recorded.name} on maps of different sizes')
    for node in recorded.node.all_input_nodes:
        value = recorded.constants.get(node)
        by_channel = 'batch_norm' in recorded.name
        if isinstance(value, Tensor) and not by_channel and max(value.shape[-2:], default=1) > 1:
            raise NotLocalError(f'the operation {recorded.name} with a constant for each pixel')


def _convolution(recorded: Recorded) -> Operator:
    stride, padding, dilation, extra = (
        _pair(recorded.constant(name))
        for name in ('stride', 'padding', 'dilation', 'output_padding')
    )
    weight, bias, groups = (recorded.constant(name) for name in ('weight', 'bias', 'groups'))
    transposed = bool(recorded.constant('transposed'))

    def call(part: Tensor, cut: list[int]) -> Tensor:
        result: Tensor = _ATEN.convolution(
            part, weight, bias, stride, cut, dilation, transposed, [0, 0], groups
        )
        return result

    kernel = weight.shape[2:]
    if not transposed:
        return WindowOp(call, kernel, stride, padding, dilation)
    if extra != [0, 0] or dilation != [1, 1]:
        raise NotLocalError('a transposed convolution with output padding or dilation')
    return TransposedWindowOp(call, kernel, stride, padding)


def _mean_pooling(recorded: Recorded) -> Operator:
    kernel = _pair(recorded.constant('kernel_size'))
    stride = _pair(recorded.constant('stride') or kernel)
    if any(_pair(recorded.constant('padding'))) or recorded.constant('ceil_mode'):
        raise NotLocalError('a mean pooling with padding')
    return WindowOp(lambda part, _: F.avg_pool2d(part, kernel, stride), kernel, stride, [0, 0])


def _border(mode: Literal['reflect', 'replicate', 'constant']) -> Callable[[Recorded], Operator]:
    def build(recorded: Recorded) -> Operator:
        constant = mode == 'constant'
        widths = list(recorded.constant('pad' if constant else 'padding'))
        if len(widths) > 4 or min(widths) < 0:
            raise NotLocalError('a padding that cuts off or adds channels')
        value = float(recorded.constant('value')) if constant else 0.0
        return PadOp(mode, widths + [0] * (4 - len(widths)), value)

    return build


def _shuffling(recorded: Recorded) -> Operator:
    return UpsampleOp(recorded.plain, int(recorded.constant('upscale_factor')))


def _unshuffling(recorded: Recorded) -> Operator:
    return PixelUnshuffleOp(recorded.plain, int(recorded.constant('downscale_factor')))


def _nearest(recorded: Recorded) -> Operator:
    size, source = recorded.values[recorded.node].shape[2:], recorded.source.shape[2:]
    factor = size[0] // source[0]
    if [s * factor for s in source] != list(size):
        raise NotLocalError('an enlargement by a fraction')
    return UpsampleOp(lambda part: F.interpolate(part, scale_factor=factor), factor)


def _sigmoid(x: Tensor) -> Tensor:
    """Compute the sigmoid in float32: PyTorch's own of strided 16-bit values is much slower on CPUs."""
    return torch.sigmoid(x.float()).to(x.dtype)


def _tanh(x: Tensor) -> Tensor:
    """Compute tanh as 2 sigmoid(2 x) - 1: faster than PyTorch's own on CPUs, and within 2e-7."""
    wide = x.float()
    return torch.sigmoid(wide + wide).mul_(2).sub_(1).to(x.dtype)


def _pair(value: Any) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * 2 if len(values) == 1 else values


_SPATIAL: dict[str, Callable[[Recorded], Operator]] = {
    'convolution': _convolution,
    'avg_pool2d': _mean_pooling,
    'reflection_pad2d': _border('reflect'),
    'replication_pad2d': _border('replicate'),
    'constant_pad_nd': _border('constant'),
    'pixel_shuffle': _shuffling,
    'pixel_unshuffle': _unshuffling,
    'upsample_nearest2d': _nearest,
}

#: PointwiseOp operations in float32 or less that CPUs compute faster in another way.
_FASTER_ON_CPU: dict[str, Callable[[Tensor], Tensor]] = {'sigmoid': _sigmoid, 'tanh': _tanh}

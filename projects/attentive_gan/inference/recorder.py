"""Records the operations of a network, with their values, while it runs on an image.

PyTorch's own `make_fx` gives the same record, but imports the compiler, which takes longer than restoring
a photo, and keeps no values.
"""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, Node
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map


class Recorder(TorchDispatchMode):
    """A mode in which every ATen operation becomes a node.

    Args:
        images: Inputs of the network.
    """

    def __init__(self, images: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.graph = Graph()
        self.values: dict[Node, Any] = {}
        """Values of all nodes in the order of computation; they stay, so that no `id` is used twice."""
        self._node_of: dict[int, Node] = {}
        self._open: set[Node] = set()
        for image in images:
            node = self._keep(self.graph.placeholder(f'image_{len(self.values)}'), image)
            self._open.add(node)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: nothing is compiled here, and PyTorch's own check would import the compiler."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation and record it.

        Raises:
            RuntimeError: The network takes a number from the image, and decides by it what to do.
        """
        result = func(*args, **(kwargs or {}))
        node = self.graph.call_function(func, *tree_map(self._node, (args, kwargs or {})))
        if self._open.intersection(node.all_input_nodes):
            self._open.add(node)
            if isinstance(result, (bool, int, float)):
                raise RuntimeError(f'{func} takes a number from the image')
        self._keep(node, result)
        if isinstance(result, (tuple, list)):
            for position, item in enumerate(result):
                part = self.graph.call_function(python_operator.getitem, (node, position))
                self._keep(part, item)
                if node in self._open:
                    self._open.add(part)
        return result

    def finish(self, results: Any) -> None:
        """Note what the network returned, and drop what it does not depend on.

        Args:
            results: A tensor, or a tuple of such.
        """
        self.graph.output(tree_map(self._node, results))
        self.graph.eliminate_dead_code()

    def _node(self, value: Any) -> Any:
        """Return the node of a tensor; one that no operation gave is a weight."""
        if not isinstance(value, Tensor):
            return value
        if id(value) not in self._node_of:
            self._keep(self.graph.get_attr(f'weight_{len(self.values)}'), value)
        return self._node_of[id(value)]

    def _keep(self, node: Node, value: Any) -> Node:
        self.values[node] = value
        if isinstance(value, Tensor):
            self._node_of[id(value)] = node
        return node


def record_operations(
    network: Callable[..., Any], images: Sequence[Tensor]
) -> tuple[Graph, dict[Node, Any]]:
    """Run a network without gradients and return its operations and their values.

    Operations that overwrite their input are recorded as such that do not.

    Args:
        network: Maps images to a tensor or several.
        images: Its inputs (1, C, H, W).

    Raises:
        RuntimeError: PyTorch cannot record the network.
    """
    recorder = Recorder(images)
    with torch.no_grad(), recorder:
        results = torch.func.functionalize(network)(*images)
    unknown = [leaf for leaf in tree_leaves(results) if not isinstance(leaf, Tensor)]
    if unknown:
        raise RuntimeError(f'it returns {type(unknown[0]).__name__} beside tensors')
    recorder.finish(results)
    return recorder.graph, recorder.values

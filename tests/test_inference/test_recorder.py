"""Recorded operations are those of PyTorch's own tracer, and what they cannot say is refused."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.inference import record
from attentive_gan.inference.recorder import record_operations
from attentive_gan.inference.streaming_graph import _Builder
from support.lively_networks import BUILDERS
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

WEIGHT = torch.full((1, 3, 1, 1), 0.5)


class Mixed(nn.Module):
    """Overwrites values, splits them, leaves some unused, and makes constants on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 6, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.convolution(images)
        features.relu_()
        features.mean((2, 3))  # over the whole image, but for nothing
        gate, value = features.chunk(2, 1)
        value = value * torch.tensor(0.25) + WEIGHT
        value[:, :1].mul_(2)
        return images + gate.sigmoid() * value


def targets(graph: torch.fx.Graph) -> list[str]:
    return [str(node.target) for node in graph.nodes if node.op == 'call_function']


@pytest.mark.parametrize('name', ['unet', 'attentive', 'prenet', 'eigen'])
def test_operations_are_those_of_pytorchs_tracer(networks: dict[str, nn.Module], name: str) -> None:
    image = torch.rand(1, 3, 64, 96)
    graph, _ = record_operations(networks[name], [image])
    with torch.no_grad():
        expected = make_fx(torch.func.functionalize(networks[name]))(image).graph
    expected.eliminate_dead_code()
    assert targets(graph) == targets(expected)


@pytest.mark.parametrize('name', ['unet', 'attentive', 'mixed'])
def test_the_record_computes_what_the_network_does(
    networks: dict[str, nn.Module], name: str
) -> None:
    network = Mixed().eval() if name == 'mixed' else networks[name]
    graph, values = record_operations(network, [torch.rand(1, 3, 64, 96)])
    weights = {node.target: values[node] for node in graph.nodes if node.op == 'get_attr'}
    again = torch.fx.GraphModule(weights, graph)
    other = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(again(other), network(other))


@pytest.mark.parametrize('name', sorted(BUILDERS))
def test_networks_are_local_on_a_gpu_too(name: str, networks: dict[str, nn.Module]) -> None:
    """On a GPU that is not there (tensors without values): some operations have other names."""
    expected = record(networks[name], [3], networks[name].size_multiple).graph
    with FakeTensorMode(), torch.device('cuda'):
        network = BUILDERS[name]().eval()
        side = network.size_multiple * -(-32 // network.size_multiple)
        graph, values = record_operations(network, [torch.rand(1, 3, side, 2 * side)])
        found = _Builder(graph, values, side, network.size_multiple).graph()
    assert expected is not None
    assert found.reach() == expected.reach()


def test_what_serves_nothing_is_no_obstacle() -> None:
    class Unused(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            image.mean((2, 3)).sigmoid()
            return image + 1

    assert record(Unused(), [3], 1).graph is not None


class Looks(nn.Module):
    """Decides by what it sees."""

    def forward(self, image: Tensor) -> Tensor:
        return image * 2 if image.mean() > 0.3 else image


class Counts(nn.Module):
    """Takes a number from the image."""

    def forward(self, image: Tensor) -> Tensor:
        return image * image[0, 0, 0, 0].item()


class Names(nn.Module):
    """Returns more than images."""

    def forward(self, image: Tensor) -> dict[str, object]:
        return {'image': image, 'name': 'x'}


@pytest.mark.parametrize(
    ('network', 'words'),
    [(Looks(), 'number from the image'), (Counts(), 'number from the image'), (Names(), 'str')],
)
def test_what_cannot_be_recorded_is_refused(network: nn.Module, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        record_operations(network, [torch.rand(1, 3, 8, 8)])


def test_numbers_of_weights_are_no_obstacle() -> None:
    class Scaled(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image * WEIGHT.mean().item()

    assert record(Scaled(), [3], 1).graph is not None

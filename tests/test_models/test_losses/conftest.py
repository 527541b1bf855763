"""VGG16 with random weights, since the published ones cannot be shipped."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope='session')
def vgg(tmp_path_factory):
    """VGG16's features as torchvision builds them, and a file as torchvision publishes it."""
    from torchvision.models import vgg16

    generator = torch.Generator().manual_seed(0)
    with torch.device('meta'):
        network = vgg16(weights=None).features
    network = network.to_empty(device='cpu')
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    path = tmp_path_factory.mktemp('vgg') / 'vgg16-397923af.pth'
    state = {f'features.{name}': value for name, value in network.state_dict().items()}
    torch.save({**state, 'classifier.0.weight': torch.zeros(2, 2)}, path)
    return network, str(path)

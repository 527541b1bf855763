"""Networks for restoring: memory layout on a GPU, the range of values."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from attentive_gan import ImageRestorer
from attentive_gan.errors import UserError
from attentive_gan.inference.loading import adopt_network
from attentive_gan.models.networks.unet import RestorationUNet
from support.runs import REPOSITORY
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode


class Network(RestorationUNet):
    """Stays where it is, whatever device it is sent to: there may be no GPU here."""

    sent: tuple = ()

    def to(self, *arguments: object, **words: object) -> nn.Module:
        self.sent += arguments
        return super().to(**words)


@pytest.mark.parametrize(('device', 'side_by_side'), [('cpu', False), ('cuda:1', True)])
def test_weights_on_a_gpu_are_channels_last(
    device: str, side_by_side: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network((8, 12), blocks=1, shuffle=2)
    with monkeypatch.context() as patched:
        patched.setattr(torch, 'zeros', lambda size, device: SimpleNamespace(device=device))
        loaded = adopt_network(network, torch.device(device))
    assert torch.device(device) in network.sent
    assert loaded.device == loaded.like.device == torch.device(device)
    last = torch.channels_last
    wide = [w for w in network.parameters() if w.dim() == 4 and min(w.shape[1:3]) > 1]
    assert wide
    assert all(weight.is_contiguous(memory_format=last) == side_by_side for weight in wide)


def test_the_layout_stays_through_the_network_on_a_gpu() -> None:
    """On a GPU that is not there: tensors without values."""
    seen: list[Tensor] = []
    with FakeTensorMode(), torch.device('cuda'):
        network = RestorationUNet((8, 12), blocks=1, shuffle=2).eval()
        for module in network.modules():
            for name, weight in list(module.named_parameters(recurse=False)):
                if weight.dim() == 4:
                    last = weight.detach().contiguous(memory_format=torch.channels_last)
                    module._parameters[name] = nn.Parameter(last)
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                module.register_forward_hook(lambda module, inputs, result: seen.append(result))
        pixels = torch.empty((1, 32, 48, 3), dtype=torch.uint8)
        with torch.no_grad():
            network(pixels.float().permute(0, 3, 1, 2) / 255)
    assert len(seen) == 10
    assert all(values.is_contiguous(memory_format=torch.channels_last) for values in seen)


def test_networks_that_take_other_values_are_refused(tmp_path):
    weights = tmp_path / 'weights.pth'
    torch.save({}, weights)
    config = tmp_path / 'signed.py'
    config.write_text(
        f'_base_ = {str(REPOSITORY / "configs" / "attgan_small.py")!r}\n'
        'model = dict(data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3))\n'
    )
    with pytest.raises(UserError, match=r'signed\.py: .* mean \[127\.5, .*expected values 0 to 1'):
        ImageRestorer(str(config), str(weights), device='cpu')

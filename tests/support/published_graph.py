"""The published networks, written down plainly from their layer tables.

This is the oracle of the property tests and the baseline of `tools/benchmark.py`. It does what the
published graph does and nothing else: no fusing, no skipped work, one layer after the other. The
state dict has the published names, in the published order.

Source of the layer tables: rui1996/DeRaindrop, `models/generator.py` and `models/discriminator.py`
(the second call of conv7 there cannot run; it is left out, as in the authors' older files in
flyywh/AttGAN_DeRaindrop, `lstm.py`).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv(
    cin: int,
    cout: int,
    kernel: int = 3,
    stride: int = 1,
    padding: int = 1,
    dilation: int = 1,
    act: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(cin, cout, kernel, stride, padding, dilation)]
    return nn.Sequential(*layers, *([act()] if act else []))


def deconv(cin: int, cout: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(cin, cout, 4, 2, 1),
        nn.ReflectionPad2d((1, 0, 1, 0)),
        nn.AvgPool2d(2, stride=1),
        nn.ReLU(),
    )


class PublishedGenerator(nn.Module):
    """The 35 convolutions of the published generator; sides must be multiples of 4."""

    def __init__(self, num_steps: int = 4) -> None:
        super().__init__()
        self.num_steps = num_steps
        self.det_conv0 = conv(4, 32)
        for k in range(1, 6):
            block = nn.Sequential(*conv(32, 32), *conv(32, 32))
            self.add_module(f'det_conv{k}', block)
        self.conv_i = conv(64, 32, act=nn.Sigmoid)
        self.conv_f = conv(64, 32, act=nn.Sigmoid)
        self.conv_g = conv(64, 32, act=nn.Tanh)
        self.conv_o = conv(64, 32, act=nn.Sigmoid)
        self.det_conv_mask = conv(32, 1, act=None)
        self.conv1 = conv(4, 64, 5, 1, 2)
        self.conv2 = conv(64, 128, stride=2)
        self.conv3 = conv(128, 128)
        self.conv4 = conv(128, 256, stride=2)
        self.conv5 = conv(256, 256)
        self.conv6 = conv(256, 256)
        self.diconv1 = conv(256, 256, padding=2, dilation=2)
        self.diconv2 = conv(256, 256, padding=4, dilation=4)
        self.diconv3 = conv(256, 256, padding=8, dilation=8)
        self.diconv4 = conv(256, 256, padding=16, dilation=16)
        self.conv7 = conv(256, 256)
        self.conv8 = conv(256, 256)
        self.deconv1 = deconv(256, 128)
        self.conv9 = conv(128, 128)
        self.deconv2 = deconv(128, 64)
        self.conv10 = conv(64, 32)
        self.outframe1 = conv(256, 3)
        self.outframe2 = conv(128, 3)
        self.output = conv(32, 3, act=None)

    def forward(self, rainy: Tensor) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        n, _, height, width = rainy.shape
        attention = rainy.new_full((n, 1, height, width), 0.5)
        h = rainy.new_zeros((n, 32, height, width))
        c = rainy.new_zeros((n, 32, height, width))
        maps = []
        for _ in range(self.num_steps):
            x = self.det_conv0(torch.cat((rainy, attention), 1))
            for k in range(1, 6):
                x = F.relu(getattr(self, f'det_conv{k}')(x) + x)
            both = torch.cat((x, h), 1)
            i, f = self.conv_i(both), self.conv_f(both)
            g, o = self.conv_g(both), self.conv_o(both)
            c = f * c + i * g
            h = o * torch.tanh(c)
            attention = self.det_conv_mask(h)
            maps.append(attention)
        res1 = self.conv1(torch.cat((rainy, attention), 1))
        res2 = self.conv3(self.conv2(res1))
        x = self.conv6(self.conv5(self.conv4(res2)))
        x = self.diconv4(self.diconv3(self.diconv2(self.diconv1(x))))
        x = self.conv8(self.conv7(x))
        frame1 = self.outframe1(x)
        x = self.conv9(self.deconv1(x) + res2)
        frame2 = self.outframe2(x)
        x = self.conv10(self.deconv2(x) + res1)
        return maps, frame1, frame2, self.output(x)


class PublishedDiscriminator(nn.Module):
    """The published attentive discriminator for images of 224x224; returns (map, probability)."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 8, 16, 64, 128, 128, 128)
        for k in range(1, 7):
            self.add_module(f'conv{k}', conv(widths[k - 1], widths[k], 5, 1, 2))
        self.conv_mask = conv(128, 1, 5, 1, 2, act=None)
        self.conv7 = conv(128, 64, 5, 4, 1)
        self.conv8 = conv(64, 32, 5, 4, 1)
        self.fc = nn.Sequential(nn.Linear(32 * 14 * 14, 1024), nn.Linear(1024, 1), nn.Sigmoid())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = image
        for k in range(1, 7):
            x = getattr(self, f'conv{k}')(x)
        attention = self.conv_mask(x)
        x = self.conv8(self.conv7(x * attention))
        return attention, self.fc(x.flatten(1))


def fill_by_rule(module: nn.Module) -> None:
    """Fill the state dict by the rule of tests/golden/README.md, tensor k from seed k."""
    for k, tensor in enumerate(module.state_dict().values()):
        fan_in = int(np.prod(tensor.shape[1:]))
        bound = np.sqrt(6 / fan_in) if tensor.ndim > 1 else 0.1
        values = np.random.RandomState(k).uniform(-bound, bound, size=tensor.numel())
        tensor.copy_(torch.from_numpy(values.reshape(tensor.shape).astype(np.float32)))


def golden_image(height: int, width: int) -> Tensor:
    """The golden test image, (1, 3, H, W)."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [0.5 + 0.5 * np.sin(0.05 * (c + 1) * x + 0.083 * y + 0.9 * c) for c in range(3)]
    return torch.from_numpy(np.stack(planes)[None].astype(np.float32))

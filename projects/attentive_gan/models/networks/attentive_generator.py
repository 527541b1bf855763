"""The generator of the Attentive GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .attention_network import AttentionNetwork
from .autoencoder import ContextualAutoencoder, Images
from .conv_lstm import at_least_float32
from .padding import PaddingMode, pad_to_multiple
from .unet import RestorationUNet


class AttentiveOutput(NamedTuple):
    """All outputs of the generator, in the colour order of its input.

    Attributes:
        restored: Restored images, (N, 3, H, W), unbounded; float32 at least with a gated residual.
        attention_maps: One map (N, 1, H, W) per step, unbounded without an activation; empty without
            attention.
        half: Side output of half size, (N, 3, ceil(H/2), ceil(W/2)), non-negative; None from a U-Net.
        quarter: Side output of quarter size, (N, 3, ceil(H/4), ceil(W/4)), non-negative; likewise.
    """

    restored: Tensor
    attention_maps: tuple[Tensor, ...]
    half: Tensor | None
    quarter: Tensor | None


@MODELS.register_module()
class AttentiveGenerator(nn.Module):
    """Attentive-recurrent network and contextual autoencoder; by default the published generator.

    Works in the colour order of its weights (`published_weights.reverse_colours` turns one into the
    other). It works in the channels-last layout; on a GPU, weights in that layout
    (`generator.to(memory_format=torch.channels_last)`) need not be converted in every pass.

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`. The
    gated residual follows the paper's image model (section 3, equation 1): with coverage A and
    light of the drops L the background is B = I + A (B - L).

    Args:
        num_steps: Recurrent steps. They share their weights, so the attribute of this name may be
            changed at any time.
        attention: Whether there is a recurrent network; False is the paper's ablation A, the
            autoencoder alone on the image alone.
        initial_attention: Value of the attention map before the first step.
        attention_activation: `sigmoid` bounds the attention maps to (0, 1); None leaves them as the
            published weights need them.
        width: Multiplies all numbers of channels inside, rounded to multiples of 4.
        attention_width: The same for the recurrent network alone; None for `width`.
        blocks: Residual blocks of a recurrent step; 5 as published.
        shuffle: Pixels along each side of a square that become channels at the entry, and pixels
            again at the exit (pixel unshuffling, Shi et al., CVPR 2016); 1 as published.
        dilations: Dilations of the autoencoder's four dilated convolutions.
        residual: Add the input of the autoencoder's pairs of convolutions to their results.
        unet: Arguments of a `RestorationUNet`, such as dict(channels=(64, 96, 128, 160), blocks=2), which
            takes the place of the contextual autoencoder and works on the grid of `shuffle`, and whose
            result is added to the image; `width`, `dilations` and `residual` do not concern it.
        gated: The result is the image plus a gate, which is the last attention map, times what the
            autoencoder gives, so that what the map leaves alone comes back as it was.
        gate_slope: The gate is the map times this, but at most 1. At 1 the autoencoder must give the
            whole difference B - L behind faint drops; above 1 it gives A (B - L) itself behind all
            but the faintest, and the gate only closes where there is none.

    Raises:
        ValueError: `num_steps`, `shuffle` or `gate_slope` is less than 1, `width` is not positive, or
            `gated` without attention or without `attention_activation='sigmoid'`.
    """

    padding_mode: PaddingMode = 'reflect'

    def __init__(
        self,
        num_steps: int = 4,
        attention: bool = True,
        initial_attention: float = 0.5,
        attention_activation: Literal['sigmoid'] | None = None,
        width: float = 1.0,
        attention_width: float | None = None,
        blocks: int = 5,
        shuffle: int = 1,
        dilations: Sequence[int] = (2, 4, 8, 16),
        residual: bool = False,
        unet: Mapping[str, Any] | None = None,
        gated: bool = False,
        gate_slope: float = 1.0,
    ) -> None:
        super().__init__()
        if num_steps < 1:
            raise ValueError(
                f'num_steps is {num_steps}; the recurrent network needs at least 1 step'
            )
        if shuffle < 1 or width <= 0:
            raise ValueError(f'shuffle is {shuffle} and width {width}; both must be positive')
        if gated and not (attention and attention_activation == 'sigmoid'):
            raise ValueError("gated=True needs attention and attention_activation='sigmoid'")
        if gate_slope < 1:
            raise ValueError(f'gate_slope is {gate_slope}; it must be at least 1')
        self.num_steps = num_steps
        self.shuffle = shuffle
        self.gated = gated
        self.gate_slope = gate_slope
        self.attention = None
        if attention:
            width_of_attention = width if attention_width is None else attention_width
            self.attention = AttentionNetwork(
                initial_attention,
                attention_activation,
                scaled(32, width_of_attention),
                blocks,
                cell=shuffle,
            )
        in_channels, out_channels = (4 if attention else 3) * shuffle**2, 3 * shuffle**2
        self.autoencoder: ContextualAutoencoder | RestorationUNet
        if unet is not None:
            self.autoencoder = RestorationUNet(
                **unet, shuffle=1, in_channels=in_channels, out_channels=out_channels
            )
            multiple = self.autoencoder.size_multiple
        else:
            channels = tuple(scaled(count, width) for count in (64, 128, 256, 32))
            self.autoencoder = ContextualAutoencoder(
                in_channels, channels, out_channels, dilations, residual
            )
            multiple = 4
            if gated:  # untrained it returns the input, like the U-Net
                nn.init.zeros_(self.autoencoder.output.weight)
                nn.init.zeros_(self.autoencoder.output.bias)  # type: ignore[arg-type]
        #: Sides are padded to a multiple of this inside, by reflection.
        self.size_multiple = multiple * shuffle

    def forward(self, rainy: Tensor, side_outputs: bool = False) -> Tensor | AttentiveOutput:
        """Restore rainy images of any size.

        Args:
            rainy: Rainy images, (N, 3, H, W), in [0, 1]; H and W are at least 1.
            side_outputs: Whether to return the outputs that the training losses need too.

        Returns:
            The restored images (N, 3, H, W), unbounded; with `side_outputs` an `AttentiveOutput`.
        """
        height, width = rainy.shape[2:]
        x = self._to_grid(rainy)
        maps = self.attention(x, self.num_steps) if self.attention is not None else []
        gate = maps[-1] if maps else None
        images = self._autoencode(x, gate, side_outputs)
        restored = self._compose(rainy, images.full, gate)
        if not side_outputs:
            return restored
        half, quarter = images.half, images.quarter
        if half is not None and quarter is not None:
            half = self._to_pixels(half, (height + 1) // 2, (width + 1) // 2)
            quarter = self._to_pixels(quarter, (height + 3) // 4, (width + 3) // 4)
        maps = [self._to_pixels(attention, height, width) for attention in maps]
        return AttentiveOutput(restored, tuple(maps), half, quarter)

    def compile(self, **options: Any) -> None:
        """Compile a recurrent step and the autoencoder by `torch.compile`, in place.

        Args:
            **options: Those of `torch.compile`.
        """
        if self.attention is not None:
            self.attention.compile(**options)
        self.autoencoder.compile(**options)

    def attend(self, rainy: Tensor) -> Tensor:
        """Predict the attention map alone.

        Args:
            rainy: Rainy images, (N, 3, H, W), in [0, 1].

        Returns:
            The map of the last step, (N, 1, H, W), unbounded without an activation.

        Raises:
            ValueError: The generator has no attention.
        """
        if self.attention is None:
            raise ValueError('this generator was built without attention')
        attention = self.attention(self._to_grid(rainy), self.num_steps)[-1]
        return self._to_pixels(attention, *rainy.shape[2:])

    def restore_with(self, rainy: Tensor, attention: Tensor) -> Tensor:
        """Restore images by given attention maps, for example ones held over the frames of a video.

        Args:
            rainy: Rainy images, (N, 3, H, W), in [0, 1].
            attention: Their maps, (N, 1, H, W), as `attend` returns them.

        Returns:
            The restored images (N, 3, H, W), unbounded.
        """
        gate = self._to_grid(attention)
        images = self._autoencode(self._to_grid(rainy), gate, side_outputs=False)
        return self._compose(rainy, images.full, gate)

    def _autoencode(self, x: Tensor, gate: Tensor | None, side_outputs: bool) -> Images:
        """Run the autoencoder, or the U-Net in its place, on an image and its attention map."""
        if gate is not None:
            x = torch.cat((x, gate.to(x.dtype)), 1)
        if isinstance(self.autoencoder, RestorationUNet):
            return Images(self.autoencoder.change(x), None, None)
        return self.autoencoder(x, side_outputs)  # type: ignore[no-any-return]

    def _compose(self, rainy: Tensor, full: Tensor, gate: Tensor | None) -> Tensor:
        """Return the restored image of the autoencoder's output: I + A (B - L) where gated."""
        full = self._to_pixels(full, *rainy.shape[2:])
        # Sums in float32: half a level of an 8-bit image is lost in bfloat16.
        if self.gated and gate is not None:
            gate = at_least_float32(self._to_pixels(gate, *rainy.shape[2:]))
            return at_least_float32(rainy) + self._gate(gate) * at_least_float32(full)
        if isinstance(self.autoencoder, RestorationUNet):
            return at_least_float32(rainy) + at_least_float32(full)
        return full

    def _gate(self, attention: Tensor) -> Tensor:
        """Return the gate, 0 to 1, of an attention map of the same shape."""
        return attention if self.gate_slope == 1 else (attention * self.gate_slope).clamp(max=1)

    def _to_grid(self, image: Tensor) -> Tensor:
        """Pad and unshuffle pixels: (N, C, H, W) to (N, C shuffle^2, H', W'), channels-last."""
        x = pad_to_multiple(image, self.size_multiple)
        if self.shuffle > 1:
            x = F.pixel_unshuffle(x, self.shuffle)
        # Otherwise the first convolution of every step would convert it on CUDA.
        return x.contiguous(memory_format=torch.channels_last)

    def _to_pixels(self, x: Tensor, height: int, width: int) -> Tensor:
        """Shuffle pixels back and crop: (N, C shuffle^2, H', W') to (N, C, `height`, `width`)."""
        x = F.pixel_shuffle(x, self.shuffle) if self.shuffle > 1 else x
        return x[..., :height, :width]


def scaled(channels: int, width: float) -> int:
    """Return a number of channels times a factor, rounded to a multiple of 4, at least 4.

    Example:
        >>> scaled(32, 0.5), scaled(8, 0.25)
        (16, 4)
    """
    return channels if width == 1 else max(4, 4 * round(channels * width / 4))

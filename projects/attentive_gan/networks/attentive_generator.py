"""The generator of the Attentive GAN."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn

from .attention_network import AttentionNetwork
from .autoencoder import ContextualAutoencoder
from .padding import PaddingMode, pad_to_multiple
from .receptive_field import Reach, reach_of


class AttentiveOutput(NamedTuple):
    """All outputs of the generator, in the colour order of its input.

    Attributes:
        restored: Restored pictures, (N, 3, H, W), unbounded.
        attention_maps: One map (N, 1, H, W) per step, unbounded; empty without attention.
        half: Side output of half size, (N, 3, ceil(H/2), ceil(W/2)), non-negative.
        quarter: Side output of quarter size, (N, 3, ceil(H/4), ceil(W/4)), non-negative.
    """

    restored: Tensor
    attention_maps: tuple[Tensor, ...]
    half: Tensor
    quarter: Tensor


@MODELS.register_module()
class AttentiveGenerator(nn.Module):
    """Attentive-recurrent network and contextual autoencoder, equal to the published generator.

    Works in the colour order of its weights (`published_weights.reverse_colours` turns one into the
    other). On a CPU it works in the channels-last layout; on a GPU in the layout of the weights, so
    `generator.to(memory_format=torch.channels_last)` chooses there.

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`.

    Args:
        num_steps: Recurrent steps. They share their weights, so the attribute of this name may be
            changed at any time.
        attention: Whether there is a recurrent network; False is the paper's ablation A, the
            autoencoder alone on the picture alone.
        initial_attention: Value of the attention map before the first step.
        attention_activation: `sigmoid` bounds the attention maps to (0, 1); None leaves them as the
            published weights need them.

    Raises:
        ValueError: `num_steps` is less than 1.
    """

    #: Sides are padded to a multiple of this inside, by reflection.
    size_multiple = 4
    padding_mode: PaddingMode = 'reflect'

    def __init__(
        self,
        num_steps: int = 4,
        attention: bool = True,
        initial_attention: float = 0.5,
        attention_activation: Literal['sigmoid'] | None = None,
    ) -> None:
        super().__init__()
        if num_steps < 1:
            raise ValueError(
                f'num_steps is {num_steps}; the recurrent network needs at least 1 step'
            )
        self.num_steps = num_steps
        self.attention = (
            AttentionNetwork(initial_attention, attention_activation) if attention else None
        )
        self.autoencoder = ContextualAutoencoder(4 if attention else 3)

    def forward(self, rainy: Tensor, side_outputs: bool = False) -> Tensor | AttentiveOutput:
        """Restore rainy pictures of any size.

        Args:
            rainy: Rainy pictures, (N, 3, H, W), in [0, 1]; H and W are at least 1.
            side_outputs: Whether to return what training looks at too.

        Returns:
            The restored pictures (N, 3, H, W), unbounded; with `side_outputs` an `AttentiveOutput`.
        """
        height, width = rainy.shape[2:]
        x = pad_to_multiple(rainy, self.size_multiple)
        if x.device.type == 'cpu':
            x = x.contiguous(memory_format=torch.channels_last)
        maps: tuple[Tensor, ...] = ()
        if self.attention is not None:
            drawn = self.attention(x, self.num_steps)
            x = torch.cat((x, drawn[-1]), 1)
            maps = tuple(drawn) if side_outputs else ()
            del drawn
        full, half, quarter = self.autoencoder(x, side_outputs)
        restored = full[..., :height, :width]
        if not side_outputs:
            return restored
        return AttentiveOutput(
            restored,
            tuple(m[..., :height, :width] for m in maps),
            half[..., : (height + 1) // 2, : (width + 1) // 2],
            quarter,
        )

    def attend(self, rainy: Tensor) -> Tensor:
        """Draw the attention map alone.

        Args:
            rainy: Rainy pictures, (N, 3, H, W), in [0, 1].

        Returns:
            The map of the last step, (N, 1, H, W), unbounded.

        Raises:
            ValueError: The generator has no attention.
        """
        if self.attention is None:
            raise ValueError('this generator was built without attention')
        height, width = rainy.shape[2:]
        x = pad_to_multiple(rainy, self.size_multiple)
        return self.attention(x, self.num_steps)[-1][..., :height, :width]

    def restore_with(self, rainy: Tensor, attention: Tensor) -> Tensor:
        """Restore pictures by given attention maps, for example ones held over the frames of a video.

        Args:
            rainy: Rainy pictures, (N, 3, H, W), in [0, 1].
            attention: Their maps, (N, 1, H, W), as `attend` draws them.

        Returns:
            The restored pictures (N, 3, H, W), unbounded.
        """
        height, width = rainy.shape[2:]
        x = pad_to_multiple(torch.cat((rainy, attention), 1), self.size_multiple)
        return self.autoencoder(x)[0][..., :height, :width]

    @property
    def receptive_field(self) -> Reach:
        """How far a restored pixel depends on the rainy picture, in pixels, for `num_steps` steps.

        A pixel of a tile equals that of the whole picture where the tile reaches this far around,
        or to the border of the picture.
        """
        steps = self.attention.layers() * self.num_steps if self.attention is not None else []
        return reach_of([*steps, *self.autoencoder.layers()], self.size_multiple)

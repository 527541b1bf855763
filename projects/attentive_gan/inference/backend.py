"""What runs a network: the interface that PyTorch and ONNX Runtime share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from attentive_gan.models.networks.padding import PaddingMode
from attentive_gan.utils.types import ChannelOrder

from .executors import Function
from .streaming_graph import Recording

#: `restore`: image -> restored. `both`: image -> restored, attention. `attend`: image -> attention.
#: `hold`: image, attention -> restored.
Task = Literal['restore', 'both', 'attend', 'hold']

#: Channels of each input of a task.
INPUT_CHANNELS: dict[Task, tuple[int, ...]] = {
    'restore': (3,),
    'both': (3,),
    'attend': (3,),
    'hold': (3, 1),
}

#: Channels of each output of a task.
OUTPUT_CHANNELS: dict[Task, tuple[int, ...]] = {
    'restore': (3,),
    'both': (3, 1),
    'attend': (1,),
    'hold': (3,),
}


@dataclass(frozen=True, eq=False)
class Backend(ABC):
    """A network ready to restore images, and the library that runs it."""

    name: str
    """Stem of the config, for messages and records."""
    channel_order: ChannelOrder
    """Colour order of inputs and outputs."""
    weights_sha256: str
    """SHA-256 of the weights' file, hexadecimal; empty if unknown."""
    size_multiple: int | None
    """The network pads sides that are not a multiple of this; None if unknown."""
    padding_mode: PaddingMode
    """How it pads them."""
    like: Tensor
    """Scalar of the type and on the device of the inputs."""
    device: torch.device
    """Device that runs the network."""
    smallest: int = field(default=16, kw_only=True)
    """Where `size_multiple` is unknown, images with a shorter side are padded to multiples of this:
    networks of MMagic mirror the border themselves, which takes up to 8 pixels."""
    inexact_tiles: bool = field(default=False, kw_only=True)
    """Whether images that do not fit the memory are divided where the result then differs; else refused."""

    @property
    @abstractmethod
    def gives_attention(self) -> bool:
        """Whether the network predicts an attention map."""

    def can_compute_in(self, dtype: torch.dtype) -> bool:
        """Whether the network supports a type of numbers."""
        return True

    @property
    @abstractmethod
    def max_batch(self) -> int:
        """Largest batch of small images that is faster than one image at a time."""

    @abstractmethod
    def function(self, task: Task, dtype: torch.dtype) -> Function:
        """Return a function from inputs (N, C, H, W) to a tuple of outputs of the same size.

        Args:
            task: What to compute; all but `restore` need a network with attention.
            dtype: Type of the activations.

        Raises:
            UserError: The backend does not support the task.
        """

    @abstractmethod
    def recording(self, task: Task, dtype: torch.dtype) -> Recording:
        """Return layers, receptive field and memory of the network for a task."""

    @abstractmethod
    def release(self) -> None:
        """Free memory that the library keeps for later images."""

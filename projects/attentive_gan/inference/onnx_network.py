"""An ONNX file in the place of a network."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from attentive_gan.errors import UserError

from .onnx_session import OnnxSession
from .streaming_graph import Recording

#: Names of the results that each task returns; see `views`.
_RESULTS = {'restore': ('restored',), 'both': ('restored', 'attention'), 'attend': ('attention',)}

#: What ONNX Runtime takes for each byte of the network's values, and for each pixel of the image with the
#: copies around; measured on a CPU: 0.5 to 2.8 times.
_MEMORY_FACTOR, _MEMORY_PER_PIXEL = 3, 64


class OnnxNetwork(nn.Module):
    """Maps images (1, 3, H, W), RGB, values 0 to 1, to images of the same size.

    Args:
        path: A file of `attentive_gan.export`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UserError: See `OnnxSession`.
    """

    def __init__(self, path: Path, device: str) -> None:
        super().__init__()
        self.session = OnnxSession(path, device)

    @property
    def gives_attention(self) -> bool:
        """Whether the network draws an attention map."""
        return 'attention' in self.session.result_names

    def forward(self, rainy: Tensor, task: str = 'restore') -> tuple[Tensor, ...]:
        """Return the results of a task.

        Args:
            rainy: RGB (1, 3, H, W), values 0 to 1.
            task: `restore`, `both` or `attend`.

        Raises:
            UserError: The task is another: an exported network draws its own attention map.
        """
        if task not in _RESULTS:
            raise UserError(
                'an ONNX file cannot take an attention map from outside; choose --backend torch'
            )
        return self.session.run(rainy, _RESULTS[task])

    def release(self) -> None:
        """Give the memory back that ONNX Runtime keeps for the next image."""
        self.session.release()

    def recording(self) -> Recording:
        """Return what the file says of the network's memory and receptive field."""
        metadata = self.session.metadata
        memory = _MEMORY_FACTOR * metadata.bytes_per_pixel + _MEMORY_PER_PIXEL
        obstacle = '' if metadata.reach else 'what the file says of it'
        return Recording(None, obstacle, memory, metadata.reach)

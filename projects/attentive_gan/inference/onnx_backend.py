"""ONNX files run by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.errors import UserError

from .backend import Backend, Task
from .executors import Function
from .onnx_session import OnnxSession
from .streaming_graph import Recording

#: Names of the outputs of each task.
_OUTPUTS: dict[Task, tuple[str, ...]] = {
    'restore': ('restored',),
    'both': ('restored', 'attention'),
    'attend': ('attention',),
}

#: What ONNX Runtime takes for each byte of the network's values, and for each pixel of the image with the
#: copies around; measured on a CPU: 0.5 to 2.8 times.
_MEMORY_FACTOR, _MEMORY_PER_PIXEL = 3, 64


@dataclass(frozen=True, eq=False)
class OnnxBackend(Backend):
    """Runs a file of `attentive_gan.export`, which takes and returns RGB images in float32."""

    session: OnnxSession
    """Session of ONNX Runtime."""

    @classmethod
    def from_file(cls, path: Path, device: str) -> OnnxBackend:
        """Open an ONNX file.

        Args:
            path: A file of `attentive_gan.export`.
            device: `auto`, `cpu`, `cuda` or `cuda:N`.

        Raises:
            UserError: See `OnnxSession`.
        """
        session = OnnxSession(path, device)
        metadata = session.metadata
        return cls(
            name=metadata.name,
            channel_order='rgb',
            weights_sha256=metadata.weights_sha256,
            size_multiple=metadata.size_multiple,
            padding_mode=metadata.padding_mode,
            like=torch.zeros(()),
            device=session.device,
            session=session,
        )

    @property
    def gives_attention(self) -> bool:
        """Whether the network predicts an attention map."""
        return 'attention' in self.session.result_names

    @property
    def max_batch(self) -> int:
        """Largest batch of small images that is faster than one image at a time."""
        return 1

    def function(self, task: Task, dtype: torch.dtype) -> Function:
        """Return a function from images (N, 3, H, W) to a tuple of outputs of the same size.

        Raises:
            UserError: The task is `hold`: an exported network predicts its own attention map.
        """
        if task == 'hold':
            raise UserError(
                'an ONNX file cannot take an attention map from outside; choose --backend torch'
            )

        def run(rainy: Tensor) -> tuple[Tensor, ...]:
            return self.session.run(rainy, _OUTPUTS[task])

        return run

    def recording(self, task: Task, dtype: torch.dtype) -> Recording:
        """Return receptive field and memory of the network, as stored in the file."""
        metadata = self.session.metadata
        memory = _MEMORY_FACTOR * metadata.bytes_per_pixel + _MEMORY_PER_PIXEL
        obstacle = '' if metadata.reach else 'according to the metadata of the file'
        return Recording(None, obstacle, memory, metadata.reach)

    def release(self) -> None:
        """Free the memory that ONNX Runtime keeps for the next image."""
        self.session.release()

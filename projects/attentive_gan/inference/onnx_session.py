"""An ONNX file of `attentive_gan.export`, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.utils.memory_errors import is_out_of_memory
from attentive_gan.utils.optional_packages import require_packages
from attentive_gan.utils.strict_json import one_line

from .cuda_memory import device_count
from .model_metadata import ModelMetadata

#: Side of the image that is restored to free memory.
_SMALL = 32

_PROVIDERS = {'cpu': 'CPUExecutionProvider', 'cuda': 'CUDAExecutionProvider'}


class OnnxSession:
    """A network in an ONNX file. Reading it runs no code from the file.

    Args:
        path: The file.
        device: `auto`, `cpu`, `cuda` or `cuda:N`; `auto` takes a GPU where ONNX Runtime can.

    Raises:
        UserError: ONNX Runtime is missing or cannot use the device, or the file is missing, damaged, or
            not made by this project.
    """

    def __init__(self, path: Path, device: str = 'auto') -> None:
        require_packages('onnxruntime')
        import onnxruntime

        self.device = _device(device, onnxruntime.get_available_providers())
        if not path.is_file():
            raise UserError(f'ONNX file not found: {path}')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        # Plans for one size would be kept for every size of image and tile.
        options.enable_mem_pattern = False
        self._releasing = onnxruntime.RunOptions()
        self._releasing.add_run_config_entry(
            'memory.enable_memory_arena_shrinkage', arenas(self.device)
        )
        provider = _PROVIDERS[self.device.type]
        settings = {'device_id': self.device.index or 0} if self.device.type == 'cuda' else {}
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=[(provider, settings)]
            )
        except Exception as error:  # ONNX Runtime has an error class for each fault
            raise UserError(f'{path} cannot be read by ONNX Runtime: {one_line(error)}') from error
        self._path = path
        if provider not in self._session.get_providers():
            raise UserError(
                f'--device {device}: ONNX Runtime could not start {provider} (see its message above); '
                'choose --device cpu'
            )
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.metadata = ModelMetadata.from_metadata(metadata, str(path))
        self.result_names = [output.name for output in self._session.get_outputs()]

    def run(self, rainy: Tensor, names: Sequence[str] | None = None) -> tuple[Tensor, ...]:
        """Run the network.

        Args:
            rainy: RGB images (N, 3, H, W), float32, values 0 to 1.
            names: Results to return, `restored` or `attention`; default all.

        Returns:
            Restored images (N, 3, H, W), attention maps (N, 1, H, W), on the CPU.

        Raises:
            MemoryError: Memory did not suffice.
            UserError: The file describes something that cannot be run.
        """
        pixels = rainy.cpu().contiguous().numpy()
        wanted = list(names or self.result_names)
        try:
            results = self._session.run(wanted, {'rainy': pixels})
        except Exception as error:  # ONNX Runtime has an error class for each fault
            if is_out_of_memory(error):
                raise MemoryError(f'ONNX Runtime: {str(error)[:200]}') from error
            raise UserError(
                f'{self._path} cannot be run by ONNX Runtime ({one_line(error)}); export it again'
            ) from error
        return tuple(torch.from_numpy(result) for result in results)

    def release(self) -> None:
        """Give the memory back that is kept for the next image.

        ONNX Runtime does so after a run only, so a small image is restored for it.
        """
        pixels = np.zeros((1, 3, _SMALL, _SMALL), np.float32)
        self._session.run(self.result_names[:1], {'rainy': pixels}, self._releasing)


def arenas(device: torch.device) -> str:
    """Return the names of the arenas that hold a session's memory, for ONNX Runtime's run options."""
    return f'cpu:0;gpu:{device.index or 0}' if device.type == 'cuda' else 'cpu:0'


def _device(name: str, providers: Sequence[str]) -> torch.device:
    """Return the device of a name, if ONNX Runtime can use it."""
    if name == 'auto':
        usable = _PROVIDERS['cuda'] in providers and device_count() > 0
        return torch.device('cuda' if usable else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'--device {name}: choose auto, cpu, cuda or cuda:N') from error
    if _PROVIDERS.get(device.type) not in providers:
        raise UserError(
            f'--device {name}: this ONNX Runtime has only {", ".join(providers)}; for an NVIDIA GPU run: '
            'pip uninstall onnxruntime && pip install onnxruntime-gpu'
        )
    if device.type == 'cuda' and (device.index or 0) >= device_count():
        raise UserError(f'--device {name}: there are {device_count()} CUDA devices on this machine')
    return device

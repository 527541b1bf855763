"""ONNX files: one input `rainy`, one or two results, sizes left open, and metadata."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from attentive_gan.errors import UserError
from attentive_gan.inference.model_metadata import ModelMetadata
from attentive_gan.inference.onnx_session import OnnxSession
from attentive_gan.utils.optional_packages import require_packages

from .checking import Check, check
from .exportable import Exportable, first_line, program_of


def write_onnx(module: Exportable, metadata: ModelMetadata, path: Path) -> list[Check]:
    """Write a network and compare what ONNX Runtime makes of it.

    Args:
        module: The network.
        metadata: What to write into the file's metadata.
        path: File to write; on an error it may be there but must not be used.

    Raises:
        UserError: A package is missing, or the network cannot be exported or gives something else.
    """
    require_packages('onnx', 'onnxscript', 'onnxruntime')
    program = program_of(module, metadata.name, metadata.size_multiple)
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of the exporter about itself
            written = torch.onnx.export(
                program, (), dynamo=True, external_data=False, verbose=False,
                input_names=['rainy'], output_names=module.result_names,
            )  # fmt: skip
    except Exception as error:  # whatever the exporter meets in the network
        raise UserError(
            f'{metadata.name}: {type(module.network).__name__} cannot be written as ONNX '
            f'({first_line(error)})'
        ) from error
    if written is None:
        raise UserError(f'torch {torch.__version__} has no ONNX exporter; install torch>=2.7')
    written.model.metadata_props.update(metadata.to_metadata())
    _name_sizes(written.model.graph)
    written.save(path, external_data=False)
    session = OnnxSession(path, 'cpu')
    return check(module, session.run, 'the ONNX file')


def _name_sizes(graph: Any) -> None:
    """Give the open sizes names that a reader understands."""
    for value in (*graph.inputs, *graph.outputs):
        value.shape = type(value.shape)(['batch', value.shape[1], 'height', 'width'])

"""Programs of `torch.export` (.pt2), checked in a process without this package."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from attentive_gan.inference.model_metadata import ModelMetadata

from .checking import Check, check, images
from .exportable import Exportable, program_of

#: Member of the file that holds the metadata, as JSON.
METADATA_MEMBER = 'attentive_gan.json'

#: Run by another Python: file, images, where to put the results.
_SCRIPT = """
import sys, torch
program = torch.export.load(sys.argv[1]).module()
with torch.no_grad():
    results = [list(program(image)) for image in torch.load(sys.argv[2], weights_only=True)]
torch.save(results, sys.argv[3])
"""


def write_program(module: Exportable, metadata: ModelMetadata, path: Path) -> list[Check]:
    """Write a network and compare what another process makes of the file.

    Args:
        module: The network.
        metadata: What to write into the file's member `attentive_gan.json`.
        path: File to write; on an error it may be there but must not be used.

    Raises:
        UserError: The network cannot be exported or gives something else.
    """
    program = program_of(module, metadata.name, metadata.size_multiple)
    torch.export.save(
        program, path, extra_files={METADATA_MEMBER: json.dumps(metadata.to_metadata())}
    )
    results: list[list[Tensor]] = []

    def run(rainy: Tensor) -> Sequence[Tensor]:
        if not results:
            results.extend(_run_elsewhere(path))
        return results.pop(0)

    return check(module, run, 'the exported program')


def _run_elsewhere(path: Path) -> list[list[Tensor]]:
    """Return the results for `images()` by a fresh process."""
    with TemporaryDirectory() as folder:
        given, found = Path(folder, 'images.pt'), Path(folder, 'results.pt')
        torch.save(images(), given)
        command = [sys.executable, '-c', _SCRIPT, str(path), str(given), str(found)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ['no message'])[-1])
        results: list[list[Tensor]] = torch.load(found, weights_only=True)
        return results

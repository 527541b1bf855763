"""Importing costs little: what trains is imported by those who train."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attentive_gan.checkpoints.description import WeightsDescription
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from mmagic.registry import MODELS
from support.mmagic_networks import MMAGIC
from support.runs import REPOSITORY, environment

#: What takes most of the time of a complete import.
SLOW = (
    'mmagic.models',
    'mmengine.model',
    'mmengine.runner',
    'torchvision',
    'scipy',
    'attentive_gan.engine',
)

RESTORE = """
import sys
import numpy as np
from attentive_gan import ImageRestorer
def loaded():
    return [name for name in sys.argv[1].split() if name in sys.modules]
assert not loaded(), loaded()
pixels = np.full((24, 32, 3), 99, np.uint8)
assert ImageRestorer().restore(pixels).image.shape == pixels.shape
assert not loaded(), loaded()
"""


def python(code: str, *arguments: object) -> str:
    """Run code in a process of its own and return what it prints."""
    words = [sys.executable, '-c', code, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def restore(code: str, *arguments: object) -> None:
    """Restore with the shipped weights, which imports nothing slow, and run code after it."""
    python(RESTORE + code, ' '.join(SLOW), *arguments)


def test_importing_the_package_loads_nothing_heavy() -> None:
    """It takes milliseconds; no timing here, but the modules that it loads."""
    code = """
import sys
before = set(sys.modules)
import attentive_gan
dir(attentive_gan), attentive_gan.__version__
loaded = set(sys.modules) - before
print(*sorted(name for name in loaded if name.startswith('attentive_gan')))
print(*sorted({name.partition('.')[0] for name in loaded} - sys.stdlib_module_names))
"""
    assert python(code).splitlines() == ['attentive_gan', 'attentive_gan']


def test_public_names_load_when_they_are_used() -> None:
    code = """
import attentive_gan
for name in attentive_gan.__all__:
    getattr(attentive_gan, name)
print(attentive_gan.train.__module__, attentive_gan.restore.__module__)
"""
    assert python(code).split() == ['attentive_gan.apis.train', 'attentive_gan.apis.restore']


def test_a_config_registers_everything(tmp_path: Path) -> None:
    weights = tmp_path / 'weights.safetensors'
    state = AttentiveGenerator().state_dict()
    save_weights({f'generator.{name}': value for name, value in state.items()}, weights, None)
    code = """
restorer = ImageRestorer(sys.argv[2], sys.argv[3])
assert restorer.gives_attention
from mmagic.registry import DATASETS, METRICS
assert DATASETS.get('RaindropDataset') and METRICS.get('RaindropScores')
"""
    restore(code, REPOSITORY / 'configs' / 'attgan_raindrop.py', weights)


#: Networks of MMagic, and one of this project that is built from MMagic's.
BUILT_BY_MMAGIC = (
    {'type': 'Restormer', **MMAGIC['Restormer']},
    {'type': 'Pix2PixGenerator', 'num_down': 5, 'base_channels': 4},
)


@pytest.mark.parametrize('generator', BUILT_BY_MMAGIC)
def test_weights_of_mmagics_networks_find_them(tmp_path: Path, generator: dict[str, Any]) -> None:
    weights = tmp_path / 'weights.safetensors'
    description = WeightsDescription('small', 'BaseEditModel', generator, 'rgb', '', 'nothing')
    save_weights(MODELS.build(generator).state_dict(), weights, description)
    code = 'assert ImageRestorer(weights=sys.argv[2]).restore(pixels).image.shape == pixels.shape'
    restore(code, weights)


def test_doctor_reports_the_fixes() -> None:
    """It applies them itself, since importing the package does not."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / 'tools' / 'doctor.py')],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'lean MMagic' in done.stdout

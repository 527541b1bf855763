"""Programs that only restore start without what trains, and have it as soon as they need it."""

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
from support.runs import REPOSITORY, environment, tool

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


def light(code: str, *arguments: object) -> None:
    words = [sys.executable, '-c', RESTORE + code, ' '.join(SLOW), *map(str, arguments)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=environment(ATTENTIVE_GAN_LIGHT='1')
    )
    assert done.returncode == 0, done.stderr


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
    light(code, REPOSITORY / 'configs' / 'attgan_raindrop.py', weights)


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
    light(code, weights)


def test_programs_that_a_light_one_starts_decide_for_themselves() -> None:
    code = """
import os
from attentive_gan_cli import import_light
import_light()
assert 'ATTENTIVE_GAN_LIGHT' not in os.environ
"""
    light(code)


def test_tools_know_what_they_need() -> None:
    done = tool('doctor.py', ATTENTIVE_GAN_LIGHT='1')
    assert 'lean MMagic' in done.stdout

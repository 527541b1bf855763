"""The whole trial on a CPU, as a user starts it."""

from __future__ import annotations

import json

from raindrop_renderer.options import TRAINING_MIX
from support.runs import tool
from trial import PHASES


def test_all_phases_end_well_on_a_cpu(tmp_path):
    out = tmp_path / 'out'
    ended = tool(
        'gpu_trial.py', '--seconds', 60, '--device', 'cpu', '--out', out,
        '--work-dir', tmp_path / 'work',
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {file.name for file in out.iterdir()} == {
        'results.json', 'samples.jpg', 'training.jsonl', 'generator.safetensors',
        'generator_averaged.safetensors', 'discriminator.safetensors',
    }  # fmt: skip
    found = json.loads((out / 'results.json').read_text())
    assert list(found['phases']) == list(PHASES)
    assert {phase['status'] for phase in found['phases'].values()} == {'done'}
    assert 'skipped' in found['phases']['tests']['summary']
    rows = found['phases']['benchmark']['figures']['rows']
    assert {'copy', 'matrix product', 'inference'} <= {row['kind'] for row in rows}
    assert found['phases']['train']['iterations'] > 0
    scores = found['phases']['scores']['scores']
    assert set(scores) == {*TRAINING_MIX, 'dry'}
    assert all(0 < kind['psnr'] < 100 and 0 < kind['ssim'] < 1 for kind in scores.values())

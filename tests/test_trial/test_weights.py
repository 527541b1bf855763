"""What a training of a trial leaves: small files that describe themselves, and scores."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from attentive_gan.checkpoints.description import read_description
from attentive_gan.errors import UserError
from attentive_gan.evaluation.protocols import PROTOCOLS
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.discriminators import AttentiveDiscriminator
from attentive_gan.utils.checkpoint_io import read_checkpoint, write_checkpoint
from raindrop_renderer.options import TRAINING_MIX
from support.runs import write_pairs
from trial import weights

#: Most bytes of a file of the results.
LIMIT = 16 * 2**20


@pytest.fixture
def trained(make):
    """Return a plan whose training has left a checkpoint, and the checkpoint's weights."""
    plan = make()
    torch.manual_seed(0)
    networks = {
        'generator.': AttentiveGenerator(width=0.125),
        'generator_ema.module.': AttentiveGenerator(width=0.125),
        'discriminator.': AttentiveDiscriminator(width=0.125),
    }
    state = {
        prefix + name: value
        for prefix, network in networks.items()
        for name, value in network.state_dict().items()
    }
    state['generator_ema.steps'] = torch.tensor(9)
    folder = plan.work / 'training'
    (folder / '20260101' / 'vis_data').mkdir(parents=True)
    (folder / '20260101' / 'vis_data' / 'scalars.json').write_text('{"lr": 1.0}\n{"lr": 0.5}\n')
    write_checkpoint({'state_dict': state, 'meta': {'iter': 9}}, folder / 'iter_9.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'iter_9.pth'))
    return plan, state


def test_networks_are_saved_in_half_precision_and_say_what_they_are(trained):
    plan, state = trained
    found = {}
    weights.save_trained(plan, found)
    assert (found['checkpoint'], found['iterations']) == ('iter_9.pth', 9)
    assert sorted(found['weights']) == sorted(f'{stem}.safetensors' for stem in weights.PARTS)
    for stem, prefix in weights.PARTS.items():
        stored = read_checkpoint(plan.out / f'{stem}.safetensors')['state_dict']
        expected = {
            name.removeprefix(prefix): value.half()
            for name, value in state.items()
            if name.startswith(prefix)
        }
        assert set(stored) == set(expected)
        assert all(torch.equal(value, expected[name]) for name, value in stored.items())
    described = read_description(plan.out / 'generator_averaged.safetensors')
    assert described.name == 'attgan_pool'
    assert described.generator['width'] == 0.125
    assert read_description(plan.out / 'discriminator.safetensors') is None
    rows = (plan.out / 'training.jsonl').read_text().splitlines()
    assert [json.loads(row)['lr'] for row in rows] == [1.0, 0.5]


def test_an_average_of_an_earlier_trial_is_not_taken_for_this_ones(trained):
    plan, state = trained
    weights.save_trained(plan, {})
    state = {name: value for name, value in state.items() if name.startswith('generator.')}
    path = plan.work / 'training' / 'iter_9.pth'
    write_checkpoint({'state_dict': state, 'meta': {'iter': 9}}, path)
    found = {}
    weights.save_trained(plan, found)
    assert list(found['weights']) == ['generator.safetensors']
    assert [file.name for file in plan.out.glob('*.safetensors')] == ['generator.safetensors']


def test_files_of_the_published_networks_are_small_enough():
    for network in (AttentiveGenerator(), AttentiveDiscriminator()):
        values = list(network.state_dict().values())
        header = 200 * len(values) + 4096
        assert 2 * sum(value.numel() for value in values) + header < LIMIT


def test_nothing_is_saved_without_a_sound_checkpoint(make, trained):
    plan, _ = trained
    path = plan.work / 'training' / 'iter_9.pth'
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match='checkpoint'):
        weights.save_trained(plan, {})
    with pytest.raises(UserError, match='weights not found'):
        weights.score_trained(plan, {}, 60, lambda: None)


class Answer:
    """Stands for a `ImageRestorer` and gives the clean image of what it saw last."""

    gives_attention = False

    def __init__(self, **_):
        self.seen = 0

    def restore(self, rainy, attention):
        from types import SimpleNamespace

        self.seen += 1
        return SimpleNamespace(image=255 - rainy, attention=None)


def test_scores_by_kind_are_those_of_the_protocol(make, trained, tmp_path, monkeypatch):
    _, _ = trained
    plan = make(pairs=write_pairs(tmp_path / 'pairs', count=3))
    weights.save_trained(plan, {})
    monkeypatch.setattr(weights, 'ImageRestorer', Answer)
    found, notes = {}, []
    weights.score_trained(plan, found, 600, lambda: notes.append(len(found['scores'])))
    kinds = [*TRAINING_MIX, 'dry', 'real pairs']
    assert list(found['scores']) == kinds
    assert notes == list(range(1, len(kinds) + 1))
    assert found['weights'] == 'generator_averaged.safetensors'
    real, protocol = found['scores']['real pairs'], PROTOCOLS['qian']
    images = [
        [cv2.imread(str(plan.pairs / name))[..., ::-1] for name in names]
        for names in ((f'data/{k}_rain.png', f'gt/{k}_clean.png') for k in range(3))
    ]
    for name, score in (('psnr', protocol.psnr), ('ssim', protocol.ssim)):
        before = np.mean([score(rainy, clean) for rainy, clean in images])
        after = np.mean([score(255 - rainy, clean) for rainy, clean in images])
        assert real[f'input_{name}'] == pytest.approx(before, abs=1e-3)
        assert real[name] == pytest.approx(after, abs=1e-3)
    assert real['pairs'] == 3
    assert found['scores']['dry']['input_psnr'] == 100
    assert found['scores']['small']['input_psnr'] < 40
    assert (plan.out / 'samples.jpg').stat().st_size < LIMIT


def test_no_time_leaves_one_pair_of_each_kind(make, trained, tmp_path):
    _, _ = trained
    plan = make(pairs=write_pairs(tmp_path / 'pairs', count=3))
    weights.save_trained(plan, {})
    (plan.out / 'generator_averaged.safetensors').unlink()
    found = {}
    weights.score_trained(plan, found, 0, lambda: None)
    assert found['weights'] == 'generator.safetensors'
    assert {scores['pairs'] for scores in found['scores'].values()} == {1}
    assert cv2.imread(str(plan.out / 'samples.jpg')).shape[1] > 3 * 100

"""The converter of the authors' weights, through its command line."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.models.converters import attentive_gan as weights
from attentive_gan.models.converters.pickle_file import git_blob_id
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from support.runs import data_options, tool, write_pairs


@pytest.fixture(scope='module')
def legacy_file(tmp_path_factory):
    """A state dict of the published names in the format of PyTorch before 1.6 (no zip archive)."""
    source = torch.Generator().manual_seed(0)
    ours = AttentiveGenerator().state_dict()
    state = {}
    for layer, our_layer in weights.GENERATOR_LAYERS.items():
        for kind in ('weight', 'bias'):
            shape = list(ours[f'{our_layer}.{kind}'].shape)
            shape[0] = 32 if our_layer.endswith('gates') else shape[0]
            state[f'{layer}.{kind}'] = 0.1 * torch.randn(shape, generator=source)
    path = tmp_path_factory.mktemp('weights') / 'gen.pkl'
    torch.save(state, path, _use_new_zipfile_serialization=False)
    assert path.read_bytes()[:2] != b'PK'
    return path, state


def convert(repository, *arguments):
    tool = repository / 'tools' / 'model_converters' / 'convert_official_weights.py'
    command = [sys.executable, str(tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_converts_for_the_editor(repository, legacy_file, tmp_path):
    path, published = legacy_file
    out = tmp_path / 'converted.pth'
    done = convert(repository, path, out, '--channel-order', 'bgr', '--allow-unknown')
    assert done.returncode == 0, done.stderr
    assert 'UNKNOWN weights' in done.stdout
    checkpoint = torch.load(out, weights_only=True)
    assert checkpoint['meta']['channel_order'] == 'bgr'
    assert checkpoint['meta']['git_blob'] == git_blob_id(path)
    state = {k.removeprefix('generator.'): v for k, v in checkpoint['state_dict'].items()}
    AttentiveGenerator().load_state_dict(state, strict=True)
    assert torch.equal(state['attention.head.weight'], published['det_conv0.0.weight'])
    gates = state['attention.lstm.gates.weight'].split(32)
    for gate, tensor in zip('iogf', gates, strict=True):
        assert torch.equal(tensor, published[f'conv_{gate}.0.weight'])


def test_converts_to_rgb_safetensors_by_default(repository, legacy_file, tmp_path):
    from safetensors.torch import load_file

    path, published = legacy_file
    out = tmp_path / 'new folder' / 'generator.safetensors'
    done = convert(repository, path, out, '--allow-unknown')
    assert done.returncode == 0, done.stderr
    state = load_file(out)
    AttentiveGenerator().load_state_dict(state, strict=True)
    assert torch.equal(state['autoencoder.output.bias'], published['output.0.bias'].flip(0))
    head, ours = published['det_conv0.0.weight'], state['attention.head.weight']
    assert torch.equal(ours, head[:, [2, 1, 0, 3]])


def test_refuses_a_file_that_is_not_the_authors(repository, legacy_file, tmp_path):
    done = convert(repository, legacy_file[0], tmp_path / 'x.pth')
    assert done.returncode == 1
    assert "is not the authors' gen.pkl" in done.stderr
    assert next(iter(weights.PUBLISHED_BLOBS)) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / 'x.pth').exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'does not exist; download'),
        (b'not weights', 'is a text file'),
        (b'\x00\x01 not weights', 'cannot be read as plain tensors'),
    ],
)
def test_names_a_bad_file(tmp_path, content, message):
    path = tmp_path / 'gen.pkl'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        weights.read_generator_file(path, allow_unknown=True)


def test_does_not_run_code_from_the_file(tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / 'harm'), 'w'))

    path = tmp_path / 'gen.pkl'
    torch.save({'a': Harm()}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(UserError, match='cannot be read as plain tensors'):
        weights.read_generator_file(path, allow_unknown=True)
    assert not (tmp_path / 'harm').exists()


def test_refuses_other_contents(tmp_path):
    path = tmp_path / 'gen.pkl'
    torch.save([torch.zeros(1)], path)
    with pytest.raises(UserError, match=r'holds a list \(tensor\), not the weights'):
        weights.read_generator_file(path, allow_unknown=True)


def test_names_content_as_git_does(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'what is up, doc?')
    # The example of the book Pro Git, chapter 10.2.
    assert git_blob_id(path) == 'bd9dbf5aae1a3862dd1526723246b20206e5fc37'


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_converted_weights_can_be_tested(repository, legacy_file, tmp_path, suffix):
    """tools/test.py takes them with the main network; it says that the discriminator is not there."""
    out = tmp_path / f'converted{suffix}'
    assert convert(repository, legacy_file[0], out, '--allow-unknown').returncode == 0
    data = write_pairs(tmp_path / 'pairs', count=2)
    config = repository / 'configs' / 'attentive_gan' / 'attgan_1xb2-500_drawn.py'
    done = tool(
        'test.py',
        config,
        out,
        '--work-dir',
        tmp_path / 'work',
        '--cfg-options',
        *data_options(data),
    )
    assert done.returncode == 0, done.stderr
    assert "has no weights of 'discriminator'" in done.stdout + done.stderr
    assert (tmp_path / 'work' / 'scores' / 'test' / 'test_a.csv').is_file()

"""Exported files give PyTorch's results at any size, and are not written where they would not."""

from __future__ import annotations

import importlib.util
import json
import zipfile

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.export import checking, export, format_of
from attentive_gan.export.exportable import Exportable, program_of
from attentive_gan.export.onnx_format import write_onnx
from attentive_gan.inference.model_metadata import ModelMetadata
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.utils.digests import digest
from support.described_networks import CONFIGS, network_of, write_described
from support.receptive_field import receptive_field
from torch import nn

#: None of these is in `checking.SIZES`, so that the check itself is checked.
SIZES = ((1, 1, 70), (1, 97, 33), (3, 40, 65))

FACTS = ModelMetadata('mine', 'rgb', 1, 'replicate', None, 1, '')


@pytest.fixture(scope='session')
def described(tmp_path_factory):
    """Return a function that writes weights that describe themselves."""
    folder = tmp_path_factory.mktemp('weights')
    return lambda name, order='rgb': write_described(folder, name, order)


@pytest.fixture(scope='session')
def exported(described, tmp_path_factory):
    """Return a function that exports a network as ONNX, once."""
    folder = tmp_path_factory.mktemp('exported')

    def written(name, order='rgb'):
        path = folder / f'{name}_{order}.onnx'
        if not path.exists():
            export(None, str(described(name, order)), path, 'onnx')
        return path

    return written


def images(size):
    return torch.rand(size[0], 3, *size[1:], generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize('name', sorted(CONFIGS))
def test_onnx_equals_pytorch_at_any_size(exported, name):
    runtime = pytest.importorskip('onnxruntime')
    session = runtime.InferenceSession(exported(name))
    network = network_of(name)
    for size in SIZES:
        rainy = images(size)
        results = session.run(None, {'rainy': rainy.numpy()})
        np.testing.assert_allclose(results[0], network(rainy).numpy(), atol=1e-4)


def test_the_border_is_padded_by_one_operator_with_and_without_autograd():
    """In training it is copied, which would be many operators of a file, and slow ones."""
    module = Exportable(AttentiveGenerator(1, width=0.125, blocks=1), 'rgb')
    for autograd in (True, False):
        with torch.set_grad_enabled(autograd):
            program = program_of(module, 'narrow', 4)
        found = [str(node.target) for node in program.graph.nodes if node.op == 'call_function']
        assert found.count('aten.pad.default') == 2
        assert not [name for name in found if name.startswith(('aten.copy_', 'aten.empty'))]


def test_onnx_file_is_valid_and_says_what_it_takes(exported, described):
    onnx = pytest.importorskip('onnx')
    model = onnx.load(exported('attentive'))
    onnx.checker.check_model(model, full_check=True)
    said = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert said == {
        'rainy': ['batch', 3, 'height', 'width'],
        'restored': ['batch', 3, 'height', 'width'],
        'attention': ['batch', 1, 'height', 'width'],
    }
    facts = ModelMetadata.from_metadata({p.key: p.value for p in model.metadata_props}, 'x')
    assert (facts.name, facts.size_multiple, facts.padding_mode) == ('attentive', 4, 'reflect')
    assert facts.reach == receptive_field(AttentiveGenerator(num_steps=1))
    assert facts.weights_sha256 == digest(described('attentive'))


def test_a_bgr_network_takes_rgb(exported):
    runtime = pytest.importorskip('onnxruntime')
    session = runtime.InferenceSession(exported('attentive', 'bgr'))
    rainy, network = images((1, 22, 31)), network_of('attentive')
    restored, attention = session.run(None, {'rainy': rainy.numpy()})
    output = network(rainy.flip(1), side_outputs=True)
    np.testing.assert_allclose(restored, output.restored.flip(1).numpy(), atol=1e-5)
    np.testing.assert_allclose(attention, output.attention_maps[-1].numpy(), atol=1e-5)
    assert np.abs(restored - network(rainy).numpy()).max() > 0.01  # the order matters


def test_exported_program_equals_pytorch_at_any_size(described, tmp_path):
    out = tmp_path / 'a.pt2'
    done = export(None, str(described('unet', 'bgr')), out, 'exported-program')
    assert [check.size for check in done.checks] == list(checking.SIZES)
    program, network = torch.export.load(out).module(), network_of('unet')
    for size in SIZES:
        rainy = images(size)
        (restored,) = program(rainy)
        torch.testing.assert_close(restored, network(rainy.flip(1)).flip(1), atol=1e-5, rtol=0)
    with zipfile.ZipFile(out) as archive:
        (member,) = [n for n in archive.namelist() if n.endswith('attentive_gan.json')]
        facts = ModelMetadata.from_metadata(json.loads(archive.read(member)), 'a.pt2')
    assert (facts.name, facts.network_channel_order) == ('unet', 'bgr')


def test_weights_are_exported_with_description_and_card(described, tmp_path):
    out = tmp_path / 'new' / 'prenet.safetensors'
    export(None, str(described('prenet')), out, 'safetensors')
    assert out.read_bytes() == described('prenet').read_bytes()
    assert digest(out) in out.with_suffix('.md').read_text()
    out.with_suffix('.md').write_text('my own card')
    export(None, str(out), out, 'safetensors')
    assert out.with_suffix('.md').read_text() == 'my own card'


class _OneSizeOnly(nn.Module):
    """Knows how many rows an image has when it is exported."""

    def forward(self, x):
        return x + torch.zeros(int(x.shape[2]) // 2 * 2, 1) if x.shape[2] > 20 else x


class _Deciding(nn.Module):
    """Asks the image what to do."""

    def forward(self, x):
        return x * 2 if x.mean() > 0.5 else x


@pytest.mark.parametrize('network', [_OneSizeOnly(), _Deciding()])
def test_networks_that_cannot_be_exported_are_named(network, tmp_path):
    pytest.importorskip('onnxruntime')
    with pytest.raises(UserError, match=type(network).__name__):
        write_onnx(Exportable(network, 'rgb'), FACTS, tmp_path / 'x.onnx')


@pytest.mark.parametrize('fault', [1.01e-4, float('nan')])
def test_differences_from_pytorch_are_refused(fault, described, tmp_path, monkeypatch):
    out = tmp_path / 'u.onnx'
    out.write_text('what was there')
    run = 'attentive_gan.inference.onnx_session.OnnxSession.run'
    network = network_of('eigen')
    monkeypatch.setattr(run, lambda self, rainy: [network(rainy) + fault])
    with pytest.raises(UserError, match='EigenNet differs from PyTorch'):
        export(None, str(described('eigen')), out, 'onnx')
    assert out.read_text() == 'what was there'
    assert [path.name for path in tmp_path.iterdir()] == ['u.onnx']


def test_missing_packages_are_named(described, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    hidden = ('onnx', 'onnxscript')
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name in hidden else found(name)
    )
    with pytest.raises(UserError, match='pip install onnx onnxscript'):
        export(None, str(described('eigen')), tmp_path / 'x.onnx', 'onnx')
    assert not list(tmp_path.iterdir())


def test_formats_follow_the_suffix(tmp_path):
    assert format_of(tmp_path / 'a.pt2') == 'exported-program'
    with pytest.raises(UserError, match=r'\.onnx, \.pt2, \.safetensors'):
        format_of(tmp_path / 'a.pt')

"""Mutated files of every kind: only UserError comes out, within a limit of time and memory for each.

`--fuzz-rounds 5000` tries more of them; a failure names the mutation and keeps its file.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from attentive_gan.checkpoints.description import (
    WeightsDescription,
    build_described,
    read_description,
)
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.config.reading import load_config
from attentive_gan.data_tools.pair_inspection import manifest_faults
from attentive_gan.data_tools.render_journal import JOURNAL, RenderJournal
from attentive_gan.datasets.raindrop_calibration import SCALES, read_calibration
from attentive_gan.image_io import is_animation, read_animation, read_header, read_image_file
from attentive_gan.inference.model_metadata import ModelMetadata
from attentive_gan.inference.onnx_session import OnnxSession
from attentive_gan.leaderboard import read_entries, read_result
from attentive_gan.models.networks.unet import RestorationUNet
from attentive_gan.restoration.video.state import Scene, VideoState
from attentive_gan.sweep.plan import TIMES_FILE, Training, read_object, read_times
from attentive_gan.sweep.run import _read_state
from attentive_gan.utils.checkpoint_io import read_checkpoint, read_state_dict
from attentive_gan.utils.manifest import read_manifest
from mmengine.logging import HistoryBuffer
from PIL import Image
from support.bmp_files import bmp
from support.fake_results import fake_result
from support.mutations import fuzz, fuzz_in_child, mutated_bytes, mutated_text

pytestmark = [pytest.mark.fuzz, pytest.mark.filterwarnings('ignore::UserWarning')]

COST = {'parameters': 9, 'gmacs': 1.5, 'milliseconds': 12.0, 'peak_gib': 0.25}


@pytest.fixture
def rounds(request):
    return request.config.getoption('--fuzz-rounds')


@pytest.mark.fault('E10')
@pytest.mark.parametrize('suffix', ['png', 'jpg', 'webp', 'bmp', 'tif'])
def test_image_headers(tmp_path, rounds, suffix):
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / f'a.{suffix}'
    Image.fromarray(pixels).save(path, exif=exif)
    assert fuzz(path, read_header, mutated_bytes, rounds, 1)


@pytest.mark.fault('E10')
@pytest.mark.parametrize('suffix', ['png', 'jpg', 'webp', 'bmp', 'tif', '16.png', '16.tif'])
def test_image_decoders(tmp_path, rounds, suffix):
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    path = tmp_path / f'a.{suffix}'
    if suffix.startswith('16'):
        cv2.imwrite(str(path), pixels.astype(np.uint16) * 257)
    else:
        Image.fromarray(pixels).save(path)
    fuzz_in_child(path, read_image_file, mutated_bytes, rounds, 13)


@pytest.mark.fault('E10')
def test_onnx(tmp_path, rounds):
    pytest.importorskip('onnxruntime')
    onnx = pytest.importorskip('onnx')
    helper = onnx.helper
    sizes = ['n', 3, 'h', 'w']
    graph = helper.make_graph(
        [helper.make_node('Conv', ['rainy', 'weight'], ['restored'], pads=[1, 1, 1, 1])],
        'network',
        [helper.make_tensor_value_info('rainy', onnx.TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info('restored', onnx.TensorProto.FLOAT, sizes)],
        [helper.make_tensor('weight', onnx.TensorProto.FLOAT, [3, 3, 3, 3], [0.1] * 81)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=8)
    metadata = ModelMetadata('net', 'rgb', 1, 'reflect', None, 100.0, '').to_metadata()
    helper.set_model_props(model, metadata)
    path = tmp_path / 'network.onnx'
    onnx.save(model, path)

    def read(path):
        try:
            OnnxSession(path, 'cpu').run(torch.zeros(1, 3, 8, 8))
        except MemoryError:
            return  # a lack of memory is handled by who restores

    fuzz_in_child(path, read, mutated_bytes, rounds, 14)


@pytest.mark.fault('E10')
def test_sweeps(tmp_path, rounds):
    training = Training('a', Path('a.py'), tmp_path)
    plan = tmp_path / 'plan.json'
    plan.write_text(
        json.dumps({'iterations': 5, 'minutes': None, 'options': {'a': "'b'"}}, indent=1)
    )
    assert fuzz(plan, lambda path: read_object(path, 'a plan'), mutated_text, rounds, 15)
    times = tmp_path / TIMES_FILE
    times.write_text(json.dumps({'seconds': [0.5, 0.25, 1]}, indent=1))
    assert fuzz(times, lambda path: sum(read_times(path.parent)), mutated_text, rounds, 16)
    state = tmp_path / 'state.json'
    state.write_text(json.dumps({'state': 'done', 'iterations': 5, 'minutes': 0.5}, indent=1))
    assert fuzz(state, lambda _: _read_state(training), mutated_text, rounds, 17)


@pytest.mark.fault('E10')
def test_states_of_videos(tmp_path, rounds):
    folder = tmp_path / '.out.mp4.restoring'

    def resume(_):
        with VideoState(tmp_path / 'out.mp4', {'source': 'a'}, '.mp4') as state:
            assert all(segment.frames > 0 for segment in state.segments)
            state.scene()

    with VideoState(tmp_path / 'out.mp4', {'source': 'a'}, '.mp4') as state:
        for frames in (7, 5):
            state.unfinished.write_bytes(b'x')
            state.complete_segment(
                frames, Scene(np.zeros((4, 6), np.float32), np.ones((2, 3), np.float32))
            )
    fuzz(folder / 'frames.json', resume, mutated_text, rounds, 18)
    (scene,) = folder.glob('scene_*.npz')
    assert fuzz(scene, resume, mutated_bytes, rounds, 19)


@pytest.mark.fault('E10')
@pytest.mark.parametrize('suffix', ['gif', 'png', 'webp'])
def test_animations(tmp_path, rounds, suffix):
    frames = [Image.fromarray(np.full((12, 16, 4), 60 * k, np.uint8)) for k in range(3)]
    path = tmp_path / f'a.{suffix}'
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)

    def read(path):
        is_animation(path)
        list(read_animation(path).frames())

    assert fuzz(path, read, mutated_bytes, rounds, 20)


@pytest.mark.fault('E10')
@pytest.mark.parametrize('name', ['turned', 'deep', 'alpha'])
def test_phone_photos(tmp_path, rounds, name):
    pytest.importorskip('pi_heif')
    golden = Path(__file__).parents[1] / 'golden' / 'heic' / f'{name}.heic'
    path = tmp_path / 'a.heic'
    path.write_bytes(golden.read_bytes())
    assert fuzz(path, read_image_file, mutated_bytes, rounds, 21)


@pytest.mark.fault('E10')
@pytest.mark.parametrize('layout', ['palette', 'lab', 'lzma', 'fields'])
def test_rare_layouts(tmp_path, rounds, layout):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8))
    path = tmp_path / ('a.bmp' if layout == 'fields' else 'a.tif')
    if layout == 'fields':
        path.write_bytes(bmp([np.full((9, 13), 7)] * 4, [0xF00, 0xF0, 0xF, 0xF000], 16))
    elif layout == 'palette':
        image.quantize(16).save(path)
    elif layout == 'lzma':
        image.save(path, compression='lzma')
    else:
        tifffile.imwrite(path, np.asarray(image), photometric='cielab')
    assert fuzz(path, read_image_file, mutated_bytes, rounds, 22)


@pytest.mark.fault('E10')
@pytest.mark.parametrize('layout', ['zip', 'legacy'])
def test_checkpoints(tmp_path, rounds, layout):
    history = HistoryBuffer()
    history.update(0.5)
    content = {
        'state_dict': OrderedDict(a=torch.arange(6.0), b=torch.zeros(2, 3, dtype=torch.int64)),
        'message_hub': {'log_scalars': {'loss': history}},
        'meta': {'iter': 5, 'seed': None, 'name': 'x'},
        'random': [np.arange(4), (1, 2.5, b'x')],
    }
    path = tmp_path / 'iter_1.pth'
    torch.save(content, path, _use_new_zipfile_serialization=layout == 'zip')

    def read(path):
        read_checkpoint(path)
        read_state_dict(path)

    assert fuzz(path, read, mutated_bytes, rounds, 2)


@pytest.mark.fault('E10')
def test_weights_and_their_descriptions(tmp_path, rounds):
    network = RestorationUNet(channels=(4, 6), blocks=1, shuffle=2)
    generator = dict(type='RestorationUNet', channels=[4, 6], blocks=1, shuffle=2)
    described = WeightsDescription('small', 'BaseEditModel', generator, 'bgr', '', 'nothing')
    path = tmp_path / 'small.safetensors'
    save_weights(network.state_dict(), path, described)

    def read(path):
        description = read_description(path)
        if description is None:
            read_state_dict(path)
        else:
            build_described(description, path)

    assert fuzz(path, read, mutated_bytes, rounds, 3)


@pytest.mark.fault('E10')
def test_results(tmp_path, rounds):
    result = fake_result('net', 'config', ['0', '1'], 22, tmp_path, COST, ['a note'])
    path = tmp_path / 'entries' / result.folder / 'result.json'
    assert fuzz(path, read_result, mutated_text, rounds, 4)


@pytest.mark.fault('E10')
def test_manifests(tmp_path, rounds):
    manifest = tmp_path / 'manifest.json'
    record = {'number': 0, 'sha256': {'rainy/0.png': '0'}, 'source_sha256': None}
    manifest.write_text(json.dumps({'made_from': {'seed': 1}, 'images': [record]}, indent=1))
    assert fuzz(manifest, read_manifest, mutated_text, rounds, 5)
    assert fuzz(
        manifest, lambda path: RenderJournal(path.parent, {}).read(), mutated_text, rounds, 6
    )
    journal = tmp_path / JOURNAL
    journal.write_text(json.dumps({'made_from': {'seed': 1}}) + '\n' + json.dumps(record) + '\n')
    fuzz(journal, lambda path: RenderJournal(path.parent, {}).read(), mutated_text, rounds, 7)
    checked = tmp_path / 'checked.json'
    pair = {'rainy': 'a.png', 'rainy_sha256': '0', 'clean': 'b.png', 'clean_sha256': '1'}
    checked.write_text(json.dumps({'pairs': [pair]}, indent=1))

    def compare(path):
        manifest_faults(read_manifest(path), tmp_path)

    assert fuzz(checked, compare, mutated_text, rounds, 12)
    calibration = tmp_path / 'calibration.json'
    calibration.write_text(json.dumps({'scales': dict.fromkeys(SCALES, 1.5)}, indent=1))
    assert fuzz(calibration, read_calibration, mutated_text, rounds, 8)


@pytest.mark.fault('E10')
@pytest.mark.parametrize('suffix', ['yaml', 'json'])
def test_configs(tmp_path, rounds, suffix):
    lines = [
        'model:',
        '  type: A',
        '  steps: 4',
        '  ema: null',
        'rates: [0.5, 1e-3, "x"]',
        'hooks:',
    ]
    text = '\n'.join([*lines, '- {type: B, active: true}', ''])
    if suffix == 'json':
        content = {'model': {'type': 'A', 'steps': 4}, 'hooks': [{'type': 'B', 'on': True}]}
        text = json.dumps(content, indent=1)
    path = tmp_path / f'config.{suffix}'
    path.write_text(text)
    assert fuzz(path, lambda path: load_config(str(path)), mutated_text, rounds, 9)


def test_entries(tmp_path, rounds):
    path = tmp_path / 'entries.yml'
    path.write_text(
        'entries:\n- {name: a, config: x.py, checkpoint: w.pth}\n- {name: "b", folder: f}\n'
        '- {name: c, input: true}\n- {name: d, inpainting: ns}\n'
    )
    assert fuzz(path, read_entries, mutated_text, rounds, 10)


def test_a_weakness_would_be_found(tmp_path):
    """The suite itself: a traceback, a hang and an allocation are failures."""
    path = tmp_path / 'a.json'
    path.write_text('{"a": 1}')

    def fails(read):
        sound = path.read_bytes()

        def guarded(path):
            if path.read_bytes() != sound:
                read(path)

        with pytest.raises(AssertionError, match='mutation'):
            fuzz(path, guarded, mutated_text, 5, 11, seconds=0.3)
        path.write_bytes(sound)

    fails(lambda path: json.loads(path.read_bytes() + b'{'))
    fails(lambda _: bytes(2**31))

    def hang(_):
        while True:
            pass

    fails(hang)

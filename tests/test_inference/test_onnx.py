"""ONNX files run by the same restorer: whole, in exact tiles, within a budget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.export import export
from attentive_gan.inference import ImageRestorer, execution, memory, onnx_session
from attentive_gan.inference.backend import OUTPUT_CHANNELS
from attentive_gan.inference.executors import Job, empty_outputs, run_tiled, run_whole
from attentive_gan.inference.onnx_session import OnnxSession
from attentive_gan.inference.tiling import tile_side
from hypothesis import given, settings
from hypothesis import strategies as st
from support.described_networks import write_described

onnxruntime = pytest.importorskip('onnxruntime')

PLAIN_SESSION = onnxruntime.InferenceSession

ORDERS = {'attentive': 'bgr', 'unet': 'rgb'}


@pytest.fixture(scope='session')
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Weights and ONNX file of each network."""
    folder = tmp_path_factory.mktemp('onnx')
    made = {}
    for name, order in ORDERS.items():
        weights, out = write_described(folder, name, order), folder / f'{name}.onnx'
        export(None, str(weights), out, 'onnx')
        made[name] = weights, out
    return made


@pytest.fixture(scope='session')
def restorers(files: dict[str, tuple[Path, Path]]) -> dict[str, ImageRestorer]:
    """Restorers by ONNX Runtime."""
    return {n: ImageRestorer(weights=str(f), backend='onnxruntime') for n, (_, f) in files.items()}


def image(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    """Return random pixels, not all of the range, so that little is clipped."""
    random = np.random.default_rng(height * width)
    return random.integers(
        np.iinfo(dtype).max // 4, np.iinfo(dtype).max // 2, (height, width, 3), dtype
    )


@pytest.mark.parametrize('name', sorted(ORDERS))
@pytest.mark.parametrize('size', [(1, 1), (37, 62), (64, 48)])
def test_equals_the_restorer_by_pytorch(files, restorers, name, size):
    weights, _ = files[name]
    by_torch, by_onnx = ImageRestorer(weights=str(weights), precision='float32'), restorers[name]
    assert by_onnx.gives_attention == by_torch.gives_attention
    for dtype, level in ((np.uint8, 1), (np.uint16, 7)):
        rainy = image(*size, dtype)
        expected = by_torch.restore(rainy, attention=by_torch.gives_attention)
        found = by_onnx.restore(rainy, attention=by_torch.gives_attention)
        assert found.image.dtype == dtype
        apart = np.abs(found.image.astype(int) - expected.image.astype(int)).max()
        assert apart <= level
        assert len(np.unique(found.image)) > (1 if size == (1, 1) else 20)
        if expected.attention is not None:
            np.testing.assert_allclose(found.attention, expected.attention, atol=1e-4)
            np.testing.assert_allclose(by_onnx.attend(rainy), expected.attention, atol=1e-4)


@pytest.mark.parametrize('name', sorted(ORDERS))
@settings(max_examples=6, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 60))
def test_tiles_equal_the_whole(restorers, name, height, width, size):
    loaded = restorers[name].loaded
    task = 'both' if restorers[name].gives_attention else 'restore'
    reach = loaded.recording('restore', torch.float32).reach
    random = np.random.default_rng(size)
    inputs = [random.random((height, width, 3), np.float32)]
    results = []
    for tiled in (True, False):
        outputs = [np.empty((height, width, c), np.float32) for c in OUTPUT_CHANNELS[task]]
        job = Job(inputs, outputs, loaded.size_multiple, loaded.padding_mode, loaded.like)
        if tiled:
            run_tiled(job, loaded.function(task, torch.float32), size, reach)
        else:
            run_whole([job], loaded.function(task, torch.float32))
        results.append(outputs)
    for found, expected in zip(*results, strict=True):
        assert np.abs(found - expected).max() / np.abs(expected).max() < 1e-5


def test_less_than_the_reach_is_not_exact(restorers):
    """The weights of these tests carry values that far, else the test above proves nothing."""
    loaded = restorers['unet'].loaded
    before, after = loaded.recording('restore', torch.float32).reach
    rainy, results = image(160, 32), []
    for halo in ((before, after), (before // 2, after // 2)):
        outputs = empty_outputs(rainy, (3,))
        job = Job([rainy], outputs, loaded.size_multiple, loaded.padding_mode, loaded.like)
        run_tiled(job, loaded.function('restore', torch.float32), 32, halo)
        results.append(outputs[0])
    assert (results[0] != results[1]).any()


def seen_pixels(monkeypatch):
    """Note the pixels of each run of ONNX Runtime."""
    seen = []
    original = OnnxSession.run

    def run(self, rainy, names=None):
        seen.append(rainy.shape[2] * rainy.shape[3])
        return original(self, rainy, names)

    monkeypatch.setattr(OnnxSession, 'run', run)
    return seen


def test_the_budget_decides_on_tiles(files, monkeypatch):
    restorer = ImageRestorer(weights=str(files['unet'][1]), backend='onnxruntime')
    rainy, seen = image(300, 260), seen_pixels(monkeypatch)
    whole = restorer.restore(rainy).image
    assert seen == [300 * 264 + 4 * 264]  # padded to multiples of 8
    budget = int(restorer.loaded.recording('restore', torch.float32).bytes_per_pixel * 200**2)
    monkeypatch.setattr(execution, 'working_memory', lambda *others: budget)
    seen.clear()
    np.testing.assert_array_equal(restorer.restore(rainy).image, whole)
    assert len(seen) > 1
    assert max(seen) <= 200**2


@pytest.mark.parametrize(
    ('budget', 'expected'), [(100 * 50**2, 32), (100 * 41**2, 24), (100, 8), (0, 8)]
)
def test_tiles_fill_the_budget(budget, expected):
    assert tile_side(100, budget, (7, 3), 8) == expected  # halos of 8 on either side


def test_tiles_are_halved_when_memory_runs_out(files, monkeypatch):
    messages = []
    path = str(files['unet'][1])
    restorer = ImageRestorer(weights=path, notify=messages.append)  # chosen by the file's name
    rainy = image(200, 200)
    whole = restorer.restore(rainy).image
    original = OnnxSession.run

    def run(self, part, names=None):
        if part.shape[3] > 180:
            raise MemoryError('ONNX Runtime: Failed to allocate memory')
        return original(self, part, names)

    monkeypatch.setattr(OnnxSession, 'run', run)
    np.testing.assert_array_equal(restorer.restore(rainy).image, whole)
    assert messages
    assert 'memory ran out' in messages[0]


def test_mistakes_are_named(files, tmp_path):
    weights, path = map(str, files['unet'])
    config = 'configs/unet_rendered.py'
    damaged = tmp_path / 'damaged.onnx'
    damaged.write_bytes(Path(path).read_bytes()[:1000])
    for arguments, message in (
        (dict(weights=path, backend='torch'), '--backend onnxruntime'),
        (dict(weights=path.replace('.onnx', '.pt2')), r'program of torch\.export'),
        (dict(weights='https://example.org/a.onnx', backend='torch'), 'ONNX'),
        (dict(weights='https://example.org/a.pth'), 'download the weights'),
        (dict(config=config, weights=path), 'no --config'),
        (dict(weights=weights, backend='onnxruntime'), r'\.onnx file of tools/export\.py'),
        (dict(config=config, weights=path, backend='onnxruntime'), 'no --config'),
        (dict(weights=path, backend='onnxruntime', precision='float16'), 'float32'),
        (dict(weights=str(damaged), backend='onnxruntime'), 'cannot be read'),
        (dict(weights=str(tmp_path / 'no.onnx'), backend='onnxruntime'), 'not found'),
        (dict(weights=path, backend='onnxruntime', device='tpu'), 'choose auto, cpu'),
    ):
        with pytest.raises(UserError, match=message):
            ImageRestorer(**arguments)


def test_files_of_others_are_refused(files, tmp_path):
    onnx = pytest.importorskip('onnx')
    model = onnx.load(files['unet'][1])
    for key, value, message in (
        ('receptive_field', 'x y', 'damaged'),
        ('padding_mode', 'circular', 'damaged'),
        ('format', 'of others', 'export.py'),
    ):
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        next(p for p in changed.metadata_props if p.key == key).value = value
        onnx.save(changed, tmp_path / 'x.onnx')
        with pytest.raises(UserError, match=message):
            ImageRestorer(weights=str(tmp_path / 'x.onnx'), backend='onnxruntime')


def test_an_attention_map_from_outside_is_refused(restorers):
    rainy = image(20, 20)
    with pytest.raises(UserError, match='--backend torch'):
        restorers['attentive'].restore(rainy, held=np.zeros((20, 20), np.float32))


def test_records_name_network_and_weights(files, restorers):
    by_torch = ImageRestorer(weights=str(files['unet'][0]))
    assert restorers['unet'].name == by_torch.name == 'unet'
    assert restorers['unet'].loaded.weights_sha256 == by_torch.loaded.weights_sha256
    assert restorers['unet'].device == torch.device('cpu')


class Session:
    """ONNX Runtime's session on a GPU that is not there: it runs on the CPU and notes what it was given."""

    made: list[Session] = []

    def __init__(self, path, options, providers) -> None:
        self.given = providers
        self.plain = PLAIN_SESSION(path, options, providers=['CPUExecutionProvider'])
        self.runs: list[str | None] = []
        Session.made.append(self)

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def get_providers(self):
        return [self.given[0][0], 'CPUExecutionProvider']

    def run(self, names, inputs, options=None):
        key = 'memory.enable_memory_arena_shrinkage'
        self.runs.append(options and options.get_run_config_entry(key))
        return self.plain.run(names, inputs)


@pytest.fixture
def two_cards(monkeypatch):
    """Make ONNX Runtime and torch tell of two GPUs."""
    providers = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: providers)
    monkeypatch.setattr(onnxruntime, 'InferenceSession', Session)
    monkeypatch.setattr(onnx_session, 'device_count', lambda: 2)
    Session.made.clear()


@pytest.mark.usefixtures('two_cards')
def test_a_second_card_is_named_to_providers_and_arenas(files):
    session = OnnxSession(files['unet'][1], 'cuda:1')
    assert session.device == torch.device('cuda', 1)
    assert Session.made[0].given == [('CUDAExecutionProvider', {'device_id': 1})]
    session.run(torch.rand(1, 3, 16, 16))
    session.release()
    # Memory is kept between images, and given back when asked for.
    assert Session.made[0].runs == [None, 'cpu:0;gpu:1']
    with pytest.raises(UserError, match='2 CUDA devices'):
        OnnxSession(files['unet'][1], 'cuda:2')


@pytest.mark.usefixtures('two_cards')
def test_auto_takes_a_card_only_where_there_is_one(files, monkeypatch):
    assert OnnxSession(files['unet'][1], 'auto').device.type == 'cuda'
    monkeypatch.setattr(onnx_session, 'device_count', lambda: 0)
    assert OnnxSession(files['unet'][1], 'auto').device.type == 'cpu'


@pytest.mark.usefixtures('two_cards')
def test_a_card_that_torch_does_not_know_restores(files, monkeypatch):
    """ONNX Runtime for GPUs beside a torch for CPUs."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(memory, 'total_memory', lambda device: 2**30)
    monkeypatch.setattr(memory, 'free_memory', lambda device: 2**30)
    restorer = ImageRestorer(weights=str(files['unet'][1]), backend='onnxruntime', device='cuda:1')
    assert restorer.memory == 2**30
    rainy = image(40, 64)
    expected = ImageRestorer(weights=str(files['unet'][1]), backend='onnxruntime', device='cpu')
    np.testing.assert_array_equal(restorer.restore(rainy).image, expected.restore(rainy).image)


def test_memory_is_released_when_it_seems_to_lack(files, monkeypatch):
    restorer = ImageRestorer(weights=str(files['unet'][1]), backend='onnxruntime', device='cpu')
    released = []
    monkeypatch.setattr(OnnxSession, 'release', lambda self: released.append(1))
    restorer.restore(image(40, 64))
    assert not released
    restorer.memory = psutil.Process().memory_info().rss + memory.LEAST_WORKING_MEMORY + 2**24
    restorer.restore(image(1000, 1000))
    assert released

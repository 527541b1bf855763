"""C and E. Files that vanish, have odd names or are malformed; every row of the table has a test."""

from __future__ import annotations

import ast
import json
import shutil
import struct

import numpy as np
import pytest
import torch
from attentive_gan import restore
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.datasets.transforms.loading import LoadRainyCleanPair
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.checkpoint_io import read_checkpoint
from support.fault_matrix import ROWS
from support.lively_networks import BUILDERS, lively
from support.runs import REPOSITORY


def test_every_row_has_a_test():
    named = set()
    for path in (REPOSITORY / 'tests').rglob('test_*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == 'pytest.mark.fault':
                named |= {word.value for word in node.args}
    assert named == set(ROWS)


@pytest.fixture(scope='module')
def network():
    return lively(BUILDERS['unet']())


@pytest.mark.fault('B5')
def test_a_batch_gives_what_single_images_give():
    torch.manual_seed(0)
    network = BUILDERS['unet']().eval()
    images = torch.rand(3, 3, 24, 32)
    with torch.no_grad():
        together = network(images)
        single = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(together, single, rtol=0, atol=1e-6)


@pytest.mark.fault('C8')
def test_every_file_of_hostile_names_is_restored_within_the_output_folder(network, tmp_path):
    names = [
        'two words.png', 'ümläut 雨.png', 'two\nlines.png', '-rf.png', '--force.png', '<img onerror=x>.png',
        '$(touch harm).png', '%2e%2e%2fharm.png', '..png', '.. .png', 'x' * 251 + '.png',
    ]  # fmt: skip
    write_image(tmp_path / 'in' / 'image.png', np.full((16, 16, 3), 90, np.uint8))
    for name in names:  # for Python 3.14, `..png` has no suffix
        shutil.copy(tmp_path / 'in' / 'image.png', tmp_path / 'in' / name)
    (tmp_path / 'in' / 'image.png').unlink()
    before = {path for path in tmp_path.rglob('*') if 'out' not in path.parts}
    restorer = ImageRestorer(network=network, device='cpu', precision='float32')
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=restorer)
    visible = [name for name in names if not name.startswith('.')]
    assert len(report.of('done')) == len(visible), report.of('failed')
    after = {
        path for path in tmp_path.rglob('*') if (tmp_path / 'out') not in (path, *path.parents)
    }
    assert after == before


@pytest.mark.fault('C10')
def test_an_image_that_was_deleted_after_it_was_listed_is_named(raindrop_set):
    root = raindrop_set()
    dataset = RaindropDataset(str(root), [LoadRainyCleanPair(channel_order='rgb')])
    assert len(dataset) == 3
    (root / 'gt' / '1_clean.png').unlink()
    with pytest.raises(UserError, match=r'1_clean\.png'):
        dataset[1]


def safetensors(header, data=b'\0' * 16, size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(text) if size is None else size) + text + data


def tensor(**changes):
    return {'w': {'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 16], **changes}}


@pytest.mark.fault('E3')
@pytest.mark.parametrize(
    'content',
    [
        b'',
        safetensors(tensor(), b'\0' * 15),
        safetensors(tensor(), b'\0' * 17),
        safetensors(tensor(), size=2**40),
        safetensors(tensor(shape=[2**31, 2**31])),
        safetensors(tensor(data_offsets=[0, 2**62])),
        safetensors(tensor(dtype='F33')),
        safetensors(b'{"w": '),
        safetensors(b'[' * 100_000),
    ],
    ids=['empty', 'cut', 'longer', 'header', 'shape', 'offsets', 'type', 'json', 'deep'],
)
def test_malformed_safetensors_are_one_line(tmp_path, content):
    path = tmp_path / 'w.safetensors'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'w\.safetensors') as found:
        read_checkpoint(path)
    assert '\n' not in str(found.value)
    assert len(str(found.value)) < 500

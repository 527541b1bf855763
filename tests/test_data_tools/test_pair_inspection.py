"""A check measures what is there, and lists every fault once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from attentive_gan.data_tools.dataset_check import check, splits_of
from attentive_gan.data_tools.pair_inspection import MIN_RESPONSE, measure_shift, pair_faults
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.image_io import read_image, write_image
from drawn_scenes.scenes import draw_scene
from raindrop_renderer.sampling import add_raindrops
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio
from support.pairs import pair_of


def faults(root, **options) -> list[str]:
    result = check(splits_of(root), root, **options)
    return [f'{fault.kind}: {fault.where}' for fault in result.faults]


def test_sound_data_set(raindrop_set):
    root = raindrop_set()
    result = check(splits_of(root), root)
    assert result.faults == []
    record = result.records[1]
    rainy, clean = pair_of(1)
    assert (record.name, record.width, record.height) == ('1', 36, 24)
    assert record.psnr_rgb == pytest.approx(peak_signal_noise_ratio(clean, rainy))
    # A rectangle of 7x10 plus its four edges: dilation by a plus adds no corners.
    assert record.mask_share == pytest.approx((7 * 10 + 2 * 7 + 2 * 10) / (24 * 36))


def test_all_splits_are_checked_and_copies_between_them_found(raindrop_set, tmp_path):
    raindrop_set((0, 1))
    raindrop_set((2, 3), tmp_path / 'test_a')
    assert faults(tmp_path) == []
    write_image(tmp_path / 'test_a' / 'data' / '3_rain.bmp', pair_of(1)[0])
    (tmp_path / 'test_a' / 'data' / '3_rain.png').unlink()
    assert faults(tmp_path) == [
        'a rainy image is stored twice: test_a/data/3_rain.bmp equals train/data/1_rain.png'
    ]


@pytest.mark.fault('C1')
def test_every_fault_is_listed(raindrop_set, tmp_path):
    root = raindrop_set(range(6))
    (root / 'gt' / '0_clean.png').unlink()
    for name in ('1_rain', '2_rain'):
        file = root / 'data' / f'{name}.png'
        file.write_bytes(file.read_bytes()[:-40])
    write_image(root / 'gt' / '3_clean.png', pair_of(3, (20, 36))[1])
    write_image(root / 'data' / '4_rain.png', pair_of(4)[1])
    found = faults(root)
    assert len(found) == 5
    for expected in ('0_rain', '1_rain', '2_rain', '3_rain', 'same image: data/4_rain.png'):
        assert any(expected in fault for fault in found)


def test_empty_folder_is_a_fault(raindrop_set, tmp_path):
    raindrop_set((0,))
    for part in ('data', 'gt'):
        (tmp_path / 'test_b' / part).mkdir(parents=True)
    assert faults(tmp_path) == [f'no pairs in a folder: {tmp_path / "test_b"}']


@pytest.mark.fault('C2')
def test_damage_inside_of_a_file_is_found_by_the_manifest(raindrop_set):
    root = raindrop_set((0, 1), suffixes=('.bmp',))
    result = check(splits_of(root), root)
    paths = result.write(root.parent / 'out', 12)
    assert [path.name for path in paths] == ['manifest.json', 'contact_sheet.png']
    assert read_image(paths[1]).shape[0] > 2 * 100
    manifest = {'pairs': [vars(record) for record in result.records]}
    file = root / 'data' / '1_rain.bmp'
    content = bytearray(file.read_bytes())
    content[-7] ^= 1
    file.write_bytes(content)
    assert faults(root) == []  # no decoder can know
    assert faults(root, manifest=manifest) == ['a file differs from the manifest: data/1_rain.bmp']


@pytest.mark.parametrize(
    ('shift', 'tolerance'), [((0, 0), 0.25), ((3, -2), 0.25), ((0.5, 0), 0.7), ((-1.25, 4.5), 0.7)]
)
def test_shift_is_measured_through_the_drops(shift, tolerance):
    clean = draw_scene(5, (120, 160))
    rainy = add_raindrops(clean, 5).rainy
    moved = ndimage.shift(rainy, (shift[1], shift[0], 0), order=1, mode='nearest')
    measured, response = measure_shift(moved, clean)
    np.testing.assert_allclose(measured, shift, atol=tolerance)
    assert response > MIN_RESPONSE


def test_shifted_pair_is_a_fault_and_unclear_measurement_is_not(raindrop_set, tmp_path):
    scene = draw_scene(2, (96, 128))
    root = raindrop_set((0,))
    rainy = cv2.warpAffine(scene, np.float32([[1, 0, 5], [0, 1, 0]]), (128, 96), borderMode=1)
    write_image(root / 'data' / '0_rain.png', rainy)
    write_image(root / 'gt' / '0_clean.png', scene)
    assert faults(root) == ['partners are shifted against each other: data/0_rain.png by 5.0 px']
    record = check(splits_of(root), root).records[0]
    assert not list(pair_faults(replace(record, shift_response=0.01)))


@pytest.mark.shared
def test_real_pairs_have_the_measured_values(shared):
    root = shared / 'data' / 'raindrop_train_pairs'
    result = check([RaindropDataset(data_root=str(root), lazy_init=True)], root)
    assert result.faults == []
    psnr = [record.psnr_rgb for record in result.records]
    assert psnr == pytest.approx([20.47, 16.41, 18.65, 14.71], abs=0.006)
    assert max(np.hypot(*record.shift) for record in result.records) < 0.2

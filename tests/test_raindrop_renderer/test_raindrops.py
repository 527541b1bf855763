"""Rendered raindrops obey physics, and are the same bytes everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pair_statistics import raindrop_statistics
from attentive_gan.image_io import read_image
from drawn_scenes.scenes import draw_scene
from raindrop_renderer import raindrops
from raindrop_renderer.aperture import aperture_kernel
from raindrop_renderer.blobs import add_blobs
from raindrop_renderer.environment import environment_map
from raindrop_renderer.errors import RaindropOptionError
from raindrop_renderer.exact import filter_whole
from raindrop_renderer.glass import stamp, through_drops
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import REGIMES, RaindropParameters
from raindrop_renderer.placement import Drops, place_drops
from raindrop_renderer.raindrops import render_raindrops
from raindrop_renderer.sampling import add_raindrops, is_night, sample_parameters
from raindrop_renderer.sprites import FULL, encoded_ranks
from scipy import ndimage
from support import runs

#: Nothing but drops: no mist, veil, gain or reflection.
BARE = RaindropParameters(
    mist=0, haze=0, veil=0, gain=1, reflection=0, fine_coverage=0, coverage=0.2, seed=5
)


def noise(height, width, seed=0):
    """Return an image with detail at all scales."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)
    fine = random.integers(-20, 20, (height, width, 3))
    return np.clip(coarse[:height, :width] + fine, 0, 255).astype(np.uint8)


def one_drop(down, across, size):
    """Return a single round drop."""
    numbers = (np.array([number], np.int64) for number in (down, across, size, 0, 0))
    return Drops(*numbers)


@pytest.fixture
def single(monkeypatch):
    """Put one large drop into the middle of the glass, whatever the parameters say."""

    def place(size, scale, margin, parameters):
        return one_drop(size[0] // 2, size[1] // 2, 22)

    monkeypatch.setattr(raindrops, 'place_drops', place)


@pytest.mark.parametrize('shape', [(16, 16), (33, 71), (120, 161), (481, 722)])
def test_no_drops_and_no_film_is_the_identity(shape):
    clean = noise(*shape)
    result = render_raindrops(clean, replace(BARE, coverage=0))
    np.testing.assert_array_equal(result.rainy, clean)
    assert not result.alpha.any()


@pytest.mark.parametrize('focus', ['scene', 'drops'])
@pytest.mark.parametrize('level', [7, 90, 200])
def test_a_uniform_scene_stays_uniform(level, focus):
    clean = np.full((120, 180, 3), level, np.uint8)
    # All light comes from the same grey, also what the rims reflect (their share of it is 1).
    sky = (level / 255) ** 2
    parameters = replace(BARE, sky_radiance=sky, rim=1, focus=focus, coverage=0.4)
    result = render_raindrops(clean, parameters)
    assert result.alpha.max() > 0.9
    # The sky has clouds and falls off towards the zenith, so only the drops' upper half is tested
    # exactly: with no sky at all nothing may change anywhere.
    blind = render_raindrops(clean, replace(parameters, sky_elevation=90))
    assert np.abs(blind.rainy.astype(int) - level).max() <= 1
    assert np.abs(result.rainy.astype(int) - level).mean() < 0.1 * level


def test_rims_darken_where_they_reflect_nothing():
    clean = np.full((120, 180, 3), 150, np.uint8)
    parameters = replace(BARE, sky_elevation=90, focus='drops', coverage=0.4)
    dark = render_raindrops(clean, replace(parameters, rim=0)).rainy
    assert dark.max() <= 150
    assert dark.min() < 110  # total reflection at the steep rim of some drops
    middle = np.median(dark[render_raindrops(clean, parameters).alpha > 0.999])
    assert 145 <= middle <= 149  # 2 per cent of the light are reflected where a drop is flat


@pytest.mark.parametrize('size', [18, 22])
def test_a_drop_shows_the_scene_upside_down_and_mirrored(monkeypatch, size):
    def place(*_):
        return one_drop(60, 90, size)

    monkeypatch.setattr(raindrops, 'place_drops', place)
    parameters = replace(BARE, focus='drops', aperture=0, sky_elevation=90, seed=3)
    for axis in (0, 1):
        clean = np.zeros((120, 180, 3), np.uint8)
        clean[(slice(None, 60), slice(None)) if axis == 0 else (slice(None), slice(None, 90))] = 255
        result = render_raindrops(clean, parameters)
        inside = np.where(result.alpha > 0.99)
        middle = (60, 90)[axis]
        # Away from the drop's axis, where the reflected image beyond the frame is not yet seen.
        near = 3
        first = [result.rainy[y, x].mean() for y, x in zip(*inside, strict=True)
                 if 0 < middle - (y, x)[axis] <= near]  # fmt: skip
        second = [result.rainy[y, x].mean() for y, x in zip(*inside, strict=True)
                  if 0 < (y, x)[axis] - middle <= near]  # fmt: skip
        assert np.mean(second) > 2 * np.mean(first)


def test_sky_beyond_the_frame_appears_at_the_bottom_of_drops(single):
    clean = np.full((120, 180, 3), 40, np.uint8)
    result = render_raindrops(clean, replace(BARE, focus='drops', aperture=0, sky_elevation=8))
    rows = np.where(result.alpha.max(axis=1) > 0.99)[0]
    quarter = len(rows) // 4
    inside = np.where(result.alpha > 0.99, result.rainy.mean(axis=2), np.nan)
    top, bottom = np.nanmean(inside[rows[:quarter]]), np.nanmean(inside[rows[-quarter:]])
    assert bottom > 150
    assert top < 60


@pytest.mark.parametrize('blur', [2.0, 3.0, 6.0, 10.0])
def test_the_edge_is_as_wide_as_the_blur(single, blur):
    clean = np.full((400, 600, 3), 128, np.uint8)
    field, distance = 24.0, 100.0
    focal = 300 / np.tan(np.radians(field / 2))
    parameters = replace(
        BARE, field_of_view=field, glass_distance=distance, aperture=blur * distance / focal
    )
    alpha = render_raindrops(clean, parameters).alpha
    row = alpha[np.argmax(alpha.sum(axis=1))]
    assert row.max() > 0.99  # the drop is larger than the blur
    left = row[: int(np.argmax(row > 0.99)) + 1]
    places = np.interp([0.1, 0.9], left, np.arange(len(left)))
    # A disc of radius b that passes over a straight edge is hidden by 10 and 90 per cent at -0.687 b and
    # 0.687 b (the area of a circle's segment).
    diameter = (places[1] - places[0]) / 0.687
    print(diameter)
    assert diameter == pytest.approx(2 * blur, rel=0.12)


def test_blur_keeps_coverage_and_light():
    parameters = replace(BARE, seed=11)
    random = np.random.default_rng(0)
    scene = random.integers(0, 65026, (60, 90, 3)).astype(np.float32)
    environment = environment_map(scene, 200.0, parameters)
    pixels = stamp(one_drop(40, 50, 24), (0, 80), (0, 100))
    angles = np.full(80, 87 * 32), np.full(100, 87 * 32)
    coverage, light = through_drops(pixels, environment, angles, np.array([900.0, 800, 700]))
    kernel = aperture_kernel(4.0, 6, 10.0)
    blurred = filter_whole(np.dstack([coverage, light]), kernel).sum(axis=(0, 1), dtype=np.float64)
    assert blurred[0] == coverage.sum(dtype=np.float64) > 100 * FULL
    np.testing.assert_array_equal(blurred[1:], light.sum(axis=(0, 1), dtype=np.float64))


def test_drops_send_no_more_light_than_they_get():
    clean = noise(160, 240)
    clean = np.minimum(clean, 180)
    parameters = replace(BARE, sky_radiance=(180 / 255) ** 2 / 1.26, coverage=0.5, rim=1)
    assert render_raindrops(clean, parameters).rainy.max() <= 181


def test_a_lamp_becomes_the_image_of_the_lens_opening(single):
    clean = np.zeros((300, 450, 3), np.uint8)
    clean[140:146, 222:228] = 255
    parameters = replace(BARE, lamp_gain=60, sky_elevation=90, glass_distance=60, aperture=2.0)
    lit = render_raindrops(clean, replace(parameters, blades=6)).rainy
    dark = render_raindrops(np.zeros_like(clean), replace(parameters, blades=6)).rainy
    focal = 225 / np.tan(np.radians(12))
    blur = 2.0 * focal / 60
    disc = (lit.astype(int) - dark).max(axis=2) > 2
    hexagon = 6 / 2 * np.sin(np.pi / 3) * blur**2
    assert disc.sum() > hexagon  # the drop shows the lamp over some width, so at least one hexagon


@pytest.mark.parametrize('regime', REGIMES)
def test_memory_bands_do_not_show(monkeypatch, regime):
    clean = noise(301, 203)
    options = RaindropOptions(regimes={regime: 1}, frame_width=720)
    whole = add_raindrops(clean, 3, options)
    monkeypatch.setattr(raindrops, '_BAND_PIXELS', 203 * 40)
    monkeypatch.setattr(raindrops, '_CACHED_PIXELS', 203 * 9)
    parts = add_raindrops(clean, 3, options)
    np.testing.assert_array_equal(parts.rainy, whole.rainy)
    np.testing.assert_array_equal(parts.alpha, whole.alpha)


def test_the_order_of_placing_does_not_matter():
    drops = place_drops((100, 150), 6.0, 10.0, replace(BARE, coverage=0.6))
    order = np.random.default_rng(0).permutation(len(drops.down))
    assert len(order) > 50
    shuffled = Drops(*(getattr(drops, name)[order] for name in asdict(drops)))
    first, second = (stamp(some, (0, 100), (0, 150)) for some in (drops, shuffled))
    np.testing.assert_array_equal(first.down, second.down)
    np.testing.assert_array_equal(first.coverage, second.coverage)


def test_a_part_of_the_glass_is_the_same_as_the_whole():
    drops = place_drops((100, 150), 6.0, 10.0, replace(BARE, coverage=0.6))
    whole, part = stamp(drops, (0, 100), (0, 150)), stamp(drops, (31, 60), (20, 99))
    np.testing.assert_array_equal(whole.across[31:60, 20:99], part.across)


@pytest.mark.parametrize('lighting', ['day', 'night'])
@pytest.mark.parametrize('regime', REGIMES)
def test_a_window_has_the_bytes_of_the_whole(regime, lighting):
    clean = noise(281, 407)
    random = np.random.default_rng(len(regime))
    for seed, frame in enumerate((300, 720, 2500)):
        options = RaindropOptions(regimes={regime: 1}, lighting=lighting, frame_width=frame)
        whole = add_raindrops(clean, seed, options)
        for most in ((120, 160), (9, 9), (9, 160)):
            height, width = (int(random.integers(1, side)) for side in most)
            top = int(random.integers(0, 282 - height))
            left = int(random.integers(0, 408 - width))
            made = add_raindrops(clean, seed, options, (top, left, height, width))
            cut = slice(top, top + height), slice(left, left + width)
            for name in ('rainy', 'clean', 'alpha', 'coverage'):
                np.testing.assert_array_equal(getattr(made, name), getattr(whole, name)[cut])


def test_a_part_of_the_glass_shows_all_drops_that_reach_into_it():
    parameters = replace(BARE, radius_spread=0.6, coverage=0.5, steep=0.5)
    drops = place_drops((200, 300), 40.0, 60.0, parameters)
    whole = stamp(drops, (0, 200), (0, 300))
    for top, left in ((0, 0), (77, 130), (150, 260)):
        part = stamp(drops, (top, top + 40), (left, left + 40))
        cut = slice(top, top + 40), slice(left, left + 40)
        for name in ('coverage', 'across', 'down', 'transmission'):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[cut])


@pytest.mark.parametrize('window', [(0, 0, 65, 10), (-1, 0, 10, 10), (0, 60, 5, 5), (3, 3, 0, 4)])
def test_windows_beyond_the_image_are_refused(window):
    with pytest.raises(RaindropOptionError, match='window'):
        add_raindrops(noise(64, 64), 0, window=window)


def test_a_higher_rank_lies_on_top():
    two = [np.array([10, 10]), np.array([10, 14]), np.array([16, 16]), np.array([0, 0])]
    for ranks in ((0, 9), (9, 0)):
        both = stamp(Drops(*two, encoded_ranks(np.array(ranks))), (0, 24), (0, 28))
        top = int(np.argmax(ranks))
        alone = stamp(
            Drops(*(part[[top]] for part in two), encoded_ranks(np.array([9]))), (0, 24), (0, 28)
        )
        inside = alone.coverage == FULL
        np.testing.assert_array_equal(both.across[inside], alone.across[inside])


def test_the_wanted_share_of_the_glass_is_covered():
    # Nothing hides anything at little coverage, so the stamped area is the drawn one (plus 10 per cent).
    found = []
    for seed in range(30):
        drops = place_drops((300, 400), 7.0, 0.0, replace(BARE, coverage=0.05, seed=seed))
        covered = stamp(drops, (-60, 360), (-60, 460)).coverage.sum() / FULL
        found.append(covered / (300 * 400))
    assert np.mean(found) == pytest.approx(0.05, rel=0.15)


def test_drops_grow_with_the_frame_and_shrink_with_the_distance():
    clean = noise(160, 240)

    def edge_density(**changes):
        frame = changes.pop('frame_width', None)
        alpha = render_raindrops(clean, replace(BARE, focus='drops', **changes), frame).alpha
        return np.abs(np.diff(alpha > 0.5, axis=0)).mean() / (alpha > 0.5).mean()

    assert edge_density(frame_width=720) < 0.6 * edge_density(frame_width=240)
    assert edge_density(glass_distance=480) > 1.5 * edge_density(glass_distance=240)


@pytest.mark.parametrize('size', [(16, 16), (17, 300), (255, 33)])
@pytest.mark.parametrize('lighting', ['day', 'night'])
def test_any_size_and_lighting(size, lighting):
    for seed in range(4):
        result = add_raindrops(noise(*size), seed, RaindropOptions(lighting=lighting))
        assert result.rainy.shape == (*size, 3)
        assert result.rainy.dtype == np.uint8
        assert result.alpha.shape == size
        assert result.alpha.dtype == np.float32
        assert 0 <= result.alpha.min() <= result.alpha.max() <= 1


def test_the_clean_image_is_not_changed():
    clean = noise(64, 64)
    before = clean.copy()
    assert add_raindrops(clean, 1).clean is not None
    np.testing.assert_array_equal(clean, before)


def test_what_is_no_image_is_refused():
    with pytest.raises(RaindropOptionError, match='16x16'):
        add_raindrops(noise(15, 40), 0)
    with pytest.raises(ValueError, match='uint8'):
        render_raindrops(np.zeros((32, 32, 3), np.float32), BARE)
    with pytest.raises(ValueError, match='uint8'):
        render_raindrops(np.zeros((32, 32), np.uint8), BARE)


def test_a_record_of_the_parameters_makes_the_same_image():
    clean = noise(80, 120)
    made = add_raindrops(clean, 12)
    again = render_raindrops(clean, RaindropParameters.from_record(asdict(made.parameters)))
    np.testing.assert_array_equal(made.rainy, again.rainy)


@pytest.mark.parametrize('wrong', [
    {'coverage': 0.9}, {'blades': 2}, {'focus': 'sky'}, {'regime': 'snow'}, {'mist': float('nan')},
    {'aperture': '1'}, {'seed': -1}, {'hail': 1},
])  # fmt: skip
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(RaindropOptionError, match=next(iter(wrong))):
        RaindropParameters.from_record(wrong)


@pytest.mark.parametrize('wrong', [
    {'level': 'flood'}, {'regimes': {'snow': 1}}, {'regimes': {'small': -1}}, {'regimes': {}},
    {'coverage_scale': 5}, {'lighting': 'dusk'}, {'frame_width': 3},
])  # fmt: skip
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(RaindropOptionError):
        RaindropOptions(**wrong)


def test_options_do_what_they_say():
    plain = [sample_parameters(seed) for seed in range(60)]
    heavy = [sample_parameters(seed, RaindropOptions(level='heavy')) for seed in range(60)]
    scaled = [
        sample_parameters(seed, RaindropOptions(sky_scale=2, mist_scale=0)) for seed in range(60)
    ]
    for one, more, other in zip(plain, heavy, scaled, strict=True):
        assert more.coverage == pytest.approx(min(1.6 * one.coverage, 0.8), abs=2e-4)
        assert other.sky_radiance == pytest.approx(min(2 * one.sky_radiance, 4), abs=2e-4)
        assert other.mist == other.haze == 0
    only = {sample_parameters(s, RaindropOptions(regimes={'ghosts': 3})).regime for s in range(20)}
    assert only == {'ghosts'}
    shares = [sample_parameters(seed).regime for seed in range(600)]
    assert shares.count('small') / 600 == pytest.approx(0.48, abs=0.07)
    assert shares.count('focused') / 600 == pytest.approx(0.05, abs=0.03)


def test_night_is_seen_and_brings_lamps():
    dark = np.full((64, 64, 3), 20, np.uint8)
    assert is_night(dark)
    assert not is_night(noise(64, 64))
    assert add_raindrops(dark, 0).parameters.lamps > 0
    assert add_raindrops(dark, 0, RaindropOptions(lighting='day')).parameters.lamps == 0
    assert add_raindrops(noise(64, 64), 0).parameters.lamps == 0


@pytest.fixture(scope='module')
def drawn():
    """Return rainy images of drawn scenes, of the size of the published data set's."""
    options = RaindropOptions(lighting='day')
    return [add_raindrops(draw_scene(seed, (240, 360)), seed, options) for seed in range(24)]


def test_without_film_only_the_drops_change_a_image(drawn):
    for made in drawn[:8]:
        bare = replace(made.parameters, mist=0, haze=0, veil=0, gain=1, reflection=0, focus='scene')
        again = render_raindrops(made.clean, bare)
        # A trace of a bright drop may be less than the smallest coverage there is, so not right beside.
        free = ndimage.maximum_filter(again.alpha, 33) == 0
        np.testing.assert_array_equal(again.rainy[free], made.clean[free])
        marked = raindrop_mask(again.rainy, made.clean, dilation=1) > 0
        assert again.alpha[marked].min() > 0


def test_rainy_images_are_as_hard_as_real_ones(drawn):
    found = [raindrop_statistics(made.rainy, made.clean) for made in drawn]
    # The four real pairs of the published set: 14.7 to 20.5 dB, 14 to 34 per cent, 84 to 98 per cent.
    assert 14.7 < np.mean([one.psnr for one in found]) < 20.5
    assert 0.14 < np.mean([one.mask_coverage for one in found]) < 0.34
    assert np.mean([one.brighter_share for one in found]) > 0.7


@pytest.mark.shared
def test_renders_on_real_photos_lie_within_the_spread_of_real_pairs(shared):
    root = shared / 'data' / 'raindrop_train_pairs'
    clean = [read_image(root / 'gt' / f'{number}_clean.png') for number in range(4)]
    rainy = [read_image(root / 'data' / f'{number}_rain.png') for number in range(4)]
    names = ('psnr', 'mask_coverage', 'detail_ratio', 'detail_ratio_p10', 'brighter_share')

    def table(pairs):
        found = [raindrop_statistics(*pair) for pair in pairs]
        return np.array([[getattr(one, name) for name in names] for one in found])

    real = table(zip(rainy, clean, strict=True))
    made = [add_raindrops(clean[seed % 4], seed) for seed in range(200)]
    rendered = table((one.rainy, one.clean) for one in made).mean(axis=0)
    assert (real.min(axis=0) < rendered).all()
    assert (rendered < real.max(axis=0)).all()


def test_blobs_are_a_baseline_without_optics():
    clean = draw_scene(4, (120, 180))
    first, second = add_blobs(clean, 3), add_blobs(clean, 3)
    np.testing.assert_array_equal(first.rainy, second.rainy)
    assert not np.array_equal(first.rainy, add_blobs(clean, 4).rainy)
    untouched = first.alpha == 0
    np.testing.assert_array_equal(first.rainy[untouched], clean[untouched])
    assert 0.3 < first.alpha.max() <= 1
    large = add_blobs(clean, 3, frame_width=720).alpha
    assert np.abs(np.diff(large, axis=1)).mean() < np.abs(np.diff(first.alpha, axis=1)).mean()


#: Prints checksums of renderings, and shows that nothing of the toolbox was imported.
PRINT_DIGESTS = """
import hashlib, sys
import numpy as np
from raindrop_renderer import RaindropOptions, add_raindrops
from raindrop_renderer.parameters import REGIMES
random = np.random.default_rng(0)
clean = random.integers(0, 256, (21, 31, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
for regime in REGIMES:
    for lighting in ('day', 'night'):
        options = RaindropOptions(regimes={regime: 1}, lighting=lighting, frame_width=480)
        made = [add_raindrops(clean, seed, options) for seed in (1, 2)]
        content = b''.join(one.rainy.tobytes() + one.alpha.tobytes() for one in made)
        print(regime, lighting, hashlib.sha256(content).hexdigest()[:16])
assert not {'torch', 'mmcv', 'mmengine', 'mmagic'} & set(sys.modules)
"""

#: Printed by the above on x86-64, with OpenCV 5.0 and NumPy 2.4; the first eight with OpenCV 4.11 and NumPy
#: 1.26 too.
DIGESTS = {
    'small day': '16f6109d6e8ffb0a',
    'small night': '8e914cce83bd2b93',
    'discs day': '33a979e9e9310a4d',
    'discs night': '78e12a555de20864',
    'ghosts day': 'a8ae56a237e3af41',
    'ghosts night': '9291abec8388e534',
    'focused day': '430556f88f304611',
    'focused night': '63cd508420b9ecd6',
    'highlights day': 'c640f2837c357577',
    'highlights night': '36f6266f0f004802',
    'tiny day': '984cf239f77aafc3',
    'tiny night': 'e7ef98775afa8f2e',
    'windscreen day': '35905da8b5fdedc0',
    'windscreen night': '083fc8e0ae8c2979',
    'veil day': 'c409c0d90837ef1e',
    'veil night': '4a859ea53dc8f25f',
}

#: Without these, other code runs in NumPy and OpenCV: no fused multiply-add, shorter vectors.
OLD_PROCESSOR = {
    'OPENCV_CPU_DISABLE': 'AVX,FP16,AVX2,FMA3,AVX512-SKX',
    'NPY_DISABLE_CPU_FEATURES': 'AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL',
}


@pytest.mark.parametrize('processor', ['this', 'old'])
def test_equal_bytes_on_any_machine(processor):
    command = [sys.executable, '-c', PRINT_DIGESTS]
    environment = os.environ | (OLD_PROCESSOR if processor == 'old' else {})
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = dict(line.rsplit(' ', 1) for line in answer.stdout.splitlines())
    assert found == DIGESTS


#: Renders in a process of its own, and prints the peak memory above that of the two images, in MiB.
PEAK = """
import sys
import numpy as np
from raindrop_renderer import RaindropOptions, add_raindrops
from resident_memory import peak
height, width = map(int, sys.argv[1:3])
clean = np.full((height, width, 3), 120, np.uint8)
clean[::7] = 30
before = peak()
made = add_raindrops(clean, 0, RaindropOptions(regimes={sys.argv[3]: 1}))
print(peak() - before - (made.rainy.nbytes + made.alpha.nbytes) / 2**20)
"""


@pytest.mark.parametrize('regime', ['small', 'focused'])
def test_memory_does_not_grow_with_the_image(regime):
    command = [sys.executable, '-c', PEAK, '3000', '4000', regime]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=runs.environment()
    )
    assert float(answer.stdout) < 600

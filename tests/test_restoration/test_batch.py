"""Many files: each is restored or named, whatever the others are."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attentive_gan import restore
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image_file
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import (
    BatchOptions,
    OutputOptions,
    Shard,
    parse_shard,
    plan_batch,
    shard_of_launcher,
)
from attentive_gan.restoration.pipeline import Pipeline
from PIL import Image
from support.lively_networks import BUILDERS, lively
from support.runs import REPOSITORY, environment

Save = Callable[..., Path]


def command(*words: object) -> list[str]:
    """Return the command line of the tool."""
    return [sys.executable, str(REPOSITORY / 'tools' / 'restore.py'), *map(str, words)]


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def options(**outputs: object) -> BatchOptions:
    """Return options with some of the outputs'."""
    return BatchOptions(outputs=OutputOptions(**outputs))


def test_two_hundred_files_of_which_twenty_are_bad(
    mixed_folder: Path, identity_weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    words = command(mixed_folder, '-o', out, '--weights', identity_weights)
    first = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    assert first.returncode == 1, first.stderr
    assert '180 restored' in first.stdout
    bad = sorted(path.name for path in mixed_folder.iterdir() if path.name.startswith('bad'))
    assert len(bad) == 20
    printed = [line for line in first.stdout.splitlines() if line.startswith('failed: ')]
    assert len(printed) == 20
    for name in bad:
        assert any(name.replace('\n', r'\n') in line for line in printed), name
    made = files(out)
    assert len(made) == 180
    for path in mixed_folder.rglob('*.png'):
        if path.name.startswith('bad'):
            continue
        result = out / path.relative_to(mixed_folder)
        assert np.array_equal(np.asarray(Image.open(result)), np.asarray(Image.open(path)))
    for path in mixed_folder.rglob('[0-9]*.gif'):
        (result,) = out.glob(f'{path.relative_to(mixed_folder).with_suffix("")}.*')
        with Image.open(path) as before, Image.open(result) as after:
            assert (after.format, after.n_frames) == (
                ('PNG', 1) if before.n_frames == 1 else ('GIF', before.n_frames)
            )
            assert np.array_equal(
                np.asarray(after.convert('RGB')), np.asarray(before.convert('RGB'))
            )
    removed = sorted(out.rglob('*.jpg'))[:5]
    for path in removed:
        path.unlink()
    again = subprocess.run(
        [*words, '--skip-existing'], capture_output=True, text=True, env=environment(), check=False
    )
    assert again.returncode == 1
    assert '5 restored' in again.stdout
    assert '175 there already' in again.stdout
    assert files(out) == made


@pytest.mark.parametrize('ended_by', [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_is_ended_leaves_whole_files_and_goes_on(
    mixed_folder: Path, identity_weights: Path, tmp_path: Path, ended_by: signal.Signals
) -> None:
    out = tmp_path / 'out'
    words = command(mixed_folder, '-o', out, '--weights', identity_weights)
    process = subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    deadline = time.monotonic() + 120
    while len(list(out.rglob('*.png'))) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(ended_by)
    printed, _ = process.communicate(timeout=60)
    if ended_by == signal.SIGINT:
        assert process.returncode == 130
        assert 'interrupted; --skip-existing goes on from here' in printed
    there = [path for path in out.rglob('*') if path.is_file() and not path.name.startswith('.')]
    assert 10 <= len(there) < 180
    for path in there:
        read_image_file(path)
    subprocess.run([*words, '--skip-existing'], env=environment(), capture_output=True, check=False)
    made = files(out)
    assert len(made) == 180
    assert not [name for name in made if name.endswith('.tmp')]


LOSSLESS = [
    ('a.png', (9, 12, 3), {}), ('grey.png', (9, 12), {}), ('alpha.png', (9, 12, 4), {}),
    ('a.bmp', (9, 12, 3), {}), ('a.tif', (9, 12, 3), {}), ('alpha.webp', (9, 12, 4), {'lossless': True}),
]  # fmt: skip


@pytest.mark.parametrize(('name', 'shape', 'saving'), LOSSLESS)
def test_a_network_that_changes_nothing_gives_the_same_image(
    tmp_path: Path,
    save: Save,
    identity: ImageRestorer,
    name: str,
    shape: tuple[int, ...],
    saving: dict,
) -> None:
    source = save(tmp_path / name, *shape, **saving)
    report = restore(source, tmp_path / 'out', restorer=identity)
    assert [outcome.state for outcome in report.outcomes] == ['done']
    before, after = Image.open(source), Image.open(tmp_path / 'out' / name)
    assert before.mode == after.mode
    assert np.array_equal(np.asarray(before), np.asarray(after))


def test_16_bits_stay(tmp_path: Path, identity: ImageRestorer) -> None:
    import cv2

    pixels = np.random.default_rng(0).integers(0, 65536, (9, 12, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / 'deep.png'), pixels)
    restore(tmp_path / 'deep.png', tmp_path / 'out.png', restorer=identity)
    assert np.array_equal(cv2.imread(str(tmp_path / 'out.png'), cv2.IMREAD_UNCHANGED), pixels)


def test_structure_names_and_formats(tmp_path: Path, save: Save, identity: ImageRestorer) -> None:
    root = tmp_path / 'in'
    save(root / 'a.png')
    save(root / 'deep' / 'b.jpeg')
    (root / 'notes.txt').write_text('no image')
    report = restore(root, root / 'out', options(format='webp', suffix='_dry'), restorer=identity)
    assert sorted(files(root / 'out')) == ['a_dry.webp', 'deep/b_dry.webp']
    assert report.ignored == {'.txt': 1}
    # The output folder lies in the input and is no input.
    again = restore(root, root / 'out', options(existing='overwrite'), restorer=identity)
    assert len(again.outcomes) == 2


def test_patterns_and_several_folders(tmp_path: Path, save: Save, identity: ImageRestorer) -> None:
    save(tmp_path / 'one' / 'x' / 'a.png')
    save(tmp_path / 'two' / 'a.png')
    restore(str(tmp_path / '*' / '**' / 'a.png'), tmp_path / 'p', restorer=identity)
    assert sorted(files(tmp_path / 'p')) == ['one/x/a.png', 'two/a.png']
    restore([tmp_path / 'one', tmp_path / 'two'], tmp_path / 'f', restorer=identity)
    assert sorted(files(tmp_path / 'f')) == ['one/x/a.png', 'two/a.png']


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        (['missing.png'], 'does not exist'),
        (['*.nothing'], 'no file matches'),
        (['a/x.png', 'b/x.png'], 'both become'),
    ],
)
def test_mistakes_are_found_before_any_work(
    tmp_path: Path, save: Save, inputs: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / 'a' / 'x.png')
    save(tmp_path / 'b' / 'x.png')
    with pytest.raises(UserError, match=message):
        plan_batch(inputs, tmp_path / 'out', BatchOptions())


@pytest.mark.fault('C9')
def test_nothing_is_replaced_unasked(tmp_path: Path, save: Save, identity: ImageRestorer) -> None:
    source = save(tmp_path / 'in' / 'a.png')
    with pytest.raises(UserError, match='would replace its source'):
        plan_batch([source], tmp_path / 'in', options(existing='overwrite'))
    save(tmp_path / 'out' / 'a.png')
    with pytest.raises(UserError, match='--skip-existing'):
        plan_batch([source], tmp_path / 'out', BatchOptions())


@pytest.mark.parametrize('name', ['a.gif', 'a.HEIC', 'clip.avi'])
def test_a_file_of_a_kind_that_is_not_written_is_refused(
    tmp_path: Path, save: Save, name: str
) -> None:
    source = save(tmp_path / 'a.png')
    with pytest.raises(UserError, match='choose one of'):
        plan_batch([source], tmp_path / name, BatchOptions())
    plan_batch([source], tmp_path / 'v1.2', BatchOptions())  # a folder


def test_what_a_format_cannot_hold_is_refused(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    save(tmp_path / 'in' / 'a.png', 9, 12, 4)
    save(tmp_path / 'in' / 'b.png')
    report = restore(tmp_path / 'in', tmp_path / 'out', options(format='jpg'), restorer=identity)
    assert [outcome.state for outcome in report.outcomes] == ['failed', 'done']
    assert 'transparency' in report.outcomes[0].reason
    assert sorted(files(tmp_path / 'out')) == ['b.jpg']


def test_attention_and_side_by_side(tmp_path: Path, save: Save, identity: ImageRestorer) -> None:
    source = save(tmp_path / 'a.png', 24, 20, 3)
    restorer = ImageRestorer(network=lively(BUILDERS['attentive']()))
    wanted = options(attention=True, side_by_side=True)
    restore(source, tmp_path / 'out', wanted, restorer=restorer)
    sizes = {name: Image.open(tmp_path / 'out' / name).size for name in files(tmp_path / 'out')}
    assert sizes == {'a.png': (20, 24), 'a_attention.png': (20, 24), 'a_compare.png': (40, 24)}
    report = restore(source, tmp_path / 'none', wanted, restorer=identity)
    assert 'predicts no attention' in report.outcomes[0].reason


def test_shards_are_disjoint_complete_and_equal_to_one_run(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    for number in range(7):
        save(tmp_path / 'in' / f'{number}.png')
    restore(tmp_path / 'in', tmp_path / 'whole', restorer=identity)
    done = []
    for number in range(1, 4):
        part = BatchOptions(shard=Shard(number, 3))
        report = restore(tmp_path / 'in', tmp_path / 'parts', part, restorer=identity)
        done += [outcome.input for outcome in report.outcomes]
    assert len(done) == len(set(done)) == 7
    assert files(tmp_path / 'parts') == files(tmp_path / 'whole')


def test_two_processes_of_a_launcher_share_the_work(
    tmp_path: Path, save: Save, identity_weights: Path
) -> None:
    for number in range(3):
        save(tmp_path / 'in' / f'{number}.png')
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2']
    words = command(tmp_path / 'in', '-o', tmp_path / 'out', '--weights', identity_weights)[1:]
    done = subprocess.run(
        [*launcher, *words], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(files(tmp_path / 'out')) == ['0.png', '1.png', '2.png']
    assert 'part 1 of 2' in done.stdout
    assert '2 restored' in done.stdout
    assert 'part 2 of 2' in done.stdout
    assert '1 restored' in done.stdout


def test_launchers_say_which_shard() -> None:
    assert parse_shard('2/8') == Shard(2, 8)
    for text in ('0/3', '4/3', '1', 'a/b'):
        with pytest.raises(UserError, match='K/N'):
            parse_shard(text)
    torchrun = {'RANK': '3', 'WORLD_SIZE': '8', 'LOCAL_RANK': '1'}
    assert shard_of_launcher(torchrun) == Shard(4, 8, 1)
    script = {'SLURM_PROCID': '0', 'SLURM_NTASKS': '2', 'SLURM_LOCALID': '0'}
    assert shard_of_launcher(script) == Shard()
    assert shard_of_launcher({**script, 'SLURM_STEP_NUM_TASKS': '2'}) == Shard(1, 2, 0)
    assert shard_of_launcher({}) == Shard()


def test_the_next_is_read_and_the_last_written_while_one_is_in_work() -> None:
    read_second, written_first = threading.Event(), threading.Event()

    def read(item: int) -> int:
        if item == 1:
            read_second.set()
        return item

    def compute(item: int, content: int) -> int:
        if item == 0:
            assert read_second.wait(10), 'item 1 was not read while item 0 was in work'
        if item == 2:
            assert written_first.wait(10), 'item 0 was not written while item 2 was in work'
        return content

    def write(item: int, content: int) -> None:
        if item == 0:
            written_first.set()

    pipeline: Pipeline = Pipeline(lambda item: 1, read, compute, write)
    assert list(pipeline.run(range(4))) == [(k, None) for k in range(4)]


@pytest.mark.parametrize('stage', ['read', 'compute', 'write'])
def test_an_error_ends_its_own_item_only(stage: str) -> None:
    def failing(name: str) -> Callable[..., int]:
        def call(item: int, *content: int) -> int:
            if name == stage and item == 1:
                raise ValueError(name)
            return item

        return call

    pipeline: Pipeline = Pipeline(
        lambda item: 1, failing('read'), failing('compute'), failing('write')
    )
    ended = dict(pipeline.run(range(4)))
    assert {item for item, error in ended.items() if error is None} == {0, 2, 3}
    assert str(ended[1]) == stage


def test_large_images_do_not_pile_up() -> None:
    alive, most = 0, 0
    lock = threading.Lock()

    def read(item: int) -> int:
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)
        return item

    def write(item: int, content: int) -> None:
        nonlocal alive
        time.sleep(0.01)
        with lock:
            alive -= 1

    pipeline: Pipeline = Pipeline(lambda i: 200, read, lambda i, content: content, write, limit=300)
    assert len(list(pipeline.run(range(12)))) == 12
    assert most <= 2


def test_an_interrupt_keeps_what_is_done(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    for number in range(5):
        save(tmp_path / 'in' / f'{number}.png')

    class Interrupting(type(identity)):
        calls = 0

        def begin(self, images: list[np.ndarray], **words: object) -> object:
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().begin(images, **words)

    restorer = Interrupting(network=identity.loaded.network)
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=restorer)
    assert report.interrupted
    assert sorted(files(tmp_path / 'out')) == ['0.png', '1.png']


def test_a_pixel_that_is_not_finite_is_named(tmp_path: Path, save: Save) -> None:
    from attentive_gan.models.networks.unet import RestorationUNet

    network = RestorationUNet(channels=[8], blocks=1, shuffle=1)
    network.tail.bias.data[:] = float('nan')
    report = restore(
        save(tmp_path / 'a.png'), tmp_path / 'out', restorer=ImageRestorer(network=network)
    )
    assert 'not finite' in report.outcomes[0].reason
    assert not list((tmp_path / 'out').glob('*'))


@pytest.mark.fault('B5')
def test_images_of_one_size_go_together(tmp_path: Path, save: Save) -> None:
    """As on a GPU; the files are those of one after another."""
    network = lively(BUILDERS['unet']())
    sizes = [(24, 32, 3)] * 9 + [(20, 32, 3)] * 3
    for number, size in enumerate(sizes):
        save(tmp_path / 'in' / f'{number:02d}.png', *size)
    (tmp_path / 'in' / '04.png').write_bytes(b'no image')
    groups: list[int] = []

    class Together(ImageRestorer):
        most_together = 4

        def begin(self, images: list[np.ndarray], **words: object) -> object:
            groups.append(len(images))
            return super().begin(images, **words)

    single, together = (
        kind(network=network, device='cpu', precision='float32')
        for kind in (ImageRestorer, Together)
    )
    for name, restorer in (('single', single), ('together', together)):
        report = restore(tmp_path / 'in', tmp_path / name, restorer=restorer)
        states = ['failed' if k == 4 else 'done' for k in range(len(sizes))]
        assert [outcome.state for outcome in report.outcomes] == states
        assert all(outcome.details['seconds']['restore'] > 0 for outcome in report.of('done'))
    assert max(groups) > 1
    assert max(groups) <= 4
    for file in (tmp_path / 'single').iterdir():
        one, other = (np.asarray(Image.open(p)).astype(int) for p in
                      (file, tmp_path / 'together' / file.name))  # fmt: skip
        assert np.abs(one - other).max() <= 1

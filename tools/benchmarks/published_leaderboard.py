"""Makes the leaderboards of docs/leaderboard.md: on rendered scenes and, where given, on real pairs.

Usage: python tools/benchmarks/published_leaderboard.py --weights FOLDER --real PAIRS

FOLDER holds the published latest_net_G.pth (A2Net), PReNet's raindrop and Rain100H weights; methods whose
weights are absent are left out. PAIRS is a folder of real pairs; without it, rendered scenes alone count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from attentive_gan.evaluation.ntire import SSIM_WEIGHT

TOOLS = Path(__file__).resolve().parent.parent
WEIGHTS = TOOLS.parent / 'projects' / 'attentive_gan' / 'weights'

#: Raindrops of the rendered scenes; each by day and at night.
REGIMES = ('small', 'discs', 'windscreen')
LIGHTING = ('day', 'night')
#: Seed of the rendered scenes; trainings of this project draw with seeds below 100.
SEED = 424242
#: Name, names of the published file, converter and config of methods from elsewhere.
PUBLISHED = (
    ('A2Net', ('a2net_raindrop.pth', 'latest_net_G.pth'), 'convert_a2net_weights.py',
     'configs/a2net/a2net_1xb8-100k_raindrop.py'),
    ('PReNet', ('prenet6_raindrop.pth',), 'convert_prenet_weights.py',
     'configs/prenet/prenet_lstm_1xb8-100k_raindrop.py'),
    ('PReNet-Rain100H', ('prenet6_rain100h.pth',), 'convert_prenet_weights.py',
     'configs/prenet/prenet_lstm_1xb18-100k_rain100h.py'),
)  # fmt: skip
#: Where a network was trained: on rendered scenes, on real raindrops; others on neither.
HOME = {'attgan_small': 'rendered', 'attgan_pool': 'rendered', 'A2Net': 'real', 'PReNet': 'real'}


def run(*words: object) -> None:
    """Print a command and run it from the root of the repository, with paths relative to it."""
    root = f'{TOOLS.parent}/'
    command = [sys.executable, *(str(word).replace(root, '') for word in words)]
    print('$ python', *command[1:], flush=True)
    subprocess.run(command, check=True, cwd=TOOLS.parent)


def render(out: Path, scenes: int, size: str) -> Path:
    """Render `scenes` pairs of each kind into one data set, and return it."""
    root = out / 'rendered'
    for number, (regime, light) in enumerate((r, li) for r in REGIMES for li in LIGHTING):
        part = out / 'parts' / f'{regime}_{light}'
        run(
            'tools/dataset_converters/render_raindrops.py', '--scenes', scenes, '--size', size,
            '--seed', SEED + number, '--regimes', f'{regime}=1', '--lighting', light,
            '--workers', 1, '--out', part,
        )  # fmt: skip
        for side, kind in (('data', 'rain'), ('gt', 'clean')):
            (root / side).mkdir(parents=True, exist_ok=True)
            for index in range(scenes):
                name = f'{number * scenes + index}_{kind}.png'
                shutil.copy(part / side / f'{index}_{kind}.png', root / side / name)
    return root


def entries(weights: Path | None, out: Path) -> list[str]:
    """Convert the published weights and return all rows as `--entry` takes them."""
    rows = ['inpainting=inpainting:telea']
    rows += [f'{name}={WEIGHTS / name}.safetensors' for name in ('attgan_small', 'attgan_pool')]
    for name, files, converter, config in PUBLISHED:
        found = [weights / file for file in files if weights and (weights / file).is_file()]
        if not found:
            print(f'{name} is left out: there is no {" or ".join(files)}')
            continue
        converted = out / 'weights' / f'{name}.pth'
        run(f'tools/model_converters/{converter}', found[0], converted)
        rows.append(f'{name}={config},{converted}')
    return rows


def results(folder: Path) -> dict[str, Any]:
    """Return the rows of a leaderboard by name, the best PSNR first, as flat columns."""
    content = json.loads((folder / 'leaderboard.json').read_text())
    return {row['name']: row for row in content['rows']}


def score_table(rows: Mapping[str, Any]) -> list[str]:
    """Return a Markdown table of scores by protocol."""
    lines = [
        '| method | PSNR `qian` | gain | SSIM | PSNR `bt601` | PSNR `rgb` | `ntire` without LPIPS '
        '| GMACs | s |',
        '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ]
    for name, row in rows.items():
        gain, low, high = (row[f'qian_psnr_difference{end}'] for end in ('', '_low', '_high'))
        seconds, gmacs = row['milliseconds'], row['gmacs']
        lines.append(
            f'| {name} | {row["qian_psnr"]:.2f} '
            f'| {f"{gain:+.2f} [{low:.2f}, {high:.2f}]" if name != "input" else ""} '
            f'| {row["qian_ssim"]:.4f} | {row["bt601_psnr"]:.2f} | {row["rgb_psnr"]:.2f} '
            f'| {row["bt601_psnr"] + SSIM_WEIGHT * row["bt601_ssim"]:.2f} '
            f'| {f"{gmacs:.1f}" if gmacs else ""} | {f"{seconds / 1000:.2f}" if seconds else ""} |'
        )
    return lines


def kind_table(out: Path, rows: Sequence[str], scenes: int) -> list[str]:
    """Return a Markdown table of gains on each kind of rendered scenes."""
    kinds = [f'{regime}, {light}' for regime in REGIMES for light in LIGHTING]
    lines = [f'| method | {" | ".join(kinds)} |', '| --- |' + ' --- |' * len(kinds)]
    scored = {}
    for name in rows:
        records = json.loads((out / 'entries' / name / 'result.json').read_text())['records']
        by_number = {int(record['name']): record['qian_psnr'] for record in records}
        scored[name] = [
            fmean(by_number[k * scenes + i] for i in range(scenes)) for k in range(len(kinds))
        ]
    for name, values in scored.items():
        cells = [
            f'{value:.2f}' if name == 'input' else f'{value - start:+.2f}'
            for value, start in zip(values, scored['input'], strict=True)
        ]
        lines.append(f'| {name}{" (dB)" if name == "input" else ""} | {" | ".join(cells)} |')
    return lines


def transfer_table(boards: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a Markdown table: the gain on data of the kind trained on, and on the other kind."""
    lines = [
        '| method | trained on | gain there | gain on the other | drop |',
        '| --- | --- | --- | --- | --- |',
    ]
    for name, home in HOME.items():
        away = 'real' if home == 'rendered' else 'rendered'
        if not all(name in boards.get(kind, {}) for kind in (home, away)):
            continue
        there, other = (boards[kind][name]['qian_psnr_difference'] for kind in (home, away))
        lines.append(f'| {name} | {home} | {there:+.2f} | {other:+.2f} | {there - other:.2f} |')
    return lines


def main() -> None:
    """Render, compare, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add('--out', type=Path, default=Path('work_dirs/published'))
    add('--weights', type=Path, help='folder of published weights')
    add('--real', type=Path, help='folder of real pairs')
    add('--scenes', type=int, default=4, help='rendered scenes of each of the six kinds (4)')
    add('--size', default='384x256', help='of rendered scenes')
    add(
        '--timing',
        action='store_true',
        help='measure seconds at 720x480, on a machine that is idle',
    )
    args = parser.parse_args()
    out = args.out.resolve()
    sets = {'rendered': render(out, args.scenes, args.size)}
    if args.real:
        sets['real'] = args.real.resolve()
    rows = entries(args.weights and args.weights.resolve(), out)
    words = [word for row in rows for word in ('--entry', row)]
    for name, root in sets.items():
        run('tools/leaderboard.py', root, *words, '--out', out / f'leaderboard_{name}',
            *([] if args.timing else ['--no-timing']))  # fmt: skip
    boards = {name: results(out / f'leaderboard_{name}') for name in sets}
    for name, board in boards.items():
        print(f'\n### {name}\n')
        print('\n'.join(score_table(board)))
    print('\n### Gain by kind of raindrops\n')
    print(
        '\n'.join(kind_table(out / 'leaderboard_rendered', list(boards['rendered']), args.scenes))
    )
    print('\n### Drop on other data\n')
    print('\n'.join(transfer_table(boards)))


if __name__ == '__main__':
    main()

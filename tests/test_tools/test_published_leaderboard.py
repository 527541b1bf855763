"""Tables of tools/benchmarks/published_leaderboard.py."""

from __future__ import annotations

import json

from benchmarks import published_leaderboard as board

START = {'rendered': 20.0, 'real': 18.0}
GAINS = {'attgan_small': {'rendered': 5.0, 'real': 4.0}, 'A2Net': {'rendered': 1.5, 'real': 7.5}}


def row(name, kind, gain):
    psnr = START[kind] + gain
    return {
        'name': name, 'qian_psnr': psnr, 'qian_ssim': 0.8, 'bt601_psnr': psnr + 1,
        'bt601_ssim': 0.82, 'rgb_psnr': psnr - 1, 'qian_psnr_difference': gain,
        'qian_psnr_difference_low': gain - 1, 'qian_psnr_difference_high': gain + 1,
        'gmacs': None if name == 'input' else 34.04, 'milliseconds': None,
    }  # fmt: skip


def rows(kind):
    named = {name: gains[kind] for name, gains in GAINS.items()} | {'input': 0.0}
    return {name: row(name, kind, gain) for name, gain in named.items()}


def test_scores(tmp_path):
    content = {'rows': list(rows('real').values())}
    (tmp_path / 'leaderboard.json').write_text(json.dumps(content))
    lines = board.score_table(board.results(tmp_path))
    assert lines[3] == (
        '| A2Net | 25.50 | +7.50 [6.50, 8.50] | 0.8000 | 26.50 | 24.50 | 34.70 | 34.0 |  |'
    )
    assert lines[4].startswith('| input | 18.00 |  | 0.8000 |')


def test_drop_on_other_data():
    lines = board.transfer_table({kind: rows(kind) for kind in START})
    assert lines[2:] == [
        '| attgan_small | rendered | +5.00 | +4.00 | 1.00 |',
        '| A2Net | real | +7.50 | +1.50 | 6.00 |',
    ]
    assert len(board.transfer_table({'rendered': rows('rendered')})) == 2


def test_gain_by_kind(tmp_path):
    """Images 0 and 1 are of the first kind, 2 and 3 of the second, and so on."""
    for name, gain in (('input', 0.0), ('A2Net', 2.0)):
        records = [{'name': str(n), 'qian_psnr': 20 + n // 2 + gain * (n // 2)} for n in range(12)]
        folder = tmp_path / 'entries' / name
        folder.mkdir(parents=True)
        (folder / 'result.json').write_text(json.dumps({'records': records}))
    lines = board.kind_table(tmp_path, ['input', 'A2Net'], 2)
    assert lines[0].startswith('| method | small, day | small, night |')
    assert lines[2] == '| input (dB) | 20.00 | 21.00 | 22.00 | 23.00 | 24.00 | 25.00 |'
    assert lines[3] == '| A2Net | +0.00 | +2.00 | +4.00 | +6.00 | +8.00 | +10.00 |'

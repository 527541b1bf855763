"""The benchmark tool, through its command line; no figure of time is judged."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch


def benchmark(repository, *arguments):
    command = [sys.executable, str(repository / 'tools' / 'benchmark.py'), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_measures_beside_the_baseline(repository, tmp_path):
    out = tmp_path / 'figures' / 'benchmark.json'
    done = benchmark(
        repository, '--baseline', '--sizes', '32x24', '--repeat', '1', '--json', str(out)
    )
    assert done.returncode == 0, done.stderr
    assert 'attentive │ 32x24' in done.stdout
    assert 'processor' in done.stdout
    figures = json.loads(out.read_text())
    assert figures['machine']['torch'] == torch.__version__
    ours, baseline = figures['rows']
    assert (ours['network'], baseline['network']) == ('attentive', 'baseline')
    assert baseline['gmacs'] == pytest.approx(1_167_344 * 32 * 24 / 1e9)
    assert baseline['speed_up'] == 1
    assert ours['speed_up'] == pytest.approx(baseline['milliseconds'] / ours['milliseconds'])
    assert 0 < ours['peak_gib'] < baseline['peak_gib']


def test_times_training_steps(repository, tmp_path):
    out = tmp_path / 'benchmark.json'
    done = benchmark(
        repository, '--train-step', '--dtype', 'bf16', '--sizes', '16x16', '--repeat', '1',
        '--num-steps', '1', '--json', str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = json.loads(out.read_text())['rows'][0]
    assert row['peak_gib'] is None
    assert row['images_per_second'] > 0


@pytest.mark.parametrize(
    ('arguments', 'message', 'code'),
    [
        (['--sizes', '480'], 'a size is WIDTHxHEIGHT', 2),
        (['--repeat', '0'], '--repeat must be at least 1', 2),
        (['--card', '--seconds', '0'], '--seconds must be more than 0', 2),
        (['--dtype', 'tf32'], '--dtype tf32 is for --device cuda', 2),
        (['--card', '--device', 'quda'], 'choose cpu, cuda or cuda:N', 1),
        pytest.param(
            ['--device', 'cuda'], 'torch finds no CUDA device', 1,
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason='there is a CUDA device'),
        ),
    ],
)  # fmt: skip
def test_mistakes_are_one_clear_message(repository, arguments, message, code):
    done = benchmark(repository, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert 'Traceback' not in done.stderr


def test_times_restoring_from_file_to_file_and_in_parts(repository, tmp_path):
    out = tmp_path / 'benchmark.json'
    done = benchmark(
        repository, '--restorer', '--sizes', '48x32', '--repeat', '1', '--threads', '1',
        '--json', str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(out.read_text())
    assert figures['network'] == 'attgan_small'
    files, parts = figures['rows']['48x32'].values()
    assert files[0]['way'] == 'network alone'
    assert files[3]['ratio'] == pytest.approx(files[3]['milliseconds'] / files[0]['milliseconds'])
    exact = [row for row in parts if 'row by row' in row['way'] or 'exact halo' in row['way']]
    assert len(exact) == 4
    assert all(row['largest_error'] <= 1 and row['mean_error'] < 1e-3 for row in exact)
    assert all(row['peak_mib'] > 0 for row in parts)


def test_card_table_runs_dry_on_a_cpu(repository, tmp_path):
    out = tmp_path / 'card.json'
    done = benchmark(repository, '--card', '--num-steps', '1', '--threads', '1', '--json', str(out))
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())['rows']
    assert [row['status'] for row in rows] == ['ok'] * len(rows), rows
    kinds = ['device', 'copy', 'matrix product', 'inference', 'training step']
    assert list(dict.fromkeys(row['kind'] for row in rows)) == kinds
    assert len(done.stdout.splitlines()) == len(rows)
    assert 'training step, joint 32x32, batch 2, bf16: ' in done.stdout

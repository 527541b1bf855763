"""YAML and JSON configs hold values; nothing in them is run."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import pytest
from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from attentive_gan.utils.strict_yaml import parse_yaml
from support.runs import REPOSITORY

CONFIG = 'model: {type: AttentiveGAN, ema: null}\nbetas: [0.5, 0.9]\nwork_dir: x\n'


def write(path, text):
    path.write_text(text)
    return str(path)


def test_yaml_and_json_say_the_same_and_inherit(tmp_path):
    write(tmp_path / 'base.json', json.dumps({'model': {'type': 'A', 'steps': 4}, 'rate': 1}))
    path = write(tmp_path / 'own.yml', '_base_: base.json\nmodel: {steps: 2}\n')
    config = load_config(path, {'rate': 3})
    assert config.to_dict() == {'model': {'type': 'A', 'steps': 2}, 'rate': 3}
    assert config.filename == path
    config = load_config(write(tmp_path / 'b.yaml', CONFIG))
    assert (config.model.type, config.betas) == ('AttentiveGAN', [0.5, 0.9])


@pytest.mark.fault('E4')
@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('a: !!python/object/apply:os.system ["touch TRAP"]', 'would run code'),
        ('a: !!python/object/new:os.system ["touch TRAP"]', 'would run code'),
        ('a: !!python/name:os.system', 'would run code'),
        ('a: !!python/module:os', 'would run code'),
        ('a: !!python/tuple [1]', 'would run code'),
        ('a: !evil x', 'could not determine a constructor'),
        ('a: "{{$ENV:NOT_SET:!!python/object/apply:os.system [touch TRAP]}}"', 'need a .py config'),
        ('_base_: evil.py', 'is no YAML or JSON file'),
        ('_base_: [good.yaml, evil.py]', 'is no YAML or JSON file'),
        ('_base_: "mmagic::_base_/default_runtime.py"', 'is no YAML or JSON file'),
        ('_base_: bad.yaml', 'leads back to itself'),
        ('_base_: 5', 'must be a list of files'),
        ('custom_imports: {imports: [evil]}', 'custom_imports may name modules of'),
        ('model: {type: os.system, command: touch TRAP}', 'not the name of a registered class'),
        ('hooks: [{type: subprocess.run}]', 'not the name of a registered class'),
        ('model: {type: [os, system]}', 'not the name of a registered class'),
        ('a: 1\na: 2', 'occurs twice'),
        ('a: 2020-01-01', 'date is no plain value'),
        ('1: 2', 'is no text'),
        ('[1, 2]', 'expected fields by name'),
        ('a: [1', 'cannot be read'),
        ('a: &a [*a]', 'nested'),
        ('a: &a [x, x, x, x, x, x, x, x, x, x]\n' + ''.join(
            f'{b}: &{b} [{", ".join([f"*{a}"] * 10)}]\n' for a, b in pairwise('abcdefghi')
        ), 'more than 100,000 values'),
        ('a: ' + '[' * 20_000, 'nested'),
        ('a: "' + 'x' * 2**21 + '"', 'larger than 1 MiB'),
    ],
)  # fmt: skip
def test_what_would_run_code_is_one_line(tmp_path, text, reason):
    trap = tmp_path / 'trap'
    write(tmp_path / 'evil.py', f'open({str(trap)!r}, "w")')
    write(tmp_path / 'good.yaml', 'a: 1')
    path = write(tmp_path / 'bad.yaml', text.replace('TRAP', str(trap)))
    with pytest.raises(UserError, match=reason) as caught:
        load_config(path)
    assert str(tmp_path) in str(caught.value)
    assert '\n' not in str(caught.value)
    assert not trap.exists()


@pytest.mark.parametrize('text', ['{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', '[]', '{'])
def test_json_is_strict(tmp_path, text):
    with pytest.raises(UserError, match='cannot be read'):
        load_config(write(tmp_path / 'bad.json', text))


def test_dates_and_sets_of_yaml_let_no_other_error_out():
    for text in ('a: 2020-99-99', '? [a, b]\n: c', 'a: !!set [1]', '<<: 5', 'a: !!binary "é"'):
        with pytest.raises(ValueError):  # noqa: PT011 -- any message
            parse_yaml(text)


def test_the_training_command_runs_no_code_of_yaml(tmp_path):
    trap = tmp_path / 'trap'
    path = write(tmp_path / 'evil.yaml', f'a: !!python/object/apply:os.system ["touch {trap}"]')
    command = [sys.executable, str(REPOSITORY / 'tools' / 'train.py'), path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 1
    assert 'would run code' in done.stderr
    assert 'Traceback' not in done.stderr
    assert not trap.exists()


def test_a_python_config_written_as_json_reads_the_same(tmp_path):
    whole = load_config(str(REPOSITORY / 'configs' / 'attgan_raindrop.py')).to_dict()
    again = load_config(write(tmp_path / 'tiny.json', json.dumps(whole))).to_dict()
    assert json.dumps(again) == json.dumps(whole)

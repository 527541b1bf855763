"""Results that others may have made: a bad one is one row with its reason, all others stay."""

from __future__ import annotations

import json
import os
import shutil
from copy import deepcopy

import pytest
from attentive_gan.errors import UserError
from attentive_gan.leaderboard import read_result, summarize, write_page, write_summary
from support.fake_results import fake_result

IMAGES = ['0', '1', '2']
COST = {'parameters': 9, 'gmacs': 1.5, 'milliseconds': 12.0, 'peak_gib': 0.25}


@pytest.fixture
def board(tmp_path):
    """Two sound results, and the content of a third, which is changed."""
    fake_result('input', 'input', IMAGES, 20, tmp_path)
    fake_result('net', 'config', IMAGES, 22, tmp_path, COST)
    bad = fake_result('worst of all', 'config', IMAGES, 23, tmp_path, COST)
    path = tmp_path / 'entries' / bad.folder / 'result.json'
    return tmp_path, path, path.read_text()


def at(content, keys):
    for key in keys:
        content = content[key]
    return content


def with_value(text, dotted, value):
    """Return the result with another value at a place such as 'records.0.name'."""
    content = json.loads(text)
    *keys, last = [int(key) if key.isdigit() else key for key in dotted.split('.')]
    at(content, keys)[last] = value
    return json.dumps(content)


def check_refused(board, reason):
    """The row is named with its reason, and the two others are ranked and shown."""
    out, path, _ = board
    with pytest.raises(UserError, match=reason) as caught:
        read_result(path)
    assert len(str(caught.value)) < 700
    assert '\n' not in str(caught.value)
    assert '\x1b' not in str(caught.value)
    summary = summarize(out, 'input')
    assert [row.result.name for row in summary.rows] == ['net', 'input']
    assert [(name, reason in told) for name, told in summary.failed] == [(path.parent.name, True)]
    write_summary(summary, out)
    assert path.parent.name in write_page(summary, out).read_text()


@pytest.mark.fault('E7')
@pytest.mark.parametrize(
    ('token', 'reason'),
    [
        ('NaN', 'no number of JSON'),
        ('Infinity', 'no number of JSON'),
        ('-Infinity', 'no number of JSON'),
        ('1e400', 'is not finite'),
        ('9' * 5000, 'not a result'),
        ('9' * 400, 'out of range'),
        ('true', 'expected float, got bool'),
        ('"99"', 'expected float, got str'),
        ('[1]', 'expected float, got list'),
        ('{}', 'expected float, got dict'),
        ('[' * 100_000, 'nested more than'),
    ],
)
def test_scores_are_finite_numbers(board, token, reason):
    for place in ('records.0.qian_psnr', 'means.qian_psnr.mean'):
        text = with_value(board[2], place, 'TOKEN').replace('"TOKEN"', token)
        board[1].write_text(text)
        check_refused(board, reason)


@pytest.mark.parametrize(
    ('place', 'value', 'reason'),
    [
        ('means', [1, 2], 'means: expected dict'),
        ('means', {}, 'means: expected one for each score'),
        ('means.qian_psnr.mean', 99.0, 'not the mean of the records'),
        ('means.qian_psnr.low', 99.0, 'no interval'),
        ('means.qian_psnr.images', 2, 'not the mean of the records'),
        ('records', [], 'one for each of 3 images'),
        ('records', 'x', 'records: expected list'),
        ('records.1', None, 'expected dict'),
        ('records.1.name', '0', 'two have the same name'),
        ('records.0.name', '../../../../etc/passwd', 'name of an image'),
        ('records.0.width', -5, 'size is out of range'),
        ('records.0.extra', 1, 'different fields'),
        ('records.0.\x1b[2J', 1, 'unexpected field'),
        ('data.images', 2, 'one for each of 2 images'),
        ('kind', 'mystery', 'kind: expected one of config'),
        ('kind', ['config'], 'kind: expected one of config'),
        ('name', 'a\x1b[2Jb', 'name: it cannot name an entry'),
        ('name', 'x' * 5000, 'name: it cannot name an entry'),
        ('folder', '../../../../etc', 'folder: expected'),
        ('folder', '/etc', 'folder: expected'),
        ('folder', 'net', 'folder: expected'),
        ('command', 'x' * 10_000_000, '10,000,000 characters'),
        ('scoring.protocols', {}, 'a protocol of the scores is missing'),
        ('scoring.protocols', {'<script>': {}}, 'expected description and source'),
        ('source.identity', {}, 'weights_sha256: expected str'),
        ('cost.gmacs', -1.0, 'cost: a value is negative'),
        ('cost.parameters', 10**300, 'out of range'),
        ('cost.machine', {}, 'processor: expected str'),
        ('cost.setting.width', 0, 'cost.setting: out of range'),
        ('attention', ['7'], 'without a record'),
        ('notes', 'text', 'notes: expected list'),
        ('run', None, 'run: expected dict'),
        ('unknown', 1, 'unknown: there is no such field'),
        ('layout', [2], 'has layout'),
    ],
)
def test_values_of_another_kind_are_named(board, place, value, reason):
    board[1].write_text(with_value(board[2], place, value))
    check_refused(board, reason)


def test_missing_parts_are_named(board):
    for name in json.loads(board[2]):
        content = json.loads(board[2])
        del content[name]
        board[1].write_text(json.dumps(content))
        if name not in ('cost', 'notes', 'attention', 'reason'):
            with pytest.raises(UserError, match=name):
                read_result(board[1])
        assert len(summarize(board[0], 'input').rows) >= 2


@pytest.mark.fault('E7')
def test_a_key_twice_is_refused(board):
    board[1].write_text(
        board[2].replace('"name": "worst of all"', '"name": "worst of all", "name": "best"', 1)
    )
    check_refused(board, 'occurs twice')


@pytest.mark.fault('E7')
def test_deep_values_are_refused_where_any_value_may_be(board):
    value = []
    for _ in range(200):
        value = [value]
    board[1].write_text(with_value(board[2], 'source.identity.x', value))
    check_refused(board, 'nested more than')


def test_files_that_are_no_text_are_refused(board):
    _, path, text = board
    path.write_bytes(b'\xff\xfe' + text.encode())
    check_refused(board, 'not a result')
    path.write_bytes(b'[' + b'0,' * 2**24 + b'0]')
    check_refused(board, 'larger than 32 MiB')
    path.unlink()
    os.mkfifo(path)
    check_refused(board, 'no regular file')


@pytest.mark.fault('E6')
def test_another_results_name_is_refused(board):
    shutil.move(board[1].parent, board[1].parents[1] / 'copy')
    board = (
        board[0],
        board[1].parents[1] / 'copy' / 'result.json',
        with_value(board[2], 'folder', 'copy'),
    )
    board[1].write_text(with_value(board[2], 'name', 'input'))
    summary = summarize(board[0], 'input')
    assert len(summary.rows) == 2
    ((folder, reason),) = summary.failed
    assert folder == board[1].parent.name
    assert 'has the name of' in reason


def test_other_images_under_the_same_hash_are_refused(board):
    content = json.loads(board[2])
    fewer = deepcopy(content)
    fewer['records'][1]['name'] = 'another'
    board[1].write_text(json.dumps(fewer))
    summary = summarize(board[0], 'input')
    assert [row.result.name for row in summary.rows] == ['net', 'input']
    assert 'different image lists are not mixed' in dict(summary.failed)['worst of all']

"""What an entry may look like, on the command line and in a file."""

from __future__ import annotations

import pytest
from attentive_gan.errors import UserError
from attentive_gan.leaderboard import parse_entry, read_entries
from attentive_gan.leaderboard.entries import gather_entries

FORMS = [
    ('a=input', 'input', '', ''),
    ('a=inpainting', 'inpainting', 'telea', ''),
    ('a=inpainting:ns', 'inpainting', 'ns', ''),
    ('a=c/x.py,w.pth', 'config', 'c/x.py', 'w.pth'),
    ('a=w.safetensors', 'weights', 'w.safetensors', ''),
    ('a=nafnet/net_g.pth', 'weights', 'nafnet/net_g.pth', ''),
    ('a=images.pth/', 'folder', 'images.pth/', ''),
    ('a=folder/of,images', 'folder', 'folder/of,images', ''),
    (' a b =with=sign', 'folder', 'with=sign', ''),
]


@pytest.mark.parametrize(('text', 'kind', 'source', 'checkpoint'), FORMS)
def test_values(text, kind, source, checkpoint):
    entry = parse_entry(text)
    assert (entry.kind, entry.source, entry.checkpoint) == (kind, source, checkpoint)
    again = parse_entry(entry.argument)
    assert (again.name, again.kind) == (entry.name, kind)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('unet', 'expected NAME=VALUE'),
        ('unet=', 'expected NAME=VALUE'),
        ('=input', 'cannot name an entry'),
        ('a\nb=input', 'cannot name an entry'),
        ('unet=x.py', 'needs weights'),
        ('unet=x.py,', 'needs weights'),
        ('a=inpainting:magic', 'there are: telea, ns'),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(UserError, match=message):
        parse_entry(text)


def test_folder_names_are_plain_and_different():
    names = ['unet', 'U Net', 'U/Net', '../..', '<script>', '雨', '.', 'x' * 60]
    folders = [parse_entry(f'{name}=input').folder_name for name in names]
    assert folders[0] == 'unet'
    assert len(set(folders)) == len(names)
    assert all(name.strip('.') and '/' not in name and name.isascii() for name in folders)


def test_file(tmp_path):
    path = tmp_path / 'entries.yml'
    path.write_text(
        'entries:\n- {name: a, config: x.py, checkpoint: w.pth}\n- {name: b, folder: f}\n'
        '- {name: c, input: true}\n- {name: d, inpainting: ns}\n'
        '- {name: e, weights: w.pth}\n'
    )
    assert [entry.argument for entry in read_entries(path)] == [
        'a=x.py,w.pth', 'b=f/', 'c=input', 'd=inpainting:ns', 'e=w.pth',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('[1', 'cannot be read as YAML'),
        ('entries: []', 'expected a list'),
        ('entries: [5]', 'entry 1: expected a mapping'),
        ('entries: [{name: a, config: x.py}]', r'entry 1 \(a\): expected exactly one'),
        ('entries: [{name: a, folder: f, input: true}]', 'expected exactly one'),
        ('entries: [{name: a, input: false}]', 'expected exactly one'),
    ],
)
def test_mistakes_in_a_file(tmp_path, text, message):
    path = tmp_path / 'entries.yml'
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_entries(path)


def test_gathering(tmp_path):
    names = [entry.name for entry in gather_entries(['a=f'], None, 'input', tmp_path)]
    assert names == ['input', 'a']
    for texts, reference, message in (
        ([], 'input', 'nothing to compare'),
        (['a=f', 'a=g'], 'a', 'unique'),
        (['a=f', 'A=g'], 'a', 'without regard to case'),
        (['a=f'], 'b', 'no such entry'),
    ):
        with pytest.raises(UserError, match=message):
            gather_entries(texts, None, reference, tmp_path)

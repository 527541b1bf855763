"""The commands of docs pages: every option exists, every config loads with the options given."""

from __future__ import annotations

import re
import shlex

import pytest
from attentive_gan.cli.common import config_options
from attentive_gan.cli.main import build_parser
from attentive_gan.config.reading import load_config

PAGES = ('challenge', 'datasets')
#: Subcommand by script.
SCRIPTS = {
    'tools/train.py': 'train',
    'tools/test.py': 'test',
    'tools/restore.py': 'restore',
    'tools/leaderboard.py': 'leaderboard',
    'tools/dataset_converters/raindrop/check_dataset.py': 'check',
}


def commands(repository, page):
    """Return the command lines of a page as lists of words."""
    text = (repository / 'docs' / f'{page}.md').read_text()
    blocks = re.findall(r'^```bash\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
    return [shlex.split(line) for line in lines if line.strip()]


@pytest.mark.parametrize('page', PAGES)
def test_commands_of_a_page_parse(repository, page):
    found = commands(repository, page)
    assert len(found) > 2
    for words in found:
        program, script, *arguments = words
        if script == '-m':
            assert words[:3] == ['python', '-m', 'zipfile']
            continue
        assert (repository / script).is_file()
        if program == 'bash':
            assert script == 'tools/dist_train.sh'
            assert arguments.pop(1) == '8'
            script = 'tools/train.py'
        name = SCRIPTS[script]
        args = build_parser([name]).parse_args([name, *arguments])
        if getattr(args, 'config', None):
            options = config_options(args) if name in ('train', 'test') else {}
            load_config(str(repository / args.config), options)


@pytest.mark.parametrize('page', PAGES)
def test_configs_and_links_of_a_page_exist(repository, page):
    text = (repository / 'docs' / f'{page}.md').read_text()
    for name in re.findall(r'(?<![\w/])configs/[\w/.-]+\.py', text):
        assert (repository / name).is_file(), name
    for name in re.findall(r'`(\w+\.py)` \|', text):
        assert (repository / 'configs' / '_base_' / 'datasets' / name).is_file(), name
    for target, anchor in re.findall(r'\]\(([\w.]+\.md)(#[\w-]+)?\)', text):
        linked = (repository / 'docs' / target).read_text()
        if anchor:
            heads = re.findall(r'^#+ (.+)$', linked, re.MULTILINE)
            slugs = [re.sub(r'[^\w -]', '', head.lower()).replace(' ', '-') for head in heads]
            assert anchor[1:] in slugs, (target, anchor)

"""Entries of a leaderboard, from the command line or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.strict_json import one_line, read_small_text

from .result_reading import read_results
from .results import LONGEST_NAME, Kind, folder_of, may_name_entry

#: Classical methods of OpenCV that fill a mask from its border.
INPAINTING_METHODS = ('telea', 'ns')
#: What may follow `NAME=` on the command line.
FORMS = (
    'input, inpainting:telea, inpainting:ns, CONFIG.py,WEIGHTS, WEIGHTS alone, or a folder of restored '
    'images'
)
#: Suffixes of weights that need no config.
_WEIGHTS = ('.safetensors', '.pth', '.pt', '.ckpt')

#: Kind of an entry in a file, by its fields beside the name.
_KIND_OF_FIELDS: dict[frozenset[str], Kind] = {
    frozenset({'config', 'checkpoint'}): 'config',
    frozenset({'weights'}): 'weights',
    frozenset({'folder'}): 'folder',
    frozenset({'input'}): 'input',
    frozenset({'inpainting'}): 'inpainting',
}


@dataclass(frozen=True)
class Entry:
    """One row of a leaderboard: a name and the source of its images.

    Attributes:
        name: Name in tables; any printable text.
        kind: Kind of the source: a `config` with weights, `weights` that need none, a `folder` of restored
            images, the rainy `input`, or classical `inpainting` of the true mask.
        source: Config file, weights, folder, or method of inpainting; empty for the input.
        checkpoint: Weights of a config.

    Raises:
        UserError: The name or the method is not allowed, or a config has no weights.
    """

    name: str
    kind: Kind
    source: str = ''
    checkpoint: str = ''

    def __post_init__(self) -> None:
        name = self.name
        if not may_name_entry(name) or '=' in name:
            raise UserError(
                f'{name!r:.200} cannot name an entry: use 1 to {LONGEST_NAME} printable characters '
                'without "="'
            )
        if self.kind == 'inpainting' and self.source not in INPAINTING_METHODS:
            raise UserError(
                f'{name}: unknown inpainting {self.source!r}; there are: '
                f'{", ".join(INPAINTING_METHODS)}'
            )
        if self.kind == 'config' and not self.checkpoint:
            raise UserError(f'{name}: a config needs weights: {self.source},WEIGHTS')

    @property
    def argument(self) -> str:
        """The entry as an argument of `--entry`."""
        value = {
            'input': 'input',
            'inpainting': f'inpainting:{self.source}',
            'config': f'{self.source},{self.checkpoint}',
            'weights': self.source,
            'folder': self.source.rstrip('/') + '/',
        }[self.kind]
        return f'{self.name}={value}'

    @property
    def folder_name(self) -> str:
        """Name of the entry's folder: the name itself if it is plain ASCII, else with a hash.

        Example:
            >>> Entry('unet', 'input').folder_name, Entry('U Net', 'input').folder_name
            ('unet', 'U-Net-6a6daef1')
        """
        return folder_of(self.name)


def parse_entry(text: str) -> Entry:
    """Parse an entry `NAME=VALUE`; see `FORMS` for values.

    Raises:
        UserError: It is not an entry.

    Example:
        >>> parse_entry('unet=unet.py,unet.pth')
        Entry(name='unet', kind='config', source='unet.py', checkpoint='unet.pth')
    """
    name, separator, value = text.partition('=')
    if not separator or not value.strip():
        raise UserError(f'--entry {text}: expected NAME=VALUE, where VALUE is {FORMS}')
    name, value = name.strip(), value.strip()
    if value == 'input':
        return Entry(name, 'input')
    if value.partition(':')[0] == 'inpainting':
        return Entry(name, 'inpainting', value.partition(':')[2] or 'telea')
    config, comma, weights = value.partition('.py,')
    if comma or value.endswith('.py'):
        return Entry(name, 'config', config.removesuffix('.py') + '.py', weights)
    if value.endswith(_WEIGHTS):
        return Entry(name, 'weights', value)
    return Entry(name, 'folder', value)


def read_entries(path: Path) -> list[Entry]:
    """Read entries from a YAML file: a list below `entries`.

    Each has a `name` and one of: `config` with `checkpoint`; `weights`; `folder`; `input: true`;
    `inpainting: telea` or `ns`. Paths are relative to the current folder, as on the command line.

    Raises:
        UserError: The file is missing or has another content.
    """
    from attentive_gan.utils.strict_yaml import parse_yaml

    try:
        content = parse_yaml(read_small_text(path))
    except (OSError, ValueError) as error:
        raise UserError(f'{shown(path)} cannot be read as YAML: {one_line(error)}') from error
    rows = content.get('entries') if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise UserError(f'{path}: expected a list below "entries:"; see docs/leaderboard.md')
    return [_entry_of(row, f'{path}, entry {number}') for number, row in enumerate(rows, 1)]


def _entry_of(row: Any, where: str) -> Entry:
    """Convert a mapping of the YAML file to an entry."""
    if not isinstance(row, Mapping) or 'name' not in row:
        raise UserError(f'{where}: expected a mapping with "name"')
    fields = {str(key): value for key, value in row.items() if key != 'name'}
    kind = _KIND_OF_FIELDS.get(frozenset(fields))
    if kind is None or fields.get('input', True) is not True:
        raise UserError(
            f'{where} ({row["name"]!s:.80}): expected exactly one of: config and checkpoint; weights; '
            f'folder; input: true; inpainting; got {", ".join(fields)[:200] or "nothing"}'
        )
    source = '' if kind == 'input' else str(fields[kind])
    return Entry(str(row['name']), kind, source, str(fields.get('checkpoint', '')))


def gather_entries(
    texts: Sequence[str], file: Path | None, reference: str, out: Path
) -> list[Entry]:
    """Collect the entries of a run; the rainy input is added where it is the missing reference.

    Args:
        texts: Arguments of `--entry`.
        file: YAML file with more, or None.
        reference: Name of the entry that differences refer to.
        out: Folder of the leaderboard, which may hold the reference from an earlier run.

    Raises:
        UserError: There is no entry, two have the same name, or there is no reference.
    """
    entries = [parse_entry(text) for text in texts] + (read_entries(file) if file else [])
    if not entries:
        raise UserError(
            f'there is nothing to compare; give --entry NAME=VALUE, where VALUE is {FORMS}'
        )
    names = [entry.name for entry in entries]
    folded = [name.casefold() for name in names]  # many file systems ignore case
    repeated = [name for name in names if folded.count(name.casefold()) > 1]
    if repeated:
        raise UserError(
            f'two entries are named {repeated[0]!r} and {repeated[1]!r}; names must be unique, also '
            'without regard to case'
        )
    if reference in names or any(result.name == reference for result in read_results(out)[0]):
        return entries
    if reference == 'input':
        return [Entry('input', 'input'), *entries]
    raise UserError(
        f'--reference {reference}: there is no such entry; there are: {", ".join(names)}'
    )

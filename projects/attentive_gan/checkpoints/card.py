"""Card of a weights file: a Markdown description for people."""

from __future__ import annotations

import json
from pathlib import Path

from .description import WeightsDescription

_CARD = """# {name}

Weights of `{generator[type]}` ({parameters:,} parameters), which removes raindrops from photos
taken through a wet window.

| | |
| --- | --- |
| file | `{file}`, {size:.2f} MiB |
| SHA-256 | `{sha256}` |
| network | `{config}` |
| editor | `{task}` |
| colours | {order}, values 0 to 1 |
| trained on | {trained_on} |
| iterations | {iterations} |
| SHA-256 of the config | `{config_hash}` |

The file describes its network, so it needs no config:

```bash
python tools/restore.py IMAGES -o OUT --weights {file}
```

Scores, limits and licence: not recorded here; add what you measured.
"""


def write_card(
    weights: Path, description: WeightsDescription, sha256: str, parameters: int
) -> Path:
    """Write the card of a weights file beside it, unless there is one.

    Args:
        weights: Weights file.
        description: Description of the weights.
        sha256: SHA-256 of the file, hexadecimal.
        parameters: Number of values in the file.

    Returns:
        The card.
    """
    card = weights.with_suffix('.md')
    if not card.exists():
        text = _CARD.format(
            **vars(description), parameters=parameters, file=weights.name, sha256=sha256,
            size=weights.stat().st_size / 2**20, config=json.dumps(description.generator),
            order=description.channel_order.upper(),
            config_hash=description.config_sha256 or 'unknown',
        )  # fmt: skip
        card.write_text(text, encoding='utf-8')
    return card

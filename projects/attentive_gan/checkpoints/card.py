"""The card of a weights file: what it is, in Markdown, for people."""

from __future__ import annotations

import json
from pathlib import Path

from .description import WeightsDescription

_CARD = """# {name}

Weights of `{network}` ({parameters:,} parameters), which removes raindrops from photos
taken through a wet window.

| | |
| --- | --- |
| file | `{file}`, {size:.2f} MiB |
| SHA-256 | `{sha256}` |
| network | `{generator}` |
| editor | `{task}` |
| colours | {order}, values 0 to 1 |
| trained on | {trained_on} |
| iterations | {iterations} |
| SHA-256 of the config | `{config_sha256}` |

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
        weights: The file.
        description: What it says of itself.
        sha256: Its SHA-256, hexadecimal.
        parameters: Number of its values.

    Returns:
        The card.
    """
    card = weights.with_suffix('.md')
    if not card.exists():
        text = _CARD.format(
            name=description.name, network=description.generator['type'], parameters=parameters,
            file=weights.name, size=weights.stat().st_size / 2**20, sha256=sha256,
            generator=json.dumps(description.generator), task=description.task,
            order=description.channel_order.upper(), trained_on=description.trained_on,
            iterations=description.iterations,
            config_sha256=description.config_sha256 or 'unknown',
        )  # fmt: skip
        card.write_text(text, encoding='utf-8')
    return card

"""Contents of a checkpoint beside the weights, as plain tensors and values.

MMEngine pickles its message hub and stores no random states. Plain contents can be loaded without
running code from the file; random states make resuming exact for networks with random operations.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank
from mmengine.logging import HistoryBuffer, MessageHub

#: Number of logged values stored per scalar, enough for any smoothing window of the log.
HISTORY_LENGTH = 1000


def is_plain(value: Any) -> bool:
    """Return whether a value consists of tensors, numbers, strings, None, lists, tuples and dicts.

    Examples:
        >>> is_plain({'a': [1, None]}), is_plain({1, 2})
        (True, False)
    """
    if isinstance(value, dict):
        return all(isinstance(key, (str, int)) and is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str, torch.Tensor))


def _to_plain(value: Any) -> Any:
    """Convert NumPy numbers to Python's."""
    return value.item() if isinstance(value, np.generic) else value


def pack_message_hub(hub: MessageHub) -> dict[str, Any]:
    """Convert the log history and the runtime information to plain values.

    Args:
        hub: Message hub of the runner. Runtime information that is not plain is omitted; MMEngine's
            own is plain.
    """
    state = hub.state_dict()
    scalars = {}
    for name, buffer in state['log_scalars'].items():
        values, counts = buffer.data
        scalars[name] = {
            'values': torch.as_tensor(np.asarray(values[-HISTORY_LENGTH:], dtype=np.float64)),
            'counts': torch.as_tensor(np.asarray(counts[-HISTORY_LENGTH:], dtype=np.float64)),
        }
    info = {name: _to_plain(value) for name, value in state['runtime_info'].items()}
    return {
        'log_scalars': scalars,
        'runtime_info': {name: value for name, value in info.items() if is_plain(value)},
    }


def unpack_message_hub(packed: dict[str, Any], hub: MessageHub) -> None:
    """Load packed history and runtime information into a message hub."""
    scalars: OrderedDict[str, HistoryBuffer] = OrderedDict()
    for name, history in packed['log_scalars'].items():
        scalars[name] = HistoryBuffer(history['values'].tolist(), history['counts'].tolist())
    info = packed['runtime_info']
    resumed = dict.fromkeys([*scalars, *info], True)
    hub.load_state_dict(
        {'log_scalars': scalars, 'runtime_info': info, 'resumed_keys': OrderedDict(resumed)}
    )


def gather_random_states() -> list[dict[str, Any]]:
    """Return the states of torch's generators of all processes; every process must call this."""
    state: dict[str, Any] = {'cpu': torch.get_rng_state()}
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return list(all_gather_object(state))


def restore_random_state(states: list[dict[str, Any]]) -> None:
    """Restore the generators of this process from the result of `gather_random_states`."""
    state = states[get_rank()]
    torch.set_rng_state(state['cpu'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def non_finite_names(state_dict: dict[str, torch.Tensor]) -> list[str]:
    """Return the names of floating-point tensors with infinite or NaN elements."""
    return [
        name
        for name, value in state_dict.items()
        if value.is_floating_point() and not bool(torch.isfinite(value).all())
    ]

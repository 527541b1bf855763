"""What a checkpoint holds beside the weights, as plain tensors and values.

MMEngine pickles its message hub and stores no state of random generators. Plain contents can be read
back without running code from the file, and the generators' states make resuming exact for networks
that draw random numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank
from mmengine.logging import HistoryBuffer, MessageHub

#: Logged values kept per scalar: enough for any smoothing window of the log.
HISTORY_LENGTH = 1000


def is_plain(value: Any) -> bool:
    """Tell whether a value consists of tensors, numbers, strings, None, lists, tuples and dicts."""
    if isinstance(value, dict):
        return all(isinstance(key, (str, int)) and is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str, torch.Tensor))


def _to_plain(value: Any) -> Any:
    """Turn NumPy numbers into Python's."""
    return value.item() if isinstance(value, np.generic) else value


def pack_message_hub(hub: MessageHub) -> dict[str, Any]:
    """Turn the log's history and the runtime information into plain values.

    Args:
        hub: Message hub of the runner. Runtime information that is not plain is left out; MMEngine's
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
    """Put packed history and runtime information back into a message hub."""
    scalars: OrderedDict[str, HistoryBuffer] = OrderedDict()
    for name, history in packed['log_scalars'].items():
        scalars[name] = HistoryBuffer(history['values'].tolist(), history['counts'].tolist())
    info = packed['runtime_info']
    resumed = dict.fromkeys([*scalars, *info], True)
    hub.load_state_dict(
        {'log_scalars': scalars, 'runtime_info': info, 'resumed_keys': OrderedDict(resumed)}
    )


def gather_random_states() -> list[dict[str, Any]]:
    """Collect the states of torch's generators of all processes; every process must call this."""
    state: dict[str, Any] = {'cpu': torch.get_rng_state()}
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return all_gather_object(state)


def restore_random_state(states: list[dict[str, Any]]) -> None:
    """Set this process's generators as `gather_random_states` found them."""
    state = states[get_rank()]
    torch.set_rng_state(state['cpu'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def non_finite_names(state_dict: dict[str, torch.Tensor]) -> list[str]:
    """List the floating-point tensors that hold an infinity or a NaN."""
    return [
        name
        for name, value in state_dict.items()
        if value.is_floating_point() and not bool(torch.isfinite(value).all())
    ]

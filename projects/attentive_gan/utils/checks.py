"""Checks of options."""

from __future__ import annotations

from attentive_gan.errors import UserError


def check_range(name: str, value: float, low: float, high: float | None = None) -> None:
    """Make sure that an option is within its range.

    Args:
        name: Name of the option, for the message.
        value: Its value.
        low: Smallest value.
        high: Largest value; None for no limit.

    Raises:
        UserError: It is not.

    Example:
        >>> check_range('probability', 1.5, 0, 1)
        Traceback (most recent call last):
        attentive_gan.errors.UserError: probability must be within 0 to 1; got 1.5.
    """
    if not low <= value <= (float('inf') if high is None else high):
        limits = f'{low:g} or more' if high is None else f'within {low:g} to {high:g}'
        raise UserError(f'{name} must be {limits}; got {value}.')

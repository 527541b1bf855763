"""The training engine: runner, loops, hooks, optimizers and schedules."""

"""Several trainings one after another: plan, run, report."""

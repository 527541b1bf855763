"""Helpers of the tests: small networks, small data sets, and the tools as subprocesses."""

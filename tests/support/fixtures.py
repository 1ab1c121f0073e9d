"""Fixtures that more than one suite has: a conftest.py imports them."""

import pytest

from .fairlead import Fairlead


@pytest.fixture
def start():
    """start(dynamic, …) → a running Fairlead, ended after the test."""
    running = []

    def begin(*args, ready=True, **options):
        instance = Fairlead(*args, **options)
        running.append(instance)
        return instance.start(ready)

    yield begin
    for instance in running:
        instance.stop()

"""Whole gateways in a made-up world, repeatable by seed; `schedule` says what can happen there."""

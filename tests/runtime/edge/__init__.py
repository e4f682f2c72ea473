"""Tests of the edge towards clients."""

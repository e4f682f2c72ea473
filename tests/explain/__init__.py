"""Tests of kt.explain."""

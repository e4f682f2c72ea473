"""Tests of kt.planfile."""

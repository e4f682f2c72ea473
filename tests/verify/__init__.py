"""Tests of kt.verify."""

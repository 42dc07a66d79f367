"""Tests of the search for images."""

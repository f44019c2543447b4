"""Drives that the demo shows and the bench tests check: each takes a bench, drives, and measures."""

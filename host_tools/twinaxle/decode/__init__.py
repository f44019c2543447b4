"""Whole logs decoded to tables: columns by numpy, written as CSV or Parquet."""

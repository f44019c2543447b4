"""What is left of a run: the bus log and its file formats, the time series of plant and bus."""

"""Plots over time as SVG: marks, states as bands, panels of lines, one shared time axis; `plot.js` zooms and reads."""

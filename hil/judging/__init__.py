"""What sees and judges a run: the newest frames, the safety goals and their oracle, measured values, requirements."""

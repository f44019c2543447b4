"""The protocol's judge: watches a live bus or a whole log and tells where it departs from the DBC.

`stream` is the per-message watch for live use, `rules` the checks of a whole log, `report` what is made of the result.
"""

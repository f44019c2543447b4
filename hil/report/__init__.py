"""Reports: a self-contained HTML page with plots, measured values against limits and requirement coverage; JUnit."""

from hil.report.collect import SessionResults, write_session_report
from hil.report.coverage import Coverage, Evidence, coverage, evidence_of, missing_claims
from hil.report.junit import junit_properties, write_junit
from hil.report.page import Report
from hil.report.panels import PANELS, Line, Panel, chosen
from hil.report.plot import plot_svg

__all__ = [
    "PANELS",
    "Coverage",
    "Evidence",
    "Line",
    "Panel",
    "Report",
    "SessionResults",
    "chosen",
    "coverage",
    "evidence_of",
    "junit_properties",
    "missing_claims",
    "plot_svg",
    "write_junit",
    "write_session_report",
]

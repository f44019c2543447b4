"""Defects to plant into a good DBC, each with the rule that must find it and the line that it must name."""

import re
from pathlib import Path
from typing import NamedTuple

GOOD = Path(__file__).parents[1] / "data" / "complete.dbc"


class Plant(NamedTuple):
    """A defect: `old` is replaced by `new` once, and the rule must tell of the line that then has `mark`."""

    rule: str
    what: str
    old: str
    new: str
    mark: str

    def text(self) -> str:
        """The good file with the defect in it."""
        good = GOOD.read_text(encoding="ascii")
        assert self.old in good, self.old
        return good.replace(self.old, self.new, 1)

    def raw(self) -> bytes:
        """The bytes of the file, in UTF-8."""
        return self.text().encode("utf-8")

    @property
    def line(self) -> int:
        """The line that the rule must name."""
        text = self.text()
        blanks = len(self.mark) - len(self.mark.lstrip("\n"))
        return text[: text.index(self.mark) + blanks].count("\n") + 1


VOLTAGE = 'SG_ Voltage : 16|12@1+ (0.1,0) [0|409.5] "V" VCU,DASH'
SECTIONS = GOOD.read_text(encoding="ascii")
COMMENTS = SECTIONS[SECTIONS.index('CM_ "A file') : SECTIONS.index("BA_DEF_ BO_")]


def _voltage(old: str, new: str) -> tuple[str, str, str]:
    """Changes the signal Voltage."""
    assert old in VOLTAGE
    changed = VOLTAGE.replace(old, new, 1)
    return VOLTAGE, changed, changed


def _line(old: str, new: str) -> tuple[str, str, str]:
    """Changes a text, which the finding's line must then have."""
    return old, new, new.strip("\n").splitlines()[0]


def _after(line: str, more: str) -> tuple[str, str, str]:
    """Adds a line behind one; the finding is in the second."""
    return line + "\n", f"{line}\n{more}\n", "\n" + more


def _removed(line: str, mark: str) -> tuple[str, str, str]:
    return line + "\n", "", mark


LOG = "BO_ 1024 Log: 8 DASH"
PLANTS = [
    # Language and encoding
    Plant("syntax", "a colon missing in SG_", *_voltage("Voltage :", "Voltage ")),
    Plant("syntax", "hexadecimal identifier", *_line("BO_ 257 Torque", "BO_ 0x101 Torque")),
    Plant("syntax", "decimal comma", *_voltage("(0.1,0)", "(0,1,0)")),
    Plant("syntax", "byte order 2", *_voltage("@1+", "@2+")),
    Plant("syntax", "no receiver at all", *_voltage(" VCU,DASH", "")),
    Plant("syntax", "unknown statement", *_after('CM_ BU_ BMS "Battery.";', "BOO_ 5;")),
    Plant("missing-semicolon", "`;` missing", *_line('CM_ BU_ BMS "Battery.";', 'CM_ BU_ BMS "Battery."')),
    Plant("unclosed-string", "quote missing", *_line('"What the battery is doing.";', '"What the battery is doing.;')),
    Plant("unescaped-quote", "quotes inside a comment", *_line('"At the terminals."', '"At the "real" terminals."')),
    Plant("slash-comment", "`//` comment", *_after("BS_:", "// nothing here")),
    Plant("spacing", "blank inside `(factor,offset)`", *_voltage("(0.1,0)", "(0.1, 0)")),
    Plant("multi-line-comment", "comment over two lines", *_line("At the terminals.", "At the\nterminals.")),
    Plant("non-ascii", "non-ASCII character", *_line('"degC"', '"°C"')),
    Plant("control-character", "control character", *_line("At the terminals.", "At the\x07 terminals.")),
    Plant("byte-order-mark", "byte order mark", 'VERSION "1.0"', '\ufeffVERSION "1.0"', "VERSION"),
    Plant("line-ends", "one line ends in CRLF", "BS_:\n", "BS_:\r\n", "BS_:"),
    # Sections
    Plant("missing-section", "`BU_` missing", *_removed("BU_: VCU BMS DASH", "VERSION")),
    Plant("missing-header", "`VERSION` missing", *_removed('VERSION "1.0"', "")),
    Plant("repeated-section", "two `BU_`", *_after("BU_: VCU BMS DASH", "BU_: MORE")),
    Plant("section-order", "comments after values", COMMENTS, "", "CM_")._replace(
        old=SECTIONS, new=SECTIONS.replace(COMMENTS, "") + COMMENTS, mark='CM_ "A file'
    ),
    # Names and duplicates
    Plant("bad-name", "name begins with a digit", *_line("SG_ Level ", "SG_ 2Level ")),
    Plant("dbc-keyword", "name is a DBC keyword", *_line("SG_ Level ", "SG_ FILTER ")),
    Plant("c-keyword", "name is a C keyword", *_line("SG_ Level ", "SG_ switch ")),
    Plant("long-name", "name of 33 characters", *_line("BO_ 257 Torque:", f"BO_ 257 {'Torque' * 5}Tor:")),
    Plant("similar-names", "names that differ in case only", *_line("SG_ Limit :", "SG_ LEVEL :")),
    Plant("duplicate-node", "node twice", *_line("BU_: VCU BMS DASH", "BU_: VCU BMS DASH VCU")),
    Plant("duplicate-identifier", "identifier twice", *_line("BO_ 1025 Spare", "BO_ 256 Spare")),
    Plant("duplicate-message", "message name twice", *_line("BO_ 257 Torque", "BO_ 257 BatteryState")),
    Plant("duplicate-signal", "signal name twice", *_line("SG_ Limit :", "SG_ Level :"))._replace(mark="SG_ Level : 8"),
    Plant("duplicate-receiver", "receiver twice", *_voltage("VCU,DASH", "VCU,DASH,VCU")),
    Plant("duplicate-comment", "comment twice", *_after('CM_ BU_ BMS "Battery.";', 'CM_ BU_ BMS "Cells.";')),
    Plant(
        "duplicate-definition",
        "attribute defined twice",
        *_after('BA_DEF_ BU_ "Address" HEX 0 255;', 'BA_DEF_ BU_ "Address" HEX 0 127;'),
    ),
    Plant("duplicate-default", "default twice", *_after('BA_DEF_DEF_ "RxTimeout" 0;', 'BA_DEF_DEF_ "RxTimeout" 1;')),
    Plant(
        "duplicate-attribute",
        "attribute set twice",
        *_after('BA_ "RxTimeout" BO_ 257 30;', 'BA_ "RxTimeout" BO_ 257 50;'),
    ),
    Plant("duplicate-value-list", "`VAL_` twice", *_after('VAL_ 256 Fan 0 "Off" 1 "On" ;', 'VAL_ 256 Fan 0 "No" ;')),
    Plant(
        "duplicate-value-table",
        "value table twice",
        *_after('VAL_TABLE_ OnOff 0 "Off" 1 "On" ;', 'VAL_TABLE_ OnOff 0 "No" ;'),
    ),
    Plant("duplicate-value", "value twice in `VAL_`", *_line('1 "R" 2 "N"', '1 "R" 1 "N"')),
    # Identifiers and layout
    Plant("identifier-range", "standard identifier of 12 bits", *_line("BO_ 1025 Spare", "BO_ 2049 Spare")),
    Plant(
        "frame-format",
        "VFrameFormat against identifier",
        *_line('VFrameFormat" BO_ 2566834709 1', 'VFrameFormat" BO_ 2566834709 0'),
    ),
    Plant("message-length", "9 bytes", *_line(LOG, "BO_ 1024 Log: 9 DASH")),
    Plant("signal-length", "0 bits", *_voltage("16|12", "16|0")),
    Plant("signal-beyond-message", "signal past the message's end", *_line("SG_ Fan : 40|1", "SG_ Fan : 64|1")),
    Plant("overlapping-signals", "signals overlap", *_line("SG_ Current : 28|12", "SG_ Current : 27|12")),
    Plant("overlapping-signals", "overlap inside one mux page", *_line("SG_ Cell2 m1 :", "SG_ Cell2 m0 :")),
    Plant("float-length", "float of 16 bits", *_line("Number : 1;", "Number : 2;")),
    Plant("float-sign", "unsigned float", *_line("SG_ Number m2 : 16|32@1-", "SG_ Number m2 : 16|32@1+")),
    Plant("signed-bit", "one bit with a sign", *_line("SG_ Fan : 40|1@1+", "SG_ Fan : 40|1@1-")),
    # Scaling and values
    Plant("zero-factor", "factor 0", *_voltage("(0.1,0)", "(0,0)")),
    Plant("inverted-range", "minimum above maximum", *_voltage("[0|409.5]", "[409.5|0]")),
    Plant("no-range", "range [0\\|0]", *_voltage("[0|409.5]", "[0|0]")),
    Plant("single-value-range", "range of one value", *_voltage("[0|409.5]", "[5|5]")),
    Plant("range-beyond-raw", "range wider than the bits", *_voltage("[0|409.5]", "[0|500]")),
    Plant("value-beyond-raw", "named value wider than the bits", *_line('7 "Invalid"', '8 "Invalid"')),
    Plant("fractional-value", "named value 1.5", *_line('1 "R"', '1.5 "R"')),
    Plant(
        "start-beyond-raw", "start value wider than the bits", *_line("SG_ 256 Voltage 100;", "SG_ 256 Voltage 4096;")
    ),
    Plant(
        "start-outside-range",
        "start value outside the range",
        *_voltage("[0|409.5]", "[20|409.5]")[:2],
        "SG_ 256 Voltage 100;",
    ),
    # Multiplexing
    Plant("mux-without-selector", "mux without selector", *_line("SG_ Page M :", "SG_ Page :"))._replace(
        mark="SG_ Cell1"
    ),
    Plant("mux-selector-unused", "selector that nothing uses", *_line("SG_ Fan :", "SG_ Fan M :")),
    Plant(
        "mux-selector-ambiguous",
        "two selectors, no SG_MUL_VAL_",
        *_removed("SG_MUL_VAL_ 1024 Text Kind 3-3;", "SG_ Text"),
    ),
    Plant(
        "mux-selector-kind",
        "signed selector",
        *_line("SG_ Page M : 0|2@1+ (1,0) [0|3]", "SG_ Page M : 0|2@1- (1,0) [-2|1]"),
    ),
    Plant("mux-value-beyond-raw", "selector value past its bits", *_line("SG_ Cell2 m1 :", "SG_ Cell2 m4 :")),
    Plant("mux-range", "SG_MUL_VAL_ without the m value", *_line("Text Kind 3-3;", "Text Kind 4-4;")),
    Plant("mux-range", "SG_MUL_VAL_ with an unknown selector", *_line("Text Kind 3-3;", "Text Sort 3-3;")),
    Plant("mux-loop", "selectors in a circle", *_line("Sub Kind 1-1;", "Sub Sub 1-1;"))._replace(mark="SG_ Sub m1M"),
    # References
    Plant("unknown-sender", "sender not in BU_", *_line(LOG, "BO_ 1024 Log: 8 DASHBOARD")),
    Plant("unknown-sender", "sender of BO_TX_BU_ not in BU_", *_line("1024 : DASH,BMS", "1024 : DASH,BSM")),
    Plant("unknown-receiver", "receiver not in BU_", *_voltage("VCU,DASH", "VCU,DAHS")),
    Plant("no-sender", "sender Vector__XXX", *_line("BO_ 257 Torque: 8 VCU", "BO_ 257 Torque: 8 Vector__XXX")),
    Plant("no-receiver", "receiver Vector__XXX", *_voltage("VCU,DASH", "Vector__XXX")),
    Plant("receiver-is-sender", "sender receives its own signal", *_voltage("VCU,DASH", "VCU,BMS")),
    Plant("unused-node", "node that nothing uses", *_line("BU_: VCU BMS DASH", "BU_: VCU BMS DASH SPARE")),
    Plant("unknown-message", "comment on an unknown message", *_line("CM_ BO_ 256 ", "CM_ BO_ 266 ")),
    Plant("unknown-message", "attribute on an unknown message", *_line('"RxTimeout" BO_ 257', '"RxTimeout" BO_ 267')),
    Plant("unknown-message", "values of an unknown message", *_line("VAL_ 257 Gear", "VAL_ 267 Gear")),
    Plant("unknown-signal", "comment on an unknown signal", *_line("CM_ SG_ 256 Voltage", "CM_ SG_ 256 Volts")),
    Plant("unknown-signal", "attribute on an unknown signal", *_line('Value" SG_ 256 Voltage', 'Value" SG_ 256 Volts')),
    Plant("unknown-signal", "values of an unknown signal", *_line("VAL_ 257 Gear", "VAL_ 257 Gaer")),
    Plant("unknown-signal", "unknown signal in SIG_GROUP_", *_line(": Voltage Current;", ": Voltage Amps;")),
    Plant("unknown-signal", "SIG_VALTYPE_ of an unknown signal", *_line("1024 Number : 1;", "1024 Numbers : 1;")),
    Plant("unknown-node", "comment on an unknown node", *_line("CM_ BU_ BMS", "CM_ BU_ BSM")),
    Plant("unknown-node", "attribute on an unknown node", *_line('"Address" BU_ BMS', '"Address" BU_ BSM')),
    Plant("unknown-variable", "comment on an unknown EV_", *_line("CM_ EV_ Ambient", "CM_ EV_ Ambience")),
    Plant(
        "unknown-value-table", "unknown value table", *_line('VAL_ 256 Fan 0 "Off" 1 "On" ;', "VAL_ 256 Fan YesNo ;")
    ),
    Plant(
        "value-table-by-name",
        "VAL_ with a table's name",
        *_line('VAL_ 256 Fan 0 "Off" 1 "On" ;', "VAL_ 256 Fan OnOff ;"),
    ),
    # Attributes
    Plant("undefined-attribute", "attribute not defined", *_line('"RxTimeout" BO_ 257', '"RxTimeuot" BO_ 257')),
    Plant(
        "undefined-attribute", "default of nothing", *_after('BA_DEF_DEF_ "RxTimeout" 0;', 'BA_DEF_DEF_ "Nothing" 0;')
    ),
    Plant(
        "attribute-without-default",
        "attribute without default",
        *_removed('BA_DEF_DEF_ "Address" 0;', 'BA_DEF_ BU_ "Address"'),
    ),
    Plant("attribute-definition", "definition with minimum above maximum", *_line("HEX 0 255;", "HEX 255 0;")),
    Plant("attribute-definition", "ENUM without values", *_line('"Cyclic","Event";', ";"))._replace(
        mark='SendType" ENUM ;'
    ),
    Plant("duplicate-enum-value", "ENUM value twice", *_line('"Cyclic","Event"', '"Cyclic","Event","Event"')),
    Plant("attribute-owner", "message attribute on a node", *_line('"Address" BU_ BMS', '"RxTimeout" BU_ BMS')),
    Plant("attribute-type", "string for INT", *_line('"RxTimeout" BO_ 257 30', '"RxTimeout" BO_ 257 "30"')),
    Plant("attribute-type", "number for STRING", *_line('BA_ "BusType" "CAN"', 'BA_ "BusType" 5')),
    Plant("attribute-range", "value past its definition", *_line('"Address" BU_ BMS 17', '"Address" BU_ BMS 256')),
    Plant(
        "attribute-range",
        "ENUM index past the last",
        *_line('"GenMsgSendType" BO_ 257 0', '"GenMsgSendType" BO_ 257 2'),
    ),
    Plant(
        "attribute-range",
        "default that is no ENUM value",
        *_line('"GenMsgSendType" "Event"', '"GenMsgSendType" "Never"'),
    ),
    # Timing and protection
    Plant(
        "no-cycle-time", "cyclic without cycle time", *_removed('BA_ "GenMsgCycleTime" BO_ 257 10;', "BO_ 257 Torque")
    ),
    Plant(
        "no-send-type",
        "nothing says when it is sent",
        SECTIONS,
        re.sub(r".*SendType.*\n", "", SECTIONS),
        "BO_ 2566834709",
    ),
    Plant(
        "cycle-time-on-event", "event with a cycle time", *_line('SendType" BO_ 257 0', 'SendType" BO_ 257 1')
    )._replace(mark='CycleTime" BO_ 257'),
    Plant("unknown-send-type", "unknown send type", *_line('"Cyclic","Event"', '"Cyclic","Event","Often"')),
    Plant("timeout-below-cycle", "timeout within the cycle", *_line('"RxTimeout" BO_ 257 30', '"RxTimeout" BO_ 257 5')),
    Plant("e2e-profile", "E2E profile not known", *_line('"E2eProfile" BO_ 257 1', '"E2eProfile" BO_ 257 2')),
    Plant("e2e-fields", "Crc in the wrong place", *_line("SG_ Crc : 0|8", "SG_ Crc : 48|8")),
    Plant("e2e-fields", "Counter missing", *_line("SG_ Counter : 8|4", "SG_ Count : 8|4"))._replace(mark="BO_ 256 "),
    Plant("e2e-overlap", "signal over Counter", *_voltage("16|12", "10|12")),
    Plant("e2e-counter-range", "Counter to 15", *_line("[0|14]", "[0|15]")),
    Plant("e2e-data-id", "E2eDataId missing", *_removed('BA_ "E2eDataId" BO_ 257 257;', "BO_ 257 Torque")),
    Plant("e2e-data-id", "E2eDataId twice", *_line('"E2eDataId" BO_ 257 257', '"E2eDataId" BO_ 257 256')),
    Plant("e2e-max-delta", "E2eMaxDelta 0", *_line('"E2eMaxDelta" BO_ 257 2', '"E2eMaxDelta" BO_ 257 0')),
    Plant("e2e-no-timeout", "protected, but no timeout", *_removed('BA_ "RxTimeout" BO_ 257 30;', "BO_ 257 Torque")),
]

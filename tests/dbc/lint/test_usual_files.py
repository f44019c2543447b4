"""What usual tools write into good files is no finding, or one of style at most."""

import pytest

from twinaxle.dbc.lint import Severity, lint
from twinaxle.dbc.syntax import read_text

HEAD = 'VERSION ""\n\nNS_ : \n\tNS_DESC_\n\tCM_\n\tSG_MUL_VAL_\n\nBS_:\n\nBU_: ECU1 ECU2\n\n\n'
MESSAGE = 'BO_ 85 State: 8 ECU1\n SG_ Level : 0|8@1+ (1,0) [0|100] ""  ECU2\n\n'
EXTENDED = 'BO_ 2147483733 State: 8 ECU1\n SG_ Level : 0|8@1+ (1,0) [0|100] ""  ECU2\n\n'
FORMATS = '"StandardCAN","ExtendedCAN",' + '"reserved",' * 12 + '"StandardCAN_FD","ExtendedCAN_FD"'


@pytest.mark.parametrize(
    "body",
    [
        # Free places of an ENUM have one name; an ENUM may have an empty default.
        MESSAGE
        + 'BA_DEF_ BO_  "GenMsgSendType" ENUM  "Cyclic","not_used","not_used","IfActive","NoMsgSendType","NotUsed";\n'
        + 'BA_DEF_ SG_  "NWM-WakeupAllowed" ENUM  "No","Yes";\n'
        + 'BA_DEF_DEF_  "GenMsgSendType" "NoMsgSendType";\nBA_DEF_DEF_  "NWM-WakeupAllowed" "";\n',
        # 0 0 means no limits.
        MESSAGE + 'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 0;\nBA_DEF_DEF_ "GenMsgCycleTime" 0;\n'
        'BA_ "GenMsgCycleTime" BO_ 85 100;\n',
        # VFrameFormat as a number, and CAN FD by it.
        EXTENDED + 'BA_DEF_ BO_ "VFrameFormat" INT 0 3;\nBA_DEF_DEF_ "VFrameFormat" 3;\n',
        MESSAGE.replace(": 8", ": 64") + f'BA_DEF_ BO_ "VFrameFormat" ENUM {FORMATS};\n'
        'BA_DEF_DEF_ "VFrameFormat" "StandardCAN";\nBA_ "VFrameFormat" BO_ 85 14;\n',
        # A value's name outside of the range: "not available".
        MESSAGE + 'VAL_ 85 Level 255 "Invalid" ;\n',
        # Two selectors side by side.
        'BO_ 85 Pages: 8 ECU1\n SG_ B2 m2 : 24|8@1+ (1,0) [0|255] "" ECU2\n'
        ' SG_ MuxB M : 16|8@1+ (1,0) [0|255] "" ECU2\n'
        ' SG_ A1 m1 : 8|8@1+ (1,0) [0|255] "" ECU2\n SG_ MuxA M : 0|8@1+ (1,0) [0|255] "" ECU2\n\n'
        "SG_MUL_VAL_ 85 B2 MuxB 2-2;\nSG_MUL_VAL_ 85 A1 MuxA 1-1;\n",
        # Pages of a multiplexer share bits.
        'BO_ 85 Pages: 8 ECU1\n SG_ Mux M : 0|8@1+ (1,0) [0|255] "" ECU2\n SG_ A m0 : 8|16@1+ (1,0) [0|65535] "" ECU2\n'
        ' SG_ B m1 : 15|8@0+ (1,0) [0|255] "" ECU2\n\n',
        # Signals that are in no message, relations, groups, types, environment variables.
        'BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\n'
        ' SG_ Spare : 0|8@1+ (1,0) [0|255] "" Vector__XXX\n\n'
        + MESSAGE
        + 'EV_ Knob: 0 [0|100] "" 0 2 DUMMY_NODE_VECTOR0 ECU1,ECU2;\nENVVAR_DATA_ Blob: 10;\n'
        'BA_DEF_REL_ BU_BO_REL_  "MsgProject" ENUM  "A","B","C";\nBA_DEF_DEF_REL_ "MsgProject" "A";\n'
        'BA_REL_ "MsgProject" BU_BO_REL_ ECU1 85 2;\nSIG_GROUP_ 85 Group 1 : Level;\n',
        # Numbers with a plus sign, with exponents, rounded to six digits, past what a float can hold.
        'BO_ 85 Numbers: 8 ECU1\n SG_ A : 0|8@1- (1,-1) [-129|+126] "" ECU2\n'
        ' SG_ B : 8|32@1+ (1E-07,0) [0|4.29497e+02] "" ECU2\n\n'
        'BO_ 2147483734 Text: 250 ECU1\n SG_ T : 0|2000@1+ (1,0) [0|1.15E+602] "" ECU2\n\n'
        'BA_DEF_ "ProtocolType" STRING ;\nBA_DEF_DEF_ "ProtocolType" "J1939";\n',
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_no_finding(body: str, line_end: str) -> None:
    findings = lint(read_text((HEAD + body).replace("\n", line_end).encode()))
    assert [finding for finding in findings if finding.rule.severity > Severity.STYLE] == []
    assert {finding.rule.id for finding in findings} <= {"no-send-type"}

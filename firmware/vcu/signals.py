"""The tick's signals: one array of integers that every law reads from and writes to, in the order of the chain.

Laws are viper functions over this array, `rx`, `tx` and the calibration: on the board that is ten times faster than
objects (RT-01), and nothing can allocate. A slot reaches a law as a constant that is tagged with the signal's name; a
test keeps the numbers true. Slots marked +- are signed, and read with

    (s[_SLOT] & 0xFFFF ^ 0x8000) - 0x8000

since a ptr32 reads without a sign on a 64-bit machine; 16 bits are enough for all of them. The others are 0 or more.
Negation is written `0 - x` in viper: in MicroPython 1.29 `-x` and `~x` of a local change the local itself.

 0 state                as in VcuStatus
 1 driving              Drive or Limp: the only states with torque
 2 wanted               Ready, Drive or Limp: units and contactors have to be there
 3 live                 high voltage is on or on its way, so every node has to be there
 4 late                 bit m: message m is past its timeout and reads as its start values
 5 bus_off              silent until the restart (SF-07)
 6 rearming             since then the units have not yet proved themselves
 7 gave_up              three bus-offs in 10 s
 8 overruns             received frames that were lost
 9 front_alive          status is fresh; the front axle's slots
10 front_able           fresh news and ready for torque
11 front_lost           not able for 100 ms, until it is able again outside of Drive
12 front_locked         in Init or Lockout
13 front_disobeys       gives what nobody asked for (SF-12)
14 front_rpm            +- motor speed
15 front_drive_dnm      what it can give, 0.1 Nm, 0 when not able or lost
16 front_regen_dnm      the same in regeneration
17 front_good           good frames in a row, up to ten
18 front_bad            ticks that it has not been able
19 rear_alive           the rear axle's slots, in the same order
20 rear_able
21 rear_lost
22 rear_locked
23 rear_disobeys
24 rear_rpm             +-
25 rear_drive_dnm
26 rear_regen_dnm
27 rear_good
28 rear_bad
29 speed_ckmh           +- speed of the car, 0.01 km/h, positive forward
30 rpm                  +- mean motor speed
31 rest                 the car stands
32 travel_e4            pedal travel, 1/10000, the lower of both sensors; 0 under override
33 released             less than 5 %
34 brake                pressed
35 pedal_fault          SF-02: zero torque
36 override             SF-03: zero drive torque
37 button_edge          the start button was pressed in this tick
38 button               last tick's button
39 pedal_bad            ticks that the sensors disagree
40 direction            +- 1 forward, -1 back, 0 none
41 gear_wanted          +- what the selector says
42 park                 the selector is in P
43 hv_open              contactors open
44 hv_opened            or on the way to or from it
45 hv_closed
46 hv_off               open and the link under 60 V
47 hv_light             20 A or less: contactors may open (SM-06)
48 precharged           SM-02: done
49 precharge_slow       SM-02: took too long
50 precharge_fast       SM-02: took too short
51 welded               SM-04
52 stays_live           SM-04: not under 60 V in 5 s
53 precharge_ticks
54 charging_ticks       of them with the contactors on their way
55 near_ticks           of them with the link near the pack's voltage
56 discharging_ticks
57 now_ticks            time for the tries of a precharge
58 try_oldest           when the last three tries began
59 try_middle
60 try_last
61 faults_present       bits as in faults.py
62 faults_latched
63 stop                 a fault forbids torque
64 urgent               a fault wants the contactors open at any speed (SM-06)
65 fault_level          as in VcuStatus
66 calibration_bad      SF-11
67 restarted_live       reset while the contactors were closed
68 plug                 a plug is in the socket
69 demand_dnm           +- what the driver asks for, sum of both motors
70 speed_limited        the speed limit takes torque away
71 limited_dnm          +- the demand after the limits
72 most_drive_dnm       most torque along the direction, at once, without slew
73 most_regen_dnm       and against it
74 reason               LimitReason as in VcuStatus
75 split_front_dnm      +-
76 split_rear_dnm       +-
77 front_dnm            +- what is commanded
78 rear_dnm             +-
79 tripped              by the monitor: no torque until a reset (SF-04)
80 discharging          contactors asked to open, motors slow: the link shall fall (SM-04)
81 open_waited          ticks that the contactors wait for the current to fall
82 enable_front         level of the enable line (SF-12)
83 enable_rear
84 stop_lamp
85 can_ran              the CAN part has done its work in this tick (for the watchdog)
86 together             both axles share the torque (SP-01)
87 together_ticks       since they do, up to the least time
88 idle_ticks           without torque
89 front_gates          shall be on
90 rear_gates
91 front_grip_dnm       most torque that slip control leaves the axle, as a magnitude
92 rear_grip_dnm
93 front_turn           how fast the axle turns: a magnitude in 1/256 rpm of its motor
94 rear_turn
95 road                 speed of the car over ground, in the same unit
96 road_step            +- its change in a tick
97 front_friction_dnm   +- what the axle's tyres take up, as torque of its motor along the motion
98 rear_friction_dnm
99 front_quiet_ticks    that it slides, or from 128 on that it grips again
100 rear_quiet_ticks
101 front_wheel_turn     how fast its wheels turn, in the same unit, or what comes nearest
102 rear_wheel_turn
103 front_ramp_dnm       +- the ramp of slew.py; the command follows it in two parts
104 rear_ramp_dnm        +-
105 car_drive_dnm        what cells and link leave of the torque (LM-02), sum of both motors
106 car_regen_dnm
107 derated_drive        LimitReason of what leaves less than the units can give, or 0
108 derated_regen
109 road_rest            +- of road_step, what the forces leave unexplained
110 rpm_before           mean motor speed of the last tick, as a magnitude
111 bus_offs             how often, up to 15
112 line_front           level that the enable line has
113 line_rear
"""

from array import array

signals = array("i", bytes(4 * 114))

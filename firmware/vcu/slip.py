"""Slip control (SP-06): may lower an axle's torque at once, never raise it.

A tyre grips best at a small slip; beyond it holds less. The torque of an axle that slides goes down until its wheels
have come back to the road, then it climbs again: quickly to near where they broke away, slowly past that, then faster
and faster. An axle that grips is not controlled by its speed: motor and wheels swing on the shafts, and to answer the
swing would keep it up.

Both axles are driven, so no wheel tells the speed over ground. It is carried on with what the tyres push: the torque
less what turns motor and wheels up. The sensor of acceleration has a say, within bounds. Driven wheels are never slower
than the car: each time they come back they set it right, and what the forces leave unexplained (a slope, a trailer, a
sensor that lies) is learnt.

Speeds here are magnitudes in 1/256 rpm of the motor, torques along the motion.
"""

from array import array

import micropython
from micropython import const

from vcu.split import regen_most_rear

_TORQUE = const(21)  # dbc: InvFrontStatus.TorqueActual [0.1 Nm]
_REAR_TORQUE = const(29)  # dbc: InvRearStatus.TorqueActual [0.1 Nm]
_ACCEL = const(16)  # dbc: EscMotion.AccelX [0.01 m/s2]
_SLIP = const(10)  # dbc: VcuStatus.LimitReason.Slip
_MOTION_LATE = const(4)  # dbc: EscMotion:bit

_RATIO = const(312)  # cal: vehicle.rpm_per_100kmh [100kmh]
_PER_G = const(274)  # cal: split.torque_per_g_dnm [dnm]
_INERTIA = const(284)  # cal: slip.inertia_dnm [dnm]
_ROLLING = const(285)  # cal: slip.rolling_dnm [dnm]
_LEARN = const(286)  # cal: slip.learn_mmps2 [mmps2]
_DOUBT = const(287)  # cal: slip.doubt_mmps2 [mmps2]
_LEAST_GRIP = const(288)  # cal: slip.least_grip_dnm [dnm]
_FOLLOW = const(289)  # cal: slip.follow_mmps2 [mmps2]
_LEAST = const(290)  # cal: slip.target_least_rpm [rpm]
_TARGET = const(291)  # cal: slip.target_e4 [e4]
_TARGET_GRIP = const(292)  # cal: slip.target_at_full_grip_e4 [e4]
_BEGIN = const(293)  # cal: slip.begin_rpm [rpm]
_JUMP = const(294)  # cal: slip.begin_jump_rpm [rpm]
_CAME = const(295)  # cal: slip.begin_came_rpm [rpm]
_BACK = const(296)  # cal: slip.back_ticks [ticks]
_UNHELD = const(297)  # cal: slip.unheld_below_e3 [e3]
_FASTER = const(298)  # cal: slip.faster_mmps2 [mmps2]
_REGRIP = const(299)  # cal: slip.regrip_below_e2 [e2]
_AFTER = const(300)  # cal: slip.regrip_share_e3 [e3]
_RETRY = const(301)  # cal: slip.retry_below_e3 [e3]
_REGAIN = const(302)  # cal: slip.regain_ticks [ticks]
_CLIMB = const(303)  # cal: slip.climb_ticks [ticks]
_FULL = const(309)  # cal: motor.torque_max_dnm [dnm]

_LATE = const(4)  # sig: late
_RPM = const(30)  # sig: rpm
_DRIVING = const(1)  # sig: driving
_BRAKE = const(34)  # sig: brake
_DIRECTION = const(40)  # sig: direction
_LIMITED = const(71)  # sig: limited_dnm
_REASON = const(74)  # sig: reason
_COMMAND = const(77)  # sig: front_dnm The rear one follows
_GRIP = const(91)  # sig: front_grip_dnm The rear one follows
_TURN = const(93)  # sig: front_turn The rear one follows
_ROAD = const(95)  # sig: road
_ROAD_STEP = const(96)  # sig: road_step
_FRICTION = const(97)  # sig: front_friction_dnm The rear one follows
_QUIET = const(99)  # sig: front_quiet_ticks The rear one follows
_WHEEL = const(101)  # sig: front_wheel_turn The rear one follows
_REST = const(109)  # sig: road_rest

# In `past`: where the next values go; then of each axle six speeds, six torques (+-) and their sum (+-), the slip
# to stay under, and the torque at which it broke away (0: not known)
_AT = const(0)
_TURNS = const(1)
_TORQUES = const(7)
_SUM = const(13)
_SLIP_MOST = const(14)
_BROKE = const(15)
_OF_REAR = const(15)
_DEPTH = const(6)  # ticks: one swing of an axle on its shafts when its wheels slide
_HALF_SWING = const(3)
_FREE = const(10_000)  # more than any motor gives
_GRIPS = const(128)  # quiet ticks from here on: the axle grips
_SETTLED = const(132)
_PER_RPM = const(256 * 100)  # inertia is told for 100 rpm a tick
_MMPS2 = const(100_000)


@micropython.viper
def friction(s: ptr32, rx: ptr32, cal: ptr32, old: ptr32, motion: int):
    """What the tyres of each axle take up (signal `friction`), and at which slip they grip best."""
    at = old[_AT]
    after = (at + 1) % _DEPTH
    axle = 0
    while axle < 2:
        of = axle * _OF_REAR
        torque = (rx[_TORQUE + axle * (_REAR_TORQUE - _TORQUE)] & 0xFFFF ^ 0x8000) - 0x8000
        torque *= motion
        turn = s[axle + _TURN]
        rise = turn - old[of + _TURNS + at]
        old[of + _TURNS + at] = turn
        mean = torque - ((old[of + _TORQUES + at] & 0xFFFF ^ 0x8000) - 0x8000)
        mean += (old[of + _SUM] & 0xFFFF ^ 0x8000) - 0x8000
        old[of + _TORQUES + at] = torque
        old[of + _SUM] = mean
        holds = mean // _DEPTH - rise // 64 * cal[_INERTIA] // (_DEPTH * _PER_RPM // 64)
        full = cal[_FULL]
        holds = full if holds > full else 0 - full if holds < 0 - full else holds
        s[axle + _FRICTION] = holds
        if holds < 0:
            holds = 0 - holds
        slip = s[_ROAD] // 16 * (cal[_TARGET] + cal[_TARGET_GRIP] * holds // full) // 625
        least = cal[_LEAST] * 256
        if not s[axle + _WHEEL]:
            # Without wheels: motors swing at 10 Hz where the tyres grip, so the mean with half a swing ago
            step = (s[_ROAD_STEP] & 0xFFFF ^ 0x8000) - 0x8000
            s[axle + _WHEEL] = (turn + old[of + _TURNS + after] + step * (_DEPTH - 1)) // 2
            least *= 2
        old[of + _SLIP_MOST] = slip if slip > least else least
        axle += 1
    old[_AT] = after


@micropython.viper
def over_ground(s: ptr32, rx: ptr32, cal: ptr32, old: ptr32, motion: int):
    """Carries the speed over ground on by one tick."""
    ratio = cal[_RATIO]
    rest = (s[_REST] & 0xFFFF ^ 0x8000) - 0x8000
    pushed = (s[_FRICTION] & 0xFFFF ^ 0x8000) - 0x8000
    pushed += (s[_FRICTION + 1] & 0xFFFF ^ 0x8000) - 0x8000
    change = (pushed - cal[_ROLLING]) * 981 // cal[_PER_G] * ratio // 1085 + rest
    if not s[_LATE] & _MOTION_LATE:
        felt = ((rx[_ACCEL] & 0xFFFF ^ 0x8000) - 0x8000) * motion * ratio // 1085
        doubt = cal[_DOUBT] * ratio * 9 // _MMPS2
        if s[_BRAKE] or change - doubt < felt < change + doubt:
            change = felt  # nothing else tells what the brakes do
        else:
            change += doubt if felt > change else 0 - doubt
    s[_ROAD_STEP] = change

    # What flows counts, not what is asked for: after the pedal is released the wheels still drive for a while
    drives = (s[_COMMAND] & 0xFFFF ^ 0x8000) - 0x8000
    drives = (drives + ((s[_COMMAND + 1] & 0xFFFF ^ 0x8000) - 0x8000)) * motion
    if not drives:
        drives = ((s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    sign = 1 if drives > 0 else -1
    axle = 1 if (s[_WHEEL + 1] - s[_WHEEL]) * sign < 0 else 0
    nearest = s[axle + _WHEEL] + change // 2
    road = s[_ROAD] + change
    apart = (nearest - road) * sign
    most = cal[_FOLLOW] * ratio * 9 // _MMPS2
    free = 1 if s[axle + _GRIP] >= _FREE else 0
    if apart < 0:
        # Driven wheels are never slower than the car, braked ones never faster
        apart //= 2
        if apart < most * -8:
            apart = most * -8
        rest -= most // 64 * sign
    else:
        # Wheels that grip slip a little
        apart -= old[axle * _OF_REAR + _SLIP_MOST]
        apart += old[axle * _OF_REAR + _SLIP_MOST] // 2 if free else cal[_LEAST] * 192
        apart //= 4
        if apart < 0 or (not free and s[axle + _QUIET] < _SETTLED):
            apart = 0
        elif apart:
            if free:
                rest += most // 64 * sign
            if apart > most:
                apart = most
    road += apart * sign
    rest -= rest // 256
    most = cal[_LEARN] * ratio * 9 // _MMPS2
    if not s[_DRIVING]:
        road = nearest
        rest = 0
    s[_REST] = most if rest > most else 0 - most if rest < 0 - most else rest
    s[_ROAD] = road if road > 0 else 0


@micropython.viper
def grip(s: ptr32, cal: ptr32, old: ptr32, axle: int, motion: int):
    """Lowers the command of one axle while it slips."""
    wish = ((s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    sign = 1 if wish > 0 else -1
    command = ((s[axle + _COMMAND] & 0xFFFF ^ 0x8000) - 0x8000) * motion * sign
    if not wish or command < 0:
        s[axle + _GRIP] = _FREE
        return
    most = s[axle + _GRIP]
    quiet = s[axle + _QUIET]
    of = axle * _OF_REAR
    road = s[_ROAD]
    turn = s[axle + _TURN]
    wheel = s[axle + _WHEEL]
    slip_most = old[of + _SLIP_MOST]
    holds = ((s[axle + _FRICTION] & 0xFFFF ^ 0x8000) - 0x8000) * sign
    if holds < 0:
        holds = 0
    # Motor and wheels have to agree; one tells its swing where the tyres grip, the other where they slide
    slips = (turn - road) * sign
    if (wheel - road) * sign < slips:
        slips = (wheel - road) * sign
    at = old[_AT] + _DEPTH
    change = ((s[_ROAD_STEP] & 0xFFFF ^ 0x8000) - 0x8000) * sign
    jump = 0  # as no tyre can push
    if slips > cal[_LEAST] * 256 and (turn - old[of + _TURNS + (at - 2) % _DEPTH]) * sign > cal[_JUMP] * 256:
        jump = 1

    if most >= _FREE:
        begin = cal[_BEGIN] * 256
        if not jump and begin < slip_most * 3 // 2:
            begin = slip_most * 3 // 2
        if slips < begin:
            return
        quiet = _GRIPS
        most = command
    if quiet >= _GRIPS and (slips > slip_most or jump):
        quiet = 0
        # Wheels that come on as no car does tell of another road, and not at which torque they break away on it
        came = (turn - old[of + _TURNS + at % _DEPTH]) * sign - change * (_DEPTH - 1)
        if came > cal[_CAME] * 256:
            old[of + _BROKE] = 0
        elif old[of + _BROKE] < most:
            old[of + _BROKE] = most
    broke = old[of + _BROKE]
    quiet += 1
    if quiet <= _GRIPS:
        # It slides. The mean with half a swing ago is free of the swing
        slow = ((turn + old[of + _TURNS + (at - 1 - _HALF_SWING) % _DEPTH]) // 2 - road) * sign
        slow += change * _HALF_SWING // 2
        # The longer it slides, the nearer to the road
        slow -= slip_most * (_GRIPS - quiet) // (2 * _GRIPS)
        most = holds + (change - slow // cal[_BACK]) * cal[_INERTIA] // _PER_RPM
        if jump:
            quiet = 0
            old[of + _BROKE] = 0
            if most > holds // 2:
                most = holds // 2
        elif not broke and quiet > _DEPTH:
            old[of + _BROKE] = holds + 1
        elif broke and (holds < cal[_LEAST_GRIP] or holds * 1000 < broke * cal[_UNHELD]):
            # Wheels that hardly anything holds do not slip: the car is faster than it was thought
            if slips < slip_most * 2:
                quiet = _GRIPS
            else:
                slips = slip_most * 2
            s[_ROAD] = road + slips * sign
            s[_REST] = ((s[_REST] & 0xFFFF ^ 0x8000) - 0x8000) + cal[_FASTER] * cal[_RATIO] * 9 // _MMPS2 * sign
        elif slips < slip_most * cal[_REGRIP] // 100:
            quiet = _GRIPS
            # A little less than what they hold: if they still slide, they come on
            if most > holds * cal[_AFTER] // 1000:
                most = holds * cal[_AFTER] // 1000
            if not broke:
                old[of + _BROKE] = holds
        if most < 0:
            most = 0
    elif most * 1000 < broke * (1000 - cal[_RETRY]):
        most += 1 + broke // cal[_REGAIN]
    else:
        climb = cal[_CLIMB]
        quiet -= _GRIPS
        most += 1 + most * quiet // climb * quiet // (climb * climb)
        quiet += _GRIPS
    s[axle + _QUIET] = quiet
    if command > most:
        command = most
        s[_REASON] = _SLIP
    s[axle + _GRIP] = most if most < cal[_FULL] else _FREE
    s[axle + _COMMAND] = command * sign * motion


@micropython.viper
def step(signals, received, calibration, memory):
    """Once a tick, after the slew."""
    s = ptr32(signals)
    rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    # Near standstill motors swing through zero
    motion = -1 if rpm < -64 or (rpm < 64 and direction < 0) else 1
    friction(signals, received, calibration, memory, motion)
    over_ground(signals, received, calibration, memory, motion)
    grip(signals, calibration, memory, 0, motion)
    grip(signals, calibration, memory, 1, motion)

    front = ((s[_COMMAND] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    rear = ((s[_COMMAND + 1] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    # The split keeps to the grip that was found (SP-04), so nothing may be left to take away: it binds all the same
    if not s[_REASON] and (s[_GRIP] < _FREE or s[_GRIP + 1] < _FREE):
        wish = ((s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000) * motion
        if 0 < front + rear < wish or wish < front + rear < 0:
            s[_REASON] = _SLIP

    # SP-05: what the front axle had to give up does not leave the rear one braking alone
    if rear < 0:
        front = 0 - front if front < 0 else 0
        most = int(regen_most_rear(calibration, front))
        if 0 - rear > most:
            s[_COMMAND + 1] = (0 - most) * motion


past = array("i", bytes(4 * (1 + 2 * _OF_REAR)))

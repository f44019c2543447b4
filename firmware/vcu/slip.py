"""Slip control (SP-06): may lower an axle's torque at once, never raise it.

Both axles are driven, so no wheel tells the speed over ground. It is carried on by the middle one of three
accelerations (sensor, what grips, wheels), and follows the wheels where nothing slips: one sensor that lies neither
causes nor hides slip. The grip of an axle is what its torque leaves after turning motor and wheels up. From it the
torque follows that brings the axle to the slip where a tyre grips best: no integral, so nothing can wind up.

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

_RATIO = const(305)  # cal: vehicle.rpm_per_100kmh [100kmh]
_PER_G = const(274)  # cal: split.torque_per_g_dnm [dnm]
_INERTIA = const(284)  # cal: slip.inertia_dnm [dnm]
_ROLLING = const(285)  # cal: slip.rolling_dnm [dnm]
_BEYOND = const(286)  # cal: slip.beyond_mmps2 [mmps2]
_DOUBT = const(287)  # cal: slip.doubt_mmps2 [mmps2]
_LEAST_GRIP = const(288)  # cal: slip.least_grip_dnm [dnm]
_FOLLOW = const(289)  # cal: slip.follow_mmps2 [mmps2]
_LEAST = const(290)  # cal: slip.target_least_rpm [rpm]
_TARGET = const(291)  # cal: slip.target_e4 [e4]
_TARGET_GRIP = const(292)  # cal: slip.target_at_full_grip_e4 [e4]
_BEGIN = const(293)  # cal: slip.begin_rpm [rpm]
_JUMP = const(294)  # cal: slip.begin_jump_rpm [rpm]
_BACK = const(295)  # cal: slip.back_ticks [ticks]
_FLOOR = const(296)  # cal: slip.floor_dnm [dnm]
_END = const(297)  # cal: slip.end_ticks [ticks]
_FULL = const(302)  # cal: motor.torque_max_dnm [dnm]

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
_SWINGS = const(109)  # sig: turns_swing
_MEAN = const(101)  # sig: front_mean_turn The rear one follows

# In `past`: where the next values go; six speeds and six torques (0 Nm is 2**15) of the front axle; of the rear one
_AT = const(0)
_TURNS = const(1)
_TORQUES = const(7)
_FREE = const(10_000)  # more than any motor gives
_DEPTH = const(6)  # ticks: one swing of an axle on its shafts when its wheels slide
_HALF_SWING = const(3)
_PER_RPM = const(256 * 100)  # inertia is told for 100 rpm a tick
_MMPS2 = const(100_000)
_SLACK = const(300)  # the swing's part in one tick
_ZERO = const(0x8000)


@micropython.viper
def friction(s: ptr32, rx: ptr32, cal: ptr32, old: ptr32, motion: int) -> int:
    """What the tyres of each axle take up (signal `friction`), and the axles' mean change of speed in a tick."""
    inertia = cal[_INERTIA]
    at = old[_AT]
    change = 0
    axle = 0
    while axle < 2:
        of = axle * 2 * _DEPTH
        torque = (rx[_TORQUE + axle * (_REAR_TORQUE - _TORQUE)] & 0xFFFF ^ 0x8000) - 0x8000
        torque *= motion
        turn = s[axle + _TURN]
        before = old[of + _TURNS + (at + _DEPTH - 1) % _DEPTH]
        rise = turn - old[of + _TURNS + at]
        old[of + _TURNS + at] = turn
        old[of + _TORQUES + at] = torque + _ZERO
        change += rise
        mean = 0
        turn = 0
        i = 0
        while i < _DEPTH:
            turn += old[of + _TURNS + i]
            mean += old[of + _TORQUES + i]
            i += 1
        mean = mean // _DEPTH - _ZERO - rise // 64 * inertia // (_DEPTH * _PER_RPM // 64)
        # Grip that is lost shows at once in the last tick
        rise = (s[axle + _TURN] - before) // 256
        s[axle + _MEAN] = turn // _DEPTH
        most = torque - rise * inertia // 100
        if torque > 0:
            most = most + _SLACK if most + _SLACK > 0 else 0
            if mean > most:
                mean = most
        else:
            most = most - _SLACK if most < _SLACK else 0
            if mean < most:
                mean = most
        s[axle + _FRICTION] = mean
        axle += 1
    old[_AT] = (at + 1) % _DEPTH
    return change // (2 * _DEPTH)


@micropython.viper
def over_ground(s: ptr32, rx: ptr32, cal: ptr32, motion: int, wheels: int):
    """Carries the speed over ground on by one tick; `wheels`: the axles' mean change of speed."""
    # The car's acceleration from the forces on its tyres, and from the sensor; then the middle of three
    front = (s[_FRICTION] & 0xFFFF ^ 0x8000) - 0x8000
    rear = (s[_FRICTION + 1] & 0xFFFF ^ 0x8000) - 0x8000
    least_grip = 0 - front if front < 0 else front
    if 0 - least_grip < rear < least_grip:
        least_grip = 0 - rear if rear < 0 else rear
    ratio = cal[_RATIO]
    per_mmps2 = ratio * 9
    pushed = (front + rear - cal[_ROLLING]) * 981 // cal[_PER_G] * ratio // 1085
    felt = pushed
    if not s[_LATE] & _MOTION_LATE:
        felt = ((rx[_ACCEL] & 0xFFFF ^ 0x8000) - 0x8000) * motion * ratio // 1085
    doubt = cal[_DOUBT] * per_mmps2 // _MMPS2
    low = felt
    high = pushed
    if low > high:
        low = pushed
        high = felt
    change = low if wheels < low else high if wheels > high else wheels
    # No more than the torque can do: wheels that slip may agree with a sensor that lies.
    # What flows counts, not what is asked for: after the pedal is released the wheels still drive for a while
    drives = (s[_COMMAND] & 0xFFFF ^ 0x8000) - 0x8000
    drives = (drives + ((s[_COMMAND + 1] & 0xFFFF ^ 0x8000) - 0x8000)) * motion
    asked = drives * 981 // cal[_PER_G] * ratio // 1085
    if not drives:
        drives = ((s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    beyond = cal[_BEYOND] * per_mmps2 // _MMPS2
    if drives > 0:
        if asked < pushed:
            asked = pushed
        if change > asked + beyond:
            change = asked + beyond
    elif drives < 0 and not s[_BRAKE]:
        if asked > pushed:
            asked = pushed
        if change < asked - beyond:
            change = asked - beyond
    s[_ROAD_STEP] = change

    road = s[_ROAD] + change
    # The mean of six ticks is free of the swing, and half as old
    late = change * (_DEPTH - 1) // 2
    front = s[_MEAN] + late
    rear = s[_MEAN + 1] + late
    # Driven wheels are never slower than the car, braked ones never faster
    nearest = front
    if (rear < front and drives > 0) or (rear > front and drives <= 0):
        nearest = rear
    apart = nearest - road
    most = cal[_FOLLOW] * per_mmps2 // _MMPS2
    if (apart < 0 and drives > 0) or (apart > 0 and drives <= 0):
        most *= 3
    else:
        # Where both slip nothing is to be followed; but wheels that nothing holds do not slip, nor those that are close
        near = cal[_LEAST] * 128
        slips = 1 if s[_GRIP] < _FREE and s[_GRIP + 1] < _FREE and least_grip >= cal[_LEAST_GRIP] else 0
        if (drives > 0 and felt < pushed - doubt) or (drives < 0 and felt > pushed + doubt):
            slips = 0  # a sensor that tells less than the tyres push must not hold the car for ever
        if slips and (apart > near or apart < 0 - near):
            apart = 0
        apart //= 16
    road += most if apart > most else 0 - most if apart < 0 - most else apart
    if not s[_DRIVING]:
        road = nearest
    s[_ROAD] = road if road > 0 else 0


@micropython.viper
def grip(s: ptr32, cal: ptr32, old: ptr32, axle: int, motion: int):
    """Lowers the command of one axle while it slips."""
    wish = ((s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    sign = 1 if wish > 0 else -1
    command = ((s[axle + _COMMAND] & 0xFFFF ^ 0x8000) - 0x8000) * motion * sign
    most = s[axle + _GRIP]
    if not wish or command < 0:
        s[axle + _GRIP] = _FREE
        return
    road = s[_ROAD]
    change = (s[_ROAD_STEP] & 0xFFFF ^ 0x8000) - 0x8000
    turn = s[axle + _TURN]
    holds = ((s[axle + _FRICTION] & 0xFFFF ^ 0x8000) - 0x8000) * sign
    if holds < 0:
        holds = 0

    # A tyre grips best at a slip that grows with the grip there is
    target = road // 16 * (cal[_TARGET] + cal[_TARGET_GRIP] * holds // cal[_FULL]) // 625
    least = cal[_LEAST] * 256
    if s[_SWINGS]:
        least *= 4  # the motor's swing is not slip
    if target < least:
        target = least
    slips = (turn - road) * sign
    if most >= _FREE:
        begin = cal[_BEGIN] * 256
        newest = axle * 2 * _DEPTH + _TURNS + (old[_AT] + _DEPTH - 2) % _DEPTH
        if begin < target * 3 // 2 and (turn - old[newest]) * sign < cal[_JUMP] * 256:
            begin = target * 3 // 2
        if slips < begin:
            return
        s[axle + _QUIET] = 0
    # The mean with half a swing ago is free of the swing
    half_ago = old[axle * 2 * _DEPTH + _TURNS + (old[_AT] + _DEPTH - 1 - _HALF_SWING) % _DEPTH]
    slow = ((turn + half_ago) // 2 - road + change * _HALF_SWING // 2) * sign
    wanted = change * sign + (target - slow) // cal[_BACK]
    most = holds + wanted * cal[_INERTIA] // _PER_RPM
    if most < cal[_FLOOR]:
        most = cal[_FLOOR]
    quiet = s[axle + _QUIET] + 1
    if command > most:
        command = most
        quiet = 0
        s[_REASON] = _SLIP
    elif slips > target:
        quiet = 0
    if quiet > cal[_END] or most >= _FREE:
        most = _FREE
    s[axle + _QUIET] = quiet
    s[axle + _GRIP] = most
    s[axle + _COMMAND] = command * sign * motion


@micropython.viper
def step(signals, received, calibration, memory):
    """Once a tick, after the slew."""
    s = ptr32(signals)
    rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    motion = -1 if rpm < 0 or (not rpm and direction < 0) else 1
    wheels = int(friction(signals, received, calibration, memory, motion))
    over_ground(signals, received, calibration, motion, wheels)
    grip(signals, calibration, memory, 0, motion)
    grip(signals, calibration, memory, 1, motion)

    # SP-05: what the front axle had to give up does not leave the rear one braking alone
    front = ((s[_COMMAND] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    rear = ((s[_COMMAND + 1] & 0xFFFF ^ 0x8000) - 0x8000) * motion
    if rear < 0:
        front = 0 - front if front < 0 else 0
        most = int(regen_most_rear(calibration, front))
        if 0 - rear > most:
            s[_COMMAND + 1] = (0 - most) * motion


past = array("i", bytes(4 * (1 + 4 * _DEPTH)))

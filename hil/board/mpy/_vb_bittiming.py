# Bit timing of the virtual board's CAN controller, as extmod/machine_can.c finds it.
from micropython import const

_F_CLOCK = const(42_000_000)  # PCLK1 of the Pyboard v1.1


def calculate_brp(bitrate, tseg1, tseg2, sample_point):
    # As extmod/machine_can.c searches: least bit rate error, then sample point, then the shorter quantum.
    find = tseg1 == -1
    best = 1
    best_rate = bitrate
    best_sample = 10000
    for brp in range(1024, 0, -1):
        clock = _F_CLOCK // brp
        if find:
            total = (clock + bitrate // 2) // bitrate
            if total < 3 or total > 25:
                continue
            rate = abs(bitrate - clock // total)
            if rate > best_rate:
                continue
            for ts1 in range(1, 17):
                ts2 = total - 1 - ts1
                if 1 <= ts2 <= 8:
                    sample = abs(10000 * (1 + ts1) // total - sample_point * 100)
                    if rate < best_rate or sample <= best_sample:
                        tseg1 = ts1
                        tseg2 = ts2
                        best_sample = sample
                        best = brp
                        best_rate = rate
        else:
            rate = abs(bitrate - clock // (tseg1 + tseg2 + 1))
            if rate <= best_rate:
                best = brp
                best_rate = rate
    if best_rate == bitrate:
        raise ValueError("unable to calculate BRP for baudrate")
    return best, tseg1, tseg2


def bitrate_of(brp, tseg1, tseg2):
    return _F_CLOCK // brp // (1 + tseg1 + tseg2)

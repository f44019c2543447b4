# Facts on the constructor, bit timing, filters, counters, states. Loopback: needs nothing but the board.
import time
from machine import CAN


def check(name, ok, seen=""):
    print("PASS " + name if ok else "FAIL %s: %s" % (name, seen))


def raises(kind, function, *arguments, **keywords):
    try:
        function(*arguments, **keywords)
    except kind:
        return True
    except Exception as error:
        print("# got", repr(error))
    return False


DATA = b"12345678"
LOOP = CAN.MODE_LOOPBACK

check("modes", (CAN.MODE_NORMAL, CAN.MODE_SLEEP, LOOP, CAN.MODE_SILENT, CAN.MODE_SILENT_LOOPBACK) == (0, 1, 2, 3, 4))
states = (CAN.STATE_STOPPED, CAN.STATE_ACTIVE, CAN.STATE_WARNING, CAN.STATE_PASSIVE, CAN.STATE_BUS_OFF)
check("states", states == (0, 1, 2, 3, 4), states)
check("message_flags", (CAN.FLAG_RTR, CAN.FLAG_EXT_ID, CAN.FLAG_UNORDERED) == (1, 2, 16))
check("receive_errors", (CAN.RECV_ERR_FULL, CAN.RECV_ERR_OVERRUN) == (1, 2))
check("irq_bits", (CAN.IRQ_TX, CAN.IRQ_RX, CAN.IRQ_TX_FAILED, CAN.IRQ_STATE) == (1, 2, 4, 8))
check("irq_index_field", (CAN.IRQ_TX_IDX_SHIFT, CAN.IRQ_TX_IDX_MASK) == (16, 0xFF))
check("queue_and_filters", (CAN.TX_QUEUE_LEN, CAN.FILTERS_MAX) == (3, 14))

check("unknown_controller_raises_value_error", raises(ValueError, CAN, 9, 500_000))
check("unknown_name_raises_value_error", raises(ValueError, CAN, "YZ", 500_000))
check("bit_rate_is_required", raises(TypeError, CAN, 1))
check("unknown_mode_raises_value_error", raises(ValueError, CAN, 1, 500_000, mode=5))
check("sjw_past_4_raises_value_error", raises(ValueError, CAN, 1, 500_000, sjw=5))
check("tseg1_alone_raises_value_error", raises(ValueError, CAN, 1, 500_000, tseg1=5))
check("tseg2_past_8_raises_value_error", raises(ValueError, CAN, 1, 500_000, tseg1=8, tseg2=9))
check("sample_point_100_raises_value_error", raises(ValueError, CAN, 1, 500_000, sample_point=100))
check("bit_rate_out_of_reach_raises_value_error", raises(ValueError, CAN, 1, 42_000_000))

can = CAN(1, 500_000, mode=LOOP)
check("state_is_active_after_init", can.state() == CAN.STATE_ACTIVE, can.state())
check("one_object_a_controller", CAN("YA", 500_000, mode=LOOP) is can)
timings = can.get_timings()
check("timing_of_500_kbit", timings == [500_000, 1, 8, 3, None, None], timings)
given = [None] * 6
check("get_timings_returns_the_same_list", can.get_timings(given) is given)
text = repr(can)
check("repr", text == "CAN(1, bitrate=500000, mode=CAN.MODE_LOOPBACK, sjw=1, tseg1=8, tseg2=3, f_clock=42000000)", text)
can.init(500_000, mode=LOOP, tseg1=11, tseg2=2)
timings = can.get_timings()
check("given_tseg_is_used", timings[:4] == [500_000, 1, 11, 2], timings)


def received(filters, can_id, flags=0):
    can.set_filters(filters)
    can.send(can_id, DATA, flags)
    time.sleep_ms(1)
    found = can.get_counters()[6]
    while can.get_counters()[6]:
        can.recv()
    return found == 1


EXT = CAN.FLAG_EXT_ID
check("filter_passes_its_id", received([(0x123, 0x7FF, 0)], 0x123))
check("filter_stops_other_ids", not received([(0x123, 0x7FF, 0)], 0x122))
check("mask_leaves_bits_open", received([(0x120, 0x7F0, 0)], 0x12F))
check("standard_filter_stops_extended", not received([(0x123, 0x7FF, 0)], 0x123, EXT))
check("extended_filter_passes_its_id", received([(0x12345, 0x1FFFFFFF, EXT)], 0x12345, EXT))
check("extended_filter_stops_standard", not received([(0x123, 0x1FFFFFFF, EXT)], 0x123))
check("empty_list_stops_all", not received([], 0x123))
many = [(0x100 + i, 0x7FF, 0) for i in range(14)]
check("fourteen_filters", received(many, 0x10D))
check("fifteenth_filter_raises_value_error", raises(ValueError, can.set_filters, many + [(0x200, 0x7FF, 0)]))
check("filter_flag_rtr_raises_value_error", raises(ValueError, can.set_filters, [(1, 1, CAN.FLAG_RTR)]))
check("filter_id_out_of_range_raises_value_error", raises(ValueError, can.set_filters, [(0x800, 0x7FF, 0)]))
check("filter_mask_out_of_range_raises_value_error", raises(ValueError, can.set_filters, [(0, 0x800, 0)]))
check("filter_of_two_items_raises_value_error", raises(ValueError, can.set_filters, [(1, 1)]))

can.set_filters(None)
given = [9] * 8
check("get_counters_returns_the_same_list", can.get_counters(given) is given)
check("counters_start_at_zero", given == [0] * 8, given)
for can_id in (0x100, 0x101, 0x102, 0x103):
    can.send(can_id, DATA)
pending = can.get_counters()[5]
time.sleep_ms(2)
after = can.get_counters()
check("counter_5_is_tx_pending", pending >= 2, pending)
check("counter_6_is_rx_pending", after[6] == 3, after)
can.recv()
can.send(0x110, DATA)
can.send(0x111, DATA)
time.sleep_ms(2)
before = can.get_counters()
can.restart()
after = can.get_counters()
check("counter_7_is_overruns", before[7] == 1, before)
check("restart_clears_overruns", after[7] == 0, after)
check("restart_keeps_received_frames", after[6] == 3, after)
can.send(0x300, DATA)
can.send(0x301, DATA)
can.send(0x302, DATA)
can.restart()
pending = can.get_counters()[5]
check("restart_drops_queued_frames", pending == 0, pending)
check("short_list_of_counters_raises_value_error", raises(ValueError, can.get_counters, [0] * 7))
can.deinit()
check("state_is_stopped_after_deinit", can.state() == CAN.STATE_STOPPED, can.state())
check("get_counters_after_deinit_raises_os_error", raises(OSError, can.get_counters))
can.init(500_000, mode=LOOP)
can.send(0x100, DATA)
time.sleep_ms(1)
check("init_forgets_the_filters", can.get_counters()[6] == 0, can.get_counters())
can.deinit()

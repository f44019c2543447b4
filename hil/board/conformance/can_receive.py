# Facts on machine.CAN.recv(), the receive FIFOs and their interrupt. Loopback: needs nothing but the board.
import micropython
import time
from machine import CAN


def check(name, ok, seen=""):
    print("PASS " + name if ok else "FAIL %s: %s" % (name, seen))


def raises(kind, function, *arguments):
    try:
        function(*arguments)
    except kind:
        return True
    except Exception as error:
        print("# got", repr(error))
    return False


DATA = b"12345678"
can = CAN(1, 500_000, mode=CAN.MODE_LOOPBACK)
FIFO0 = ((0x100, 0x700, 0),)  # filters with even numbers lead to FIFO 0, odd ones to FIFO 1
BOTH = ((0x100, 0x700, 0), (0x200, 0x700, 0))


def send(*ids, data=DATA, flags=0):
    for can_id in ids:
        can.send(can_id, data, flags)
        time.sleep_ms(1)


def waiting():
    return can.get_counters()[6]


def drain():
    while waiting():
        can.recv()


send(0x100)
check("nothing_passes_before_set_filters", waiting() == 0, waiting())
can.set_filters(None)
send(0x100)
send(0x12345, flags=CAN.FLAG_EXT_ID)
check("none_accepts_standard_and_extended", waiting() == 2, waiting())
drain()
can.set_filters(FIFO0)

buffer = bytearray(16)
message = [0, memoryview(buffer), 0, 0]
send(0x123, data=b"abc")
result = can.recv(message)
check("recv_returns_the_same_list", result is message)
check("recv_fills_the_list", message[0] == 0x123 and message[2] == 0 and message[3] == 0, message)
check("recv_sets_the_length_of_the_memoryview", len(message[1]) == 3 and bytes(message[1]) == b"abc", bytes(message[1]))
send(0x124, data=b"12345678")
can.recv(message)
check("recv_lengthens_the_memoryview_again", bytes(message[1]) == b"12345678", bytes(message[1]))
send(0x125)
half = [0, memoryview(buffer)[8:], 0, 0]
buffer[0] = 0
can.recv(half)
check("recv_writes_to_the_start_of_what_a_slice_refers_to", buffer[0] == DATA[0], bytes(buffer))
send(0x126)
result = can.recv()
check("recv_without_list_makes_one", result[0] == 0x126 and bytes(result[1]) == DATA, result)
send(0x127, data=b"1234", flags=CAN.FLAG_RTR)
result = can.recv()
check("remote_frame_reads_as_zeros", result[2] == CAN.FLAG_RTR and bytes(result[1]) == bytes(4), result)


def without_heap():
    micropython.heap_lock()
    try:
        return can.recv(message) is message
    except MemoryError:
        return False
    finally:
        micropython.heap_unlock()


send(0x128)
check("recv_with_list_allocates_nothing", without_heap())
check("recv_of_a_tuple_raises_type_error", raises(TypeError, can.recv, (0, message[1], 0, 0)))
check("recv_of_a_short_list_raises_value_error", raises(ValueError, can.recv, [0, message[1], 0]))
check("recv_without_memoryview_raises_type_error", raises(TypeError, can.recv, [0, bytearray(8), 0, 0]))

start = time.ticks_us()
result = can.recv(message)
took_us = time.ticks_diff(time.ticks_us(), start)
check("empty_recv_gives_none", result is None, result)
time.sleep_us(100)
start = time.ticks_us()
for _ in range(8):
    can.recv(message)
took_us = time.ticks_diff(time.ticks_us(), start) // 8
check("empty_recv_blocks_1_to_2_ms", 1000 <= took_us <= 2100, took_us)

can.set_filters(BOTH)
start = time.ticks_us()
for _ in range(8):
    can.send(0x200, DATA)
    time.sleep_us(400)
    can.recv(message)
took_us = time.ticks_diff(time.ticks_us(), start) // 8
check("frame_in_fifo_1_waits_for_an_interrupt_in_recv", 900 <= took_us <= 1600, took_us)
drain()
send(0x200, 0x100)
first = can.recv(message)[0]
check("fifo_0_is_read_first", first == 0x100, first)
drain()

can.set_filters(FIFO0)
can.restart()
send(0x101, 0x102, 0x103)
check("fifo_holds_three", waiting() == 3, waiting())
send(0x104, 0x105)
check("fifo_holds_no_more_than_three", waiting() == 3, waiting())
ids = [can.recv(message)[0] for _ in range(3)]
check("overrun_overwrites_the_newest", ids == [0x101, 0x102, 0x105], ids)

can = CAN(1, 500_000, mode=CAN.MODE_LOOPBACK)
can.set_filters(FIFO0)
can.irq(None, trigger=CAN.IRQ_RX)
send(0x101, 0x102, 0x103)
errors = [can.recv(message)[3] for _ in range(3)]
check("full_fifo_is_told_with_the_next_frame", errors == [CAN.RECV_ERR_FULL, 0, 0], errors)
send(0x101, 0x102, 0x103, 0x104, 0x105)
overruns = can.get_counters()[7]
errors = [can.recv(message)[3] for _ in range(3)]
check("overrun_is_told_with_the_next_frame", errors[0] & CAN.RECV_ERR_OVERRUN, errors)
check("overruns_are_counted_once_until_a_recv", overruns == 1, overruns)

calls = [0, 0]


def on_receive(c):
    calls[0] += 1
    if c is can:
        calls[1] += 1


can.irq(on_receive, trigger=CAN.IRQ_RX, hard=True)
send(0x101, 0x102)
check("rx_interrupt_is_masked_until_a_recv", calls[0] == 1, calls)
check("handler_gets_the_can_object", calls[1] == calls[0], calls)
can.recv(message)
check("rx_interrupt_comes_again_for_a_frame_still_waiting", calls[0] == 2, calls)
flags = can.irq().flags()
check("flags_show_a_waiting_frame", flags == CAN.IRQ_RX, flags)
can.recv(message)
flags = can.irq().flags()
check("flags_are_0_when_all_is_read", flags == 0, flags)

calls[0] = calls[1] = 0
flags = can.irq().flags


def reads_at_once(c):
    calls[0] += 1
    if flags() == CAN.IRQ_RX and c.recv(message) is message:
        calls[1] += 1


can.irq(reads_at_once, trigger=CAN.IRQ_RX, hard=True)
for _ in range(50):
    can.send(0x101, DATA)
    can.send(0x102, DATA)
    can.send(0x103, DATA)
    time.sleep_ms(2)
check("rx_interrupt_comes_once_for_each_frame_and_only_with_one_there", calls == [150, 150], calls)

seen = []
seen_in_handler = [0]


def hard_handler(c):
    try:
        seen.append(bytearray(64))
    except MemoryError:
        seen_in_handler[0] = 1
    c.recv(message)


can.irq(hard_handler, trigger=CAN.IRQ_RX, hard=True)
send(0x101)
check("hard_handler_cannot_allocate", seen_in_handler[0] == 1)


def soft_handler(c):
    while c.irq().flags() & CAN.IRQ_RX:
        seen.append(bytes(c.recv(message)[1]))


seen.clear()
can.irq(soft_handler, trigger=CAN.IRQ_RX, hard=False)
send(0x101)
check("soft_handler_can_allocate", seen == [DATA], seen)


def broken(c):
    raise ValueError("on purpose")


can.irq(broken, trigger=CAN.IRQ_RX, hard=True)
send(0x101)
drain()
triggers = can.irq().trigger()
check("exception_in_a_hard_handler_switches_it_off", triggers == 0, triggers)
check("unknown_trigger_raises_value_error", raises(ValueError, can.irq, on_receive, 0x40))
check("handler_that_cannot_be_called_raises_value_error", raises(ValueError, can.irq, 5, CAN.IRQ_RX))
can.deinit()
check("recv_after_deinit_raises_os_error", raises(OSError, can.recv, message))

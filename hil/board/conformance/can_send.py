# Facts on machine.CAN.send() and cancel_send(). Loopback: needs nothing but the board.
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


def settle():
    time.sleep_ms(3)


def sends(*ids):
    return [can.send(can_id, DATA) for can_id in ids]


seen = sends(0x300, 0x301, 0x302, 0x303)
check("send_gives_mailbox_0_to_2_then_none", seen == [0, 1, 2, None], seen)
settle()
seen = sends(0x300)
check("slot_is_free_after_transmission", seen == [0], seen)
settle()

seen = sends(0x300, 0x300)
check("same_id_pending_gives_none", seen == [0, None], seen)
settle()
seen = [can.send(0x300, DATA), can.send(0x300, DATA, CAN.FLAG_UNORDERED)]
check("unordered_queues_the_same_id", seen == [0, 1], seen)
settle()
seen = [can.send(0x300, DATA), can.send(0x300, DATA, CAN.FLAG_EXT_ID)]
check("equal_standard_and_extended_number_count_as_the_same_id", seen == [0, None], seen)
settle()

check("nine_bytes_raise_overflow_error", raises(OverflowError, can.send, 0x300, b"123456789"))
check("id_past_11_bits_raises_value_error", raises(ValueError, can.send, 0x800, DATA))
check("negative_id_raises_value_error", raises(ValueError, can.send, -1, DATA))
check("id_past_29_bits_raises_value_error", raises(ValueError, can.send, 1 << 29, DATA, CAN.FLAG_EXT_ID))
seen = can.send(1 << 28, DATA, CAN.FLAG_EXT_ID)
check("extended_id_of_29_bits_is_sent", seen == 0, seen)
settle()
check("data_without_buffer_raises_type_error", raises(TypeError, can.send, 0x300, [1, 2]))
settle()

buffer = bytearray(DATA)
view = memoryview(buffer)


def without_heap():
    micropython.heap_lock()
    try:
        can.send(0x310, buffer)
        can.send(0x311, view)
        can.send(0x312, DATA)
        can.send(0x313, DATA)
        return True
    except MemoryError:
        return False
    finally:
        micropython.heap_unlock()


check("send_allocates_nothing", without_heap())
settle()

# A slot stays taken until flags() tells of its end when IRQ_TX is a trigger and the handler does not ask.
calls = []


def deaf(c):
    calls.append(1)


def ask(c):
    while True:
        flags = c.irq().flags()
        if not flags:
            break
        calls.append(flags)


can.irq(deaf, trigger=CAN.IRQ_TX)
can.send(0x300, DATA)
settle()
seen = sends(0x300)
check("with_irq_tx_the_slot_waits_for_flags", seen == [None], seen)
flags = can.irq().flags()
check("flags_tell_mailbox_and_success", flags == CAN.IRQ_TX, flags)
seen = sends(0x300)
check("flags_free_the_slot", seen == [0], seen)
settle()
can.irq().flags()
calls.clear()
can.irq(ask, trigger=CAN.IRQ_TX)
sends(0x301, 0x302, 0x303)
settle()
indexes = sorted(flags >> CAN.IRQ_TX_IDX_SHIFT & CAN.IRQ_TX_IDX_MASK for flags in calls)
check("irq_tx_reports_each_mailbox", indexes == [0, 1, 2], calls)
can.irq(None, trigger=0)

index = can.send(0x300, DATA)
settle()
check("cancel_of_an_empty_mailbox_is_false", can.cancel_send(index) is False)
check("cancel_past_mailbox_2_raises_index_error", raises(IndexError, can.cancel_send, 3))
sends(0x300, 0x301, 0x302)
cancelled = can.cancel_send(2)
settle()
check("cancel_of_a_waiting_frame_is_true", cancelled is True)
seen = sends(0x302)
check("cancelled_slot_is_free", seen == [0], seen)
settle()

# By identifier, not by order of sending: received in the order of the ids.
can.set_filters(None)
order = []
sends(0x305, 0x304, 0x303)
settle()
while can.irq().flags() & CAN.IRQ_RX or can.get_counters()[6]:
    order.append(can.recv()[0])
# The first was alone when its transmission began.
check("lowest_id_goes_first", order == [0x305, 0x303, 0x304] or order == [0x303, 0x304, 0x305], order)

can.deinit()
check("send_after_deinit_raises_os_error", raises(OSError, can.send, 0x300, DATA))

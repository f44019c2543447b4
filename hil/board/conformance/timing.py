# Facts on time, soft timers, the scheduler and idle(). Needs nothing but the board.
import gc
import micropython
import time
from machine import Pin, Timer, disable_irq, enable_irq, freq, idle, unique_id


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


check("ticks_wrap_at_2_to_the_30", time.ticks_add(0, -1) == 0x3FFFFFFF, time.ticks_add(0, -1))
check("ticks_diff_across_the_wrap", time.ticks_diff(5, 0x3FFFFFFB) == 10, time.ticks_diff(5, 0x3FFFFFFB))
start = time.ticks_us()
time.sleep_us(500)
took = time.ticks_diff(time.ticks_us(), start)
check("sleep_us", 500 <= took <= 700, took)
start = time.ticks_us()
time.sleep_ms(20)
took = time.ticks_diff(time.ticks_us(), start)
check("sleep_ms_counts_systicks", 19_000 <= took <= 20_100, took)
start = time.ticks_us()
count = 0
while time.ticks_diff(time.ticks_us(), start) < 1000:
    count += 1
check("busy_wait_ends", count > 5, count)
start = time.ticks_us()
gc.collect()
took = time.ticks_diff(time.ticks_us(), start)
check("gc_collect_takes_milliseconds", 500 <= took <= 12_000, took)
start = time.ticks_us()
for _ in range(20):
    idle()
took = time.ticks_diff(time.ticks_us(), start)
check("idle_ends_with_the_systick", 5_000 <= took <= 20_500, took)

check("hardware_timer_id_raises_value_error", raises(ValueError, Timer, 3))
times = []


def note(timer):
    times.append(time.ticks_ms())


timer = Timer(-1, mode=Timer.PERIODIC, period=10, callback=note)
time.sleep_ms(55)
timer.deinit()
steps = [b - a for a, b in zip(times, times[1:])]
check("periodic_timer_keeps_its_period", len(times) == 5 and all(step == 10 for step in steps), times)
times.clear()
timer.init(mode=Timer.ONE_SHOT, period=5, callback=note)
time.sleep_ms(30)
check("one_shot_timer_fires_once", len(times) == 1, times)
times.clear()
time.sleep_ms(20)
check("timer_is_off_after_deinit", not times, times)

hard = [0, 0]


def in_interrupt(timer):
    try:
        bytearray(64)
        hard[0] = 1
    except MemoryError:
        hard[1] = 1


timer = Timer(-1, mode=Timer.ONE_SHOT, period=5, callback=in_interrupt, hard=True)
time.sleep_ms(10)
check("hard_timer_callback_cannot_allocate", hard == [0, 1], hard)
hard[1] = 0
timer.init(mode=Timer.ONE_SHOT, period=5, callback=in_interrupt)
time.sleep_ms(10)
check("timer_callback_is_soft_by_default", hard == [1, 0], hard)

full = [0]
ran = [0]


def count_up(_):
    ran[0] += 1


def fill(timer):
    for _ in range(12):
        try:
            micropython.schedule(count_up, None)
        except RuntimeError:
            full[0] += 1


timer.init(mode=Timer.ONE_SHOT, period=5, callback=fill, hard=True)
time.sleep_ms(10)
check("schedule_queue_holds_eight", (ran[0], full[0]) == (8, 4), (ran, full))

times.clear()
timer.init(mode=Timer.ONE_SHOT, period=2, callback=note, hard=True)
state = disable_irq()
time.sleep_us(200)
masked = not times
enable_irq(state)
time.sleep_ms(5)
check("timer_waits_while_interrupts_are_off", masked and len(times) == 1, times)

check("clock", freq() == (168_000_000, 168_000_000, 42_000_000, 84_000_000), freq())
check("unique_id_has_12_bytes", len(unique_id()) == 12, unique_id())
led = Pin("LED_GREEN", Pin.OUT, value=0)
led.on()
check("pin_output_reads_back", led.value() == 1, led.value())
led.off()
check("pin_output_off", led() == 0, led())
check("one_object_a_pin", Pin("A14") is led)
check("unknown_pin_raises_value_error", raises(ValueError, Pin, "Z9"))

# With nothing connected to X2
pin = Pin("X2", Pin.IN, Pin.PULL_UP)
check("open_input_reads_its_pull_up", pin.value() == 1, pin.value())
pin.init(Pin.IN, Pin.PULL_DOWN)
check("open_input_reads_its_pull_down", pin.value() == 0, pin.value())
pin.on()
check("input_is_not_driven", pin.value() == 0, pin.value())
pin.init(Pin.OUT)
check("output_begins_with_what_was_written_before", pin.value() == 1, pin.value())
pin.init(Pin.IN)

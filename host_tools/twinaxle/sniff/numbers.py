"""Numbers for narrow columns."""


def age(seconds: float | None) -> str:
    """A time in at most 5 characters: `12ms`, `1.2s`, `47s`, `12m`, `5.0h`."""
    if seconds is None:
        return "-"
    seconds = max(seconds, 0.0)
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 99.5:
        return f"{seconds:.0f}s"
    if seconds < 5970:
        return f"{seconds / 60:.0f}m"
    return f"{seconds / 3600:.1f}h" if seconds < 359_640 else f"{seconds / 86400:.0f}d"


def milliseconds(seconds: float | None) -> str:
    """A time in ms in at most 6 characters."""
    if seconds is None:
        return "-"
    value = 1000 * seconds
    for limit, decimals in ((99.995, 2), (999.95, 1)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}" if abs(value) < 999_999.5 else f"{value:.0e}"


def count(number: int) -> str:
    """A count in at most 7 characters; above a million rounded down."""
    for limit, unit, letter in ((10_000_000, 1, ""), (10_000_000_000, 1000, "k")):
        if number < limit:
            return f"{number // unit}{letter}"
    return f"{number // 1_000_000}M"


def rate(frames_per_s: float) -> str:
    """Frames a second in at most 6 characters."""
    return f"{frames_per_s:.1f}" if frames_per_s < 999.95 else f"{frames_per_s:.0f}"


def clock(seconds: float) -> str:
    """A time as `12.3 s`, `3:07.4` or `1:02:03`."""
    tenths = round(10 * max(seconds, 0.0))
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(tenths, 600)
    if minutes < 60:
        return f"{minutes}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"

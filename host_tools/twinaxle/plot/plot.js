"use strict";
// Plots: a cursor that reads all values, zoom by dragging, double click to reset. Without script the page is whole.
// A plot with details (details.py) draws its lines anew from the samples when it zooms, least and greatest a pixel, and
// zooms with the wheel and keys too; a click sets a reference for the time under the cursor.
(() => {
  const make = (parent, tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return parent.appendChild(node);
  };
  const show = (node, on) => on ? node.removeAttribute("display") : node.setAttribute("display", "none");
  const shown = (value, decimals) => {
    const text = value.toFixed(decimals).replace("-", "\u2212");
    return /^\u22120(\.0*)?$/.test(text) ? text.slice(1) : text;
  };

  // A path of lines.py as stretches of points.
  const pointsOf = (path) => path.split("M").slice(1).map((part) => {
    const [head, tail] = part.split("l");
    const [x0, y0] = head.match(/-?\d+/g).map(Number), xs = [x0], ys = [y0];
    const steps = ((tail || "").match(/-?\d+/g) || []).map(Number);
    for (let i = 0, x = x0, y = y0; i + 1 < steps.length; i += 2) xs.push(x += steps[i]), ys.push(y += steps[i + 1]);
    return { xs, ys };
  });
  const heightAt = (stretches, x) => {
    for (const { xs, ys } of stretches) {
      if (x < xs[0] || x > xs[xs.length - 1]) continue;
      let low = 0, high = xs.length - 1;
      while (high - low > 1) { const mid = (low + high) >> 1; xs[mid] <= x ? low = mid : high = mid; }
      const share = xs[high] > xs[low] ? (x - xs[low]) / (xs[high] - xs[low]) : 0;
      return ys[low] + share * (ys[high] - ys[low]);
    }
    return NaN;
  };
  const timeStep = (span) => {
    const rough = span / 10, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough * (1 - 1e-9));
    return step < 50 ? step : [60, 120, 300, 600, 1200, 1800, 3600].find((s) => s >= rough) || step;
  };

  const kinds = { u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i16: Int16Array, u32: Uint32Array, i32: Int32Array,
    f64: Float64Array };
  const unpack = async (text, kind) => {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new DecompressionStream("deflate"), writer = stream.writable.getWriter();
    writer.write(packed).then(() => writer.close());
    const pieces = [];
    for (let reader = stream.readable.getReader(), got; !(got = await reader.read()).done;) pieces.push(got.value);
    const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
    let at = 0;
    for (const piece of pieces) { whole.set(piece, at); at += piece.length; }
    return new kinds[kind](whole.buffer);
  };
  // A detail as {t: places of the samples, v: values or states, ...}; places are counted in intervals.
  const readDetail = async (detail, period) => {
    const steps = await unpack(detail.t, detail.times), raw = await unpack(detail.v, detail.values);
    const t = new Float64Array(steps.length), v = detail.names ? raw : new Float64Array(raw.length);
    if (detail.times === "f64") for (let i = 0; i < t.length; i++) t[i] = steps[i] / period;
    else for (let i = 0, sum = 0; i < t.length; i++) t[i] = (sum += steps[i]) * 1e-6 / period;
    if (!detail.names) for (let i = 0; i < v.length; i++) v[i] = raw[i] * detail.factor + detail.offset;
    return { t, v, names: detail.names, end: detail.end / period, gap: detail.gap / period, decimals: detail.decimals };
  };
  // Lower end, upper end and step of an axis for some values, as nice_range of scale.py.
  const niceRange = (low, high) => {
    if (!(high >= low)) [low, high] = [0, 1];
    if (high - low < 1e-9 * Math.max(1, Math.abs(low), Math.abs(high))) [low, high] = [low - 0.5, high + 0.5];
    const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough * (1 - 1e-9));
    return [Math.floor(low / step) * step, Math.ceil(high / step) * step, step];
  };
  // How many of the ascending numbers are at most x.
  const upTo = (numbers, x) => {
    let low = 0, high = numbers.length;
    while (low < high) { const mid = (low + high) >> 1; numbers[mid] <= x ? low = mid + 1 : high = mid; }
    return low;
  };
  // The samples from one place to another as a path: x in pixels from `from` on, y in 10000ths down from hi.
  const pathOf = ({ t, v, gap }, from, to, width, lo, hi) => {
    const first = Math.max(0, upTo(t, from) - 1), last = Math.min(t.length, upTo(t, to) + 1);
    const y = (value) => Math.round((hi - value) / (hi - lo) * 10000), scale = width / (to - from);
    let d = "", column = NaN, open = false, before = NaN, least, most, end;
    const put = (x, value) => { d += `${open ? "L" : "M"}${x.toFixed(1)} ${y(value)}`; open = true; };
    const flush = () => {
      if (isNaN(column)) return;
      if (least !== most) { put(column + 0.5, least); put(column + 0.5, most); }
      if (end !== most || least === most) put(column + 0.5, end);
      column = NaN;
    };
    const dense = last - first > 2 * width;
    for (let i = first; i < last; i++) {
      if (t[i] - before > gap || isNaN(v[i])) { flush(); if (open && d.endsWith("h0") === false) d += "h0"; open = false; }
      before = t[i];
      if (isNaN(v[i])) continue;
      const x = (t[i] - from) * scale;
      if (!dense) { put(x, v[i]); continue; }
      if (Math.floor(x) !== column) { flush(); column = Math.floor(x); put(x, v[i]); least = most = v[i]; }
      least = Math.min(least, v[i]); most = Math.max(most, v[i]); end = v[i];
    }
    flush();
    return open ? d + "h0" : d;
  };
  // The states from one place to another: [x, width, state], those that are too narrow to be seen as one of state -1.
  const boxesOf = ({ t, v, end }, from, to, width) => {
    const boxes = [], scale = width / (to - from), last = Math.min(t.length, upTo(t, to));
    for (let i = Math.max(0, upTo(t, from) - 1); i < last; i++) {
      const a = Math.max(0, (t[i] - from) * scale), b = Math.min(width, ((i + 1 < t.length ? t[i + 1] : end) - from) * scale);
      const box = boxes[boxes.length - 1];
      if (b - a >= 1) boxes.push([a, b - a, v[i]]);
      else if (box && box[2] < 0 && a - box[0] < 2) box[1] = b - box[0];
      else boxes.push([a, b - a, -1]);
    }
    return boxes;
  };
  if (typeof document === "undefined") { module.exports = { readDetail, pathOf, boxesOf, upTo, niceRange }; return; }

  for (const svg of document.querySelectorAll("svg.plot")) {
    const data = svg.dataset, n = +data.n, start = +data.start, period = +data.period;
    const left = +data.left, width = +data.width, top = +data.top, bottom = +data.bottom;
    const frames = data.grid ? data.grid.split(";").map((pair) => pair.split(",").map(Number)) : [];
    const zoomed = [...svg.querySelectorAll("g.z")], texts = [...svg.querySelectorAll("text.state")];
    const marks = [...svg.querySelectorAll("g.mark")], lanes = svg.querySelector("g.marks").dataset;
    const grid = svg.querySelector(".xg"), labels = svg.querySelector(".xt");
    const values = [...svg.querySelectorAll("text.value")];
    const decimalsOf = (step) => Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
    const timeDecimals = () => decimalsOf(fine ? (to - from) * period / width : period);
    const fine = data.fine === "1", source = document.getElementById(`detail-${data.id}`);
    let from = 0, to = n, readers = null, pressed = null, details = null, reference = null, fit = false;

    const xOf = (index) => left + (index - from) / (to - from) * width;
    const indexAt = (event) => {
      const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      return Math.min(to, Math.max(from, from + (x - left) / width * (to - from)));
    };

    const drawTime = () => {
      const low = start + from * period, high = start + to * period, step = timeStep(high - low);
      const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      let d = "";
      labels.textContent = "";
      for (let k = Math.ceil(low / step - 1e-6); k * step <= high + 1e-6 * step; k++) {
        const x = xOf((k * step - start) / period).toFixed(1);
        for (const [a, b] of frames) d += `M${x} ${a}V${b}`;
        make(labels, "text", { class: "tick x", x, y: labels.dataset.y }).textContent = shown(k * step, decimals);
      }
      grid.setAttribute("d", d);
    };
    const drawStates = () => {
      for (const text of texts) {
        const a = Math.max(left, xOf(+text.dataset.a)), b = Math.min(left + width, xOf(+text.dataset.b));
        show(text, b - a >= +text.dataset.w);
        text.setAttribute("x", (a + 5).toFixed(1));
      }
    };
    const drawMarks = () => {
      const free = new Array(+lanes.lanes).fill(left - 1), end = left + width;
      for (const mark of marks) {
        const x = xOf(+mark.dataset.i), text = mark.lastElementChild, size = +text.dataset.w;
        show(mark, x >= left - 0.5 && x <= end + 0.5);
        if (mark.hasAttribute("display")) continue;
        const at = x + 4 + size <= end ? x + 4 : x - 4 - size;
        const lane = free.findIndex((place) => place <= Math.min(x, at)), y = +lanes.y + lanes.lane * lane + 11;
        show(text, lane >= 0);
        if (lane >= 0) {
          free[lane] = Math.max(x, at + size) + 8;
          text.setAttribute("x", at.toFixed(1));
          text.setAttribute("y", y);
        }
        mark.querySelector("path").setAttribute("d", `M${x.toFixed(1)} ${lane < 0 ? top - 6 : y - 9}V${bottom}`);
      }
    };
    // The axis of a panel: that of the whole plot, or one that fits what is shown.
    const axisOf = (paths) => {
      const { lo, hi, step } = paths[0].dataset;
      if (!fit) return [+lo, +hi, +step];
      let low = Infinity, high = -Infinity;
      for (const { t, v } of paths.map((path) => details[path.dataset.detail]))
        for (let i = Math.max(0, upTo(t, from) - 1), end = upTo(t, to); i < end; i++) {
          if (v[i] < low) low = v[i];
          if (v[i] > high) high = v[i];
        }
      return niceRange(low, high);
    };
    const drawValues = (group, [low, high, step]) => {
      const y = +group.dataset.y, h = +group.dataset.h, decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      group.textContent = "";
      for (let k = Math.ceil(low / step - 1e-6); k * step <= high + 1e-6 * step; k++) {
        const at = (y + (high - k * step) / (high - low) * h).toFixed(1);
        make(group, "path", { class: k === 0 && low < 0 ? "zero" : "grid", d: `M${left} ${at}h${width}` });
        make(group, "text", { class: "tick y", x: left - 6, y: +at + 3.5 }).textContent = shown(k * step, decimals);
      }
    };
    const drawDetails = () => {
      if (!details) return;
      for (const group of zoomed) {
        const paths = [...group.querySelectorAll("path.line")].filter((path) => details[path.dataset.detail]);
        if (!paths.length) continue;
        const axis = axisOf(paths), { y, sy } = group.dataset;
        group.setAttribute("transform", `translate(${left} ${y}) scale(1 ${sy})`);
        for (const path of paths)
          path.setAttribute("d", pathOf(details[path.dataset.detail], from, to, width, axis[0], axis[1]));
        const scale = scales.find((one) => one.dataset.y === y);
        if (scale) drawValues(scale, axis);
      }
      for (const band of bands) {
        const detail = details[band.dataset.detail], group = band.firstElementChild;
        if (!detail) continue;
        group.setAttribute("transform", `translate(${left} 0)`);
        band.replaceChildren(group);
        group.textContent = "";
        for (const [x, w, state] of boxesOf(detail, from, to, width)) {
          const [name, tone] = state < 0 ? ["changes", "mixed"] : detail.names[state];
          const box = make(group, "rect", { class: tone, x: x.toFixed(2), y: band.dataset.top, width: w.toFixed(2), height: 17 });
          make(box, "title", {}).textContent = name;
          if (w < name.length * 6.1 + 8) continue;
          make(band, "text", { class: "state", x: (left + x + 5).toFixed(1), y: +band.dataset.top + 12.5 }).textContent = name;
        }
      }
    };
    const drawReference = () => {
      show(mark, reference !== null);
      if (reference !== null) mark.setAttribute("d", `M${xOf(reference).toFixed(1)} ${top}V${bottom}`);
    };
    const zoom = (a, b) => {
      [from, to] = [a, b];
      const scale = width / (to - from);
      for (const group of zoomed) {
        const { y, sy } = group.dataset;
        group.setAttribute("transform", `translate(${left - from * scale} ${y}) scale(${scale} ${sy})`);
      }
      drawDetails(); drawTime(); drawStates(); drawMarks(); drawReference();
      svg.classList.toggle("zoomed", to - from < n);
    };

    const scales = [...svg.querySelectorAll("g.yt")];
    const lines = [...svg.querySelectorAll("g.z path.line")], bands = [...svg.querySelectorAll("g.band")];
    // The last sample at a place, as a receiver has it.
    const reader = (detail, unit) => (place) => {
      const at = upTo(detail.t, place) - 1;
      if (at < 0 || (detail.names && place > detail.end)) return "no value";
      return detail.names ? detail.names[detail.v[at]][0] : shown(detail.v[at], detail.decimals) + " " + unit;
    };
    const prepare = () => {
      const readLine = (path) => {
        if (details && details[path.dataset.detail]) return reader(details[path.dataset.detail], path.dataset.unit);
        const stretches = pointsOf(path.getAttribute("d")), { lo, hi, step, unit } = path.dataset;
        const decimals = Math.max(0, 2 - Math.floor(Math.log10(+step)));
        return (index) => {
          const height = heightAt(stretches, index);
          return isNaN(height) ? "no value" : shown(+hi - height / 10000 * (hi - lo), decimals) + " " + unit;
        };
      };
      const readBand = (band) => {
        if (details && details[band.dataset.detail]) return reader(details[band.dataset.detail], "");
        const boxes = [...band.querySelectorAll("rect")].map((r) =>
          [+r.getAttribute("x"), +r.getAttribute("x") + +r.getAttribute("width"), r.textContent]);
        return (index) => (boxes.findLast(([a, b]) => a <= index && index <= b) || [0, 0, "no value"])[2];
      };
      return [...bands.map(readBand), ...lines.map(readLine)];
    };
    const cursor = make(svg, "path", { class: "cursor", display: "none" });
    const mark = make(svg, "path", { class: "reference", display: "none" });
    const pick = make(svg, "rect", { class: "pick", y: top, height: bottom - top, display: "none" });
    const clock = make(svg, "text", { class: "clock", y: bottom + 30, display: "none" });
    const hit = make(svg, "rect", { class: "hit", x: left, y: 0, width, height: bottom });

    const read = (event) => {
      readers = readers || prepare();
      const index = fine ? indexAt(event) : Math.round(indexAt(event)), x = xOf(index);
      cursor.setAttribute("d", `M${x.toFixed(1)} ${top}V${bottom}`);
      show(cursor, true); show(clock, true);
      clock.setAttribute("x", Math.min(left + width - 30, Math.max(left + 30, x)));
      clock.textContent = shown(start + index * period, timeDecimals()) + " s";
      if (reference !== null) clock.textContent += ` (${shown((index - reference) * period, timeDecimals())} s from the mark)`;
      values.forEach((node, i) => { node.textContent = readers[i](index); node.classList.add("live"); });
    };
    const leave = () => {
      show(cursor, false); show(clock, false); show(pick, false);
      values.forEach((node) => { node.textContent = node.dataset.d; node.classList.remove("live"); });
    };
    hit.addEventListener("pointermove", (event) => {
      read(event);
      if (pressed === null) return;
      const a = xOf(pressed), b = xOf(indexAt(event));
      pick.setAttribute("x", Math.min(a, b)); pick.setAttribute("width", Math.abs(b - a));
      show(pick, Math.abs(b - a) > 3);
    });
    hit.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      pressed = indexAt(event);
      hit.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    hit.addEventListener("pointerup", (event) => {
      if (pressed === null) return;
      const [a, b] = [pressed, indexAt(event)].sort((p, q) => p - q);
      pressed = null;
      show(pick, false);
      if (xOf(b) - xOf(a) > 3) { if (fine ? (b - a) * period > 1e-5 : b - a >= 4) { zoom(a, b); read(event); } }
      else if (fine) { reference = reference === null ? a : null; drawReference(); read(event); }
    });
    hit.addEventListener("pointerleave", () => { if (pressed === null) leave(); });
    hit.addEventListener("dblclick", () => { reference = null; zoom(0, n); });

    if (!fine) continue;
    // Shows the span `size` with the share `at` of it where it is; the ends of the plot hold it.
    const zoomAt = (at, size) => {
      size = Math.min(n, Math.max(1e-5 / period, size));
      const a = Math.min(n - size, Math.max(0, at - (at - from) / (to - from) * size));
      zoom(a, a + size);
    };
    hit.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoomAt(indexAt(event), (to - from) * 2 ** (Math.sign(event.deltaY) / 2));
      read(event);
    }, { passive: false });
    document.addEventListener("keydown", (event) => {
      const span = to - from, move = { ArrowLeft: -0.2, ArrowRight: 0.2 }[event.key];
      if (move) { const a = Math.min(n - span, Math.max(0, from + move * span)); zoom(a, a + span); }
      else if (event.key === "+") zoomAt((from + to) / 2, span / 2);
      else if (event.key === "-") zoomAt((from + to) / 2, span * 2);
      else if (event.key === "0") zoom(0, n);
      else if (event.key === "y" && details) { fit = !fit; zoom(from, to); }
    });
    if (!source) continue;
    const packed = JSON.parse(source.textContent);
    Promise.all(Object.entries(packed).map(async ([name, detail]) => [name, await readDetail(detail, period)]))
      .then((entries) => { details = Object.fromEntries(entries); readers = null; zoom(from, to); });
  }
})();

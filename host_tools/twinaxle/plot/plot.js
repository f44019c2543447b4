"use strict";
// Plots: a cursor that reads all values, zoom by dragging, double click to reset. Without script the page is whole.
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

  // A path of hil/report/lines.py as stretches of points.
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

  for (const svg of document.querySelectorAll("svg.plot")) {
    const data = svg.dataset, n = +data.n, start = +data.start, period = +data.period;
    const left = +data.left, width = +data.width, top = +data.top, bottom = +data.bottom;
    const frames = data.grid ? data.grid.split(";").map((pair) => pair.split(",").map(Number)) : [];
    const zoomed = [...svg.querySelectorAll("g.z")], texts = [...svg.querySelectorAll("text.state")];
    const marks = [...svg.querySelectorAll("g.mark")], lanes = svg.querySelector("g.marks").dataset;
    const grid = svg.querySelector(".xg"), labels = svg.querySelector(".xt");
    const values = [...svg.querySelectorAll("text.value")];
    const timeDecimals = Math.max(0, Math.ceil(-Math.log10(period) - 1e-9));
    let from = 0, to = n, readers = null, pressed = null;

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
    const zoom = (a, b) => {
      [from, to] = [a, b];
      const scale = width / (to - from);
      for (const group of zoomed) {
        const { y, sy } = group.dataset;
        group.setAttribute("transform", `translate(${left - from * scale} ${y}) scale(${scale} ${sy})`);
      }
      drawTime(); drawStates(); drawMarks();
      svg.classList.toggle("zoomed", to - from < n);
    };

    const prepare = () => {
      const lines = [...svg.querySelectorAll("g.z path.line")], bands = [...svg.querySelectorAll("g.band")];
      const readLine = (path) => {
        const stretches = pointsOf(path.getAttribute("d")), { lo, hi, step, unit } = path.dataset;
        const decimals = Math.max(0, 2 - Math.floor(Math.log10(+step)));
        return (index) => {
          const height = heightAt(stretches, index);
          return isNaN(height) ? "no value" : shown(+hi - height / 10000 * (hi - lo), decimals) + " " + unit;
        };
      };
      const readBand = (band) => {
        const boxes = [...band.querySelectorAll("rect")].map((r) =>
          [+r.getAttribute("x"), +r.getAttribute("x") + +r.getAttribute("width"), r.textContent]);
        return (index) => (boxes.findLast(([a, b]) => a <= index && index <= b) || [0, 0, "no value"])[2];
      };
      return [...bands.map(readBand), ...lines.map(readLine)];
    };
    const cursor = make(svg, "path", { class: "cursor", display: "none" });
    const pick = make(svg, "rect", { class: "pick", y: top, height: bottom - top, display: "none" });
    const clock = make(svg, "text", { class: "clock", y: bottom + 30, display: "none" });
    const hit = make(svg, "rect", { class: "hit", x: left, y: 0, width, height: bottom });

    const read = (event) => {
      readers = readers || prepare();
      const index = Math.round(indexAt(event)), x = xOf(index);
      cursor.setAttribute("d", `M${x.toFixed(1)} ${top}V${bottom}`);
      show(cursor, true); show(clock, true);
      clock.setAttribute("x", Math.min(left + width - 30, Math.max(left + 30, x)));
      clock.textContent = shown(start + index * period, timeDecimals) + " s";
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
      if (xOf(b) - xOf(a) > 3 && b - a >= 4) { zoom(a, b); read(event); }
    });
    hit.addEventListener("pointerleave", () => { if (pressed === null) leave(); });
    hit.addEventListener("dblclick", () => zoom(0, n));
  }
})();

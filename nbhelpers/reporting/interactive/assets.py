"""Style and script of the interactive figures."""

from nbhelpers.reporting.plots import COLOURS

STYLE = (
    f".nbh-figure {{ --real: {COLOURS['REAL']}; --fake: {COLOURS['FAKE']}; "
    """--line: color-mix(in srgb, currentColor 30%, transparent);
  --back: color-mix(in srgb, currentColor 8%, transparent);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; max-width: 46rem;
  margin: .4rem 0 1rem; box-sizing: border-box; }
.nbh-figure * { box-sizing: border-box; }
.nbh-figure [hidden] { display: none !important; }
.nbh-figure p { margin: .4rem 0; }
.nbh-figure img { display: block; width: 100%; max-width: 100%; height: auto; margin: 0; }
.nbh-figure .nbh-title { font-weight: 600; }
.nbh-slider { position: relative; margin: .5rem 0; }
.nbh-slider label span { display: block; padding-right: 5em; }
.nbh-slider input { display: block; width: 100%; height: 28px; margin: 0; padding: 0;
  accent-color: var(--real); cursor: pointer; }
.nbh-slider strong { position: absolute; top: 0; right: 0; font-variant-numeric: tabular-nums; }
.nbh-choice label { display: flex; align-items: center; gap: .8rem; }
.nbh-play { display: flex; align-items: end; gap: .8rem; }
.nbh-play .nbh-slider { flex: 1; min-width: 0; }
.nbh-figure select, .nbh-figure button { font: inherit; min-height: 32px; padding: .15rem .7rem;
  color: inherit; background: var(--back); border: 1px solid currentColor; border-radius: 6px;
  cursor: pointer; margin: .3rem 0; max-width: 100%; }
.nbh-figure button { min-width: 5em; }
.nbh-figure option { color: #1c2127; background: #fff; }
.nbh-figure :focus-visible { outline: 3px solid #56B4E9; outline-offset: 2px; }
.nbh-status { min-height: 2.9em; }
.nbh-figure .nbh-key { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .4rem 0;
  padding: 0; list-style: none; font-size: 14px; }
.nbh-figure .nbh-key li { display: flex; align-items: center; gap: .4rem; margin: 0; }
.nbh-key i { width: 13px; height: 13px; border-radius: 3px; border: 2px solid; flex: none; }
.nbh-real { background: var(--real); border-color: var(--real) !important; }
.nbh-fake { background: var(--fake); border-color: var(--fake) !important; }
.nbh-people { display: grid; grid-template-columns: repeat(50, 1fr); gap: 1px; margin: .4rem 0; }
.nbh-people i { aspect-ratio: 1; border-radius: 30%; border: 2px solid; min-width: 0; }
.nbh-kind-0 { background: var(--fake); border-color: var(--fake) !important; }
.nbh-kind-1 { background: none; border-color: var(--fake) !important; }
.nbh-kind-2 { background: var(--real); border-color: var(--real) !important; }
.nbh-kind-3 { background: none;
  border-color: color-mix(in srgb, var(--real) 60%, transparent) !important; }
.nbh-wipe { position: relative; max-width: 26rem; overflow: hidden; border-radius: 4px;
  cursor: ew-resize; touch-action: pan-y; }
.nbh-wipe img + img { position: absolute; inset: 0; height: 100%;
  clip-path: inset(0 0 0 calc(var(--x) * 100%)); }
.nbh-wipe::after { content: ""; position: absolute; top: 0; bottom: 0; width: 4px;
  left: calc(var(--x) * 100% - 2px); background: #fff; border: 1px solid #1c2127; }
.nbh-tag { position: absolute; bottom: 6px; padding: 0 .5em; border-radius: 4px; font-size: 13px;
  color: #fff; background: #1c2127; max-width: 45%; overflow-wrap: anywhere; }
.nbh-columns { display: flex; flex-wrap: wrap; gap: .8rem 1.4rem; align-items: flex-start; }
.nbh-columns > * { flex: 1 1 17rem; min-width: 0; }
.nbh-plot { display: grid; padding-right: 12px; margin: .4rem 0;
  grid-template-columns: auto 1fr; font-size: 13px; }
.nbh-plot .nbh-y, .nbh-plot .nbh-x { position: relative; font-variant-numeric: tabular-nums; }
.nbh-plot .nbh-y { min-width: 2.6em; margin-right: 5px; }
.nbh-y span { position: absolute; right: 0; transform: translateY(50%); line-height: 1; }
.nbh-x { grid-column: 2; height: 1.6em; }
.nbh-x span { position: absolute; transform: translateX(-50%); top: .25em; }
.nbh-plot .nbh-name { grid-column: 1 / -1; }
.nbh-plot .nbh-name + .nbh-y { grid-column: 1; }
.nbh-xname { grid-column: 2; text-align: center; }
.nbh-area { position: relative; height: 190px; border: solid var(--line); border-width: 0 0 1px 1px;
  cursor: pointer; touch-action: pan-y; }
.nbh-area svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.nbh-area polyline { fill: none; stroke: currentColor; stroke-width: 2;
  vector-effect: non-scaling-stroke; }
.nbh-area b, .nbh-area i, .nbh-rule { position: absolute; }
.nbh-area b { background: var(--fake); } .nbh-area i { background: var(--real); }
.nbh-rule { left: 0; right: 0; border-top: 1px dashed var(--line); }
.nbh-line { position: absolute; top: 0; bottom: 0; width: 0; left: calc(var(--x) * 100%);
  border-left: 2px solid currentColor; }
.nbh-dot { position: absolute; width: 13px; height: 13px; border-radius: 50%;
  left: calc(var(--x) * 100% - 6.5px); bottom: calc(var(--y) * 100% - 6.5px);
  background: var(--fake); border: 2px solid #fff; box-shadow: 0 0 0 1px #1c2127;
  visibility: var(--dot, visible); }
.nbh-figure table { border-collapse: collapse; width: 100%; margin: .2rem 0; font-size: 14px;
  color: inherit; table-layout: fixed; border: 0; }
.nbh-figure th, .nbh-figure td { padding: .45rem .3rem; text-align: center !important;
  border: 0 !important; background: none; color: inherit; vertical-align: middle;
  white-space: normal; max-width: none; }
.nbh-figure tbody tr, .nbh-figure tbody tr:hover { background: none; }
.nbh-figure td b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.nbh-facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: .4rem; margin: .6rem 0; }
.nbh-facts div { background: var(--back); border-radius: 6px; padding: .3rem .5rem; }
.nbh-facts b { display: block; font-size: 18px; font-variant-numeric: tabular-nums; }
.nbh-row { margin: .6rem 0; }
.nbh-row > div { display: grid; gap: .5rem; margin-top: .2rem;
  grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); }
.nbh-shot { margin: 0; font-size: 13px; }
.nbh-shot b { display: block; height: 8px; margin: 3px 0; border-radius: 2px;
  background: var(--back); }
.nbh-shot b i { display: block; height: 100%; background: var(--fake); border-radius: 2px; }
.nbh-screen { position: relative; max-width: 26rem; overflow: hidden; }
.nbh-box { position: absolute; left: var(--left); top: var(--top); width: var(--width);
  height: var(--height); border: 3px solid #fff; outline: 1px solid #1c2127; border-radius: 3px;
  visibility: var(--box); }
@media (max-width: 520px) { .nbh-people { gap: 0; } .nbh-people i { border-width: 1px; } }
"""
)

SCRIPT = """(function start(tries) {
  const figures = [...document.querySelectorAll(".nbh-figure")].filter((one) => !one.nbhReady);
  if (!figures.length && tries) { setTimeout(start, 100, tries - 1); return; }
  for (const figure of figures) {
    figure.nbhReady = true;
    const all = (name) => [...figure.querySelectorAll(name)];
    const states = JSON.parse(figure.dataset.states);
    const control = all("[data-control]")[0];
    const put = {
      picture: (at) => all("[data-pick]").forEach((place) =>
        [...place.children].forEach((one, number) => { one.hidden = number !== at; })),
      counts: (counts) => all("[data-fill]").forEach((place) => {
        const ends = counts.map((_, at) => counts.slice(0, at + 1).reduce((a, b) => a + b));
        [...place.children].forEach((one, number) => {
          one.className = "nbh-kind-" + ends.findIndex((end) => number < end);
        });
      }),
    };
    const update = () => {
      const state = states[control.value];
      for (const [name, value] of Object.entries(state)) {
        if (name.startsWith("--")) figure.style.setProperty(name, value);
        else if (put[name]) put[name](value);
        else all(`[data-text="${name}"]`).forEach((one) => { one.textContent = value; });
      }
      if (control.type === "range") control.setAttribute("aria-valuetext", state.value);
    };
    control.addEventListener("input", update);
    control.addEventListener("change", update);
    all("[data-drag]").forEach((place) => {
      const pick = (event) => {
        if (event.type === "pointermove" && !(event.buttons & 1)) return;
        const box = place.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width;
        const far = states.map((state) => Math.abs(state["--x"] - x));
        control.value = far.indexOf(Math.min(...far));
        update();
      };
      place.addEventListener("pointerdown", pick);
      place.addEventListener("pointermove", pick);
      place.addEventListener("dragstart", (event) => event.preventDefault());
    });
    all("[data-play]").forEach((button) => {
      let timer = 0;
      const quiet = (value) => all("[role=status]").forEach((one) => {
        one.setAttribute("aria-live", value);
      });
      button.addEventListener("click", () => {
        if (timer) {
          clearInterval(timer);
          timer = 0;
          button.textContent = "Play";
          quiet("polite");
        } else {
          button.textContent = "Pause";
          quiet("off");
          timer = setInterval(() => {
            control.value = (Number(control.value) + 1) % states.length;
            update();
          }, Number(button.dataset.play));
        }
      });
    });
    update();
  }
})(50);"""
